import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { referencePages } from '../src/config/reference.ts'
import { systemShape } from '../src/config/system.ts'
import { plugins } from '../src/plugins.ts'
import { onPurpose } from '../test/golden/differences.ts'
import { compareSystem, type FluentdList, type FluentdShape, type Row } from './compare.ts'
import { compatibilityPage } from './compatibility.ts'
import { createShownBy } from './shown-by.ts'

/** The list of Fluentd's parameters, read off its own classes. */
export function readFluentd(root: string): FluentdList {
  const path = join(root, 'test/fixtures/fluentd-1.19.3-parameters.json')
  return JSON.parse(readFileSync(path, 'utf8')) as FluentdList
}

/** <system> against Fluentd's system_config.rb. */
export function readSystemRows(root: string): readonly Row[] {
  const path = join(root, 'test/fixtures/fluentd-1.19.3-system.json')
  return compareSystem(systemShape, JSON.parse(readFileSync(path, 'utf8')) as FluentdShape)
}

/** Path below the project's folder → text of every page that is generated. */
export function generatedPages(root: string): Map<string, string> {
  const pages = new Map<string, string>()
  for (const [name, text] of referencePages(plugins)) pages.set(`docs/reference/${name}`, text)
  const differences = readFileSync(join(root, 'docs/differences.md'), 'utf8')
  pages.set(
    'docs/COMPATIBILITY.md',
    compatibilityPage({
      plugins,
      fluentd: readFluentd(root),
      differences,
      recorded: onPurpose,
      system: readSystemRows(root),
      shownBy: createShownBy(root),
    }),
  )
  return pages
}
