/**
 * Writes the pages that are generated from the plugins themselves: `npm run docs`, in the project's folder.
 * docs/reference holds nothing but such pages; what is no longer made is removed.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generatedPages } from './pages.ts'

const root = process.cwd()
const pages = generatedPages(root)
let written = 0
for (const [name, text] of pages) {
  const path = join(root, name)
  if (existing(path) === text) continue
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  written += 1
}
const reference = join(root, 'docs/reference')
const stale = readdirSync(reference, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  .filter((name) => !pages.has(name))
for (const name of stale) rmSync(join(root, name))
console.log(`${pages.size} pages, ${written} written, ${stale.length} removed`)

function existing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
