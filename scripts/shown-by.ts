import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Element } from '../src/config/element.ts'
import { parseConfig } from '../src/config/index.ts'

/**
 * Which test writes a plugin's parameter: recorded cases (test/golden/cases), whose configurations are read by our own
 * parser, and test files of the plugin that name the parameter. Key: `output file <buffer> timekey`.
 */
export type ShownBy = (kind: string, plugin: string, row: string) => string | undefined

const directives: Readonly<Record<string, string>> = {
  source: 'source',
  filter: 'filter',
  match: 'output',
  store: 'output',
  secondary: 'output',
  parse: 'parser',
  format: 'formatter',
  buffer: 'buffer',
  storage: 'storage',
  service_discovery: 'service_discovery',
}

const folders: Readonly<Record<string, string>> = {
  source: 'test/unit/sources',
  filter: 'test/unit/filters',
  output: 'test/unit/outputs',
  parser: 'test/unit/parsers',
  formatter: 'test/unit/formatters',
  buffer: 'test/unit/buffer',
  service_discovery: 'test/unit/outputs/forward',
}

/** One plugin by two names. */
const aliases: Readonly<Record<string, string>> = { dummy: 'sample' }

export function createShownBy(root: string): ShownBy {
  const recorded = recordedCases(root)
  const files = testFiles(root)
  const shown = (kind: string, plugin: string, row: string) =>
    recorded.get(`${kind} ${plugin} ${row}`) ??
    files.find((f) => isAbout(f, kind, plugin) && hasSections(f, row) && names(f.text, row))?.path
  return (kind, plugin, row) =>
    shown(kind, plugin, row) ?? shown(kind, aliases[plugin] ?? plugin, row)
}

function recordedCases(root: string): Map<string, string> {
  const found = new Map<string, string>()
  const cases = join(root, 'test/golden/cases')
  for (const name of readdirSync(cases).sort()) {
    const path = `test/golden/cases/${name}/fluent.conf`
    const text = readIfThere(join(root, path))
    if (text === undefined) continue
    const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
    const note = (key: string) => void (found.has(key) || found.set(key, path))
    walk(parseConfig({ path, text, ...world }).root, [], note)
  }
  return found
}

/** `owners`: the plugins around a section, each with the path from it to here. */
function walk(
  element: Element,
  owners: readonly { key: string; path: string }[],
  note: (key: string) => void,
): void {
  for (const child of element.children) {
    if (child.name === 'system') {
      walk(child, [{ key: 'system system', path: '' }], note)
      for (const { name } of child.params) note(`system system ${name}`)
      continue
    }
    const kind = directives[child.name]
    const type = child.params.find(({ name }) => name === '@type')?.value
    const inner = owners.map(({ key, path }) => ({ key, path: `${path}<${child.name}> ` }))
    if (kind !== undefined && type !== undefined) inner.push({ key: `${kind} ${type}`, path: '' })
    for (const { key, path } of inner) {
      if (path !== '') note(`${key} ${path.trim()}`)
      for (const { name } of child.params) note(`${key} ${path}${name}`)
    }
    walk(child, inner, note)
  }
}

interface TestFile {
  readonly path: string
  readonly text: string
}

function testFiles(root: string): TestFile[] {
  return ['test/unit', 'test/e2e', 'test/conformance'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((name) => `${folder}/${String(name)}`)
      // Tests of the documentation name parameters without setting them.
      .filter((path) => path.endsWith('.test.ts') && !path.startsWith('test/unit/docs/'))
      .sort()
      // Configurations in one line of code have their line ends escaped.
      .map((path) => ({
        path,
        text: readFileSync(join(root, path), 'utf8').replaceAll('\\n', '\n'),
      })),
  )
}

/** Of the plugin's own folder or name, or with its section in a configuration. */
function isAbout({ path, text }: TestFile, kind: string, plugin: string): boolean {
  if (kind === 'system') return text.includes('<system>') || /unit\/(cli|observe)\//.test(path)
  const folder = folders[kind]
  if (folder !== undefined && path.startsWith(`${folder}/`)) {
    if (kind === 'buffer') return true
    const rest = path.slice(folder.length + 1).replaceAll('-', '_')
    if (rest.startsWith(`${plugin}/`) || rest.startsWith(`${plugin}.`)) return true
    if (
      new RegExp(`['"\`]${plugin}['"\`]|${folder.slice('test/unit/'.length)}/${plugin}/index`).test(
        text,
      )
    )
      return true
  }
  // Other kinds have plugins of these names too.
  if (kind === 'service_discovery') return false
  return new RegExp(`@type ${plugin}\\b`).test(text)
}

/** `<source_only_buffer> path` is not shown by what has another path. */
function hasSections({ path, text }: TestFile, row: string): boolean {
  const sections = [...row.matchAll(/<(\w+)> /g)].map((match) => match[1]!)
  const about = text + path.replaceAll('-', '_')
  return sections.every((name) => about.includes(name) || about.includes(camelCase(name)))
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** As the configuration writes it, or as code does. */
function names(text: string, row: string): boolean {
  const name = row.slice(row.lastIndexOf(' ') + 1).replace(/[<>]/g, '')
  const camel = camelCase(name)
  return new RegExp(`(?<![\\w.])(${name.replace('@', '@?')}|${camel})\\b`).test(text)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
