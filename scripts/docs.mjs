/**
 * Writes docs/reference from the plugins themselves: `npm run docs`, which builds dist first. `--check` writes nothing and
 * exits 1 if a page is not what it should be. The folder holds nothing but these pages.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { referencePages } from '../dist/config.js'
import { plugins } from '../dist/plugins.js'

const root = join(import.meta.dirname, '../docs/reference')
const pages = referencePages(plugins)

mkdirSync(root, { recursive: true })
const there = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
const stale = there.filter((name) => !pages.has(name))
const changed = [...pages].filter(
  ([name, page]) => !there.includes(name) || readFileSync(join(root, name), 'utf8') !== page,
)

if (process.argv.includes('--check')) {
  for (const name of [...stale, ...changed.map(([one]) => one)]) {
    console.error(`docs/reference/${name} is stale: run npm run docs`)
  }
  process.exitCode = stale.length + changed.length > 0 ? 1 : 0
} else {
  for (const name of stale) rmSync(join(root, name))
  for (const [name, page] of changed) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), page)
  }
  console.log(`${pages.size} pages, ${changed.length} written, ${stale.length} removed`)
}
