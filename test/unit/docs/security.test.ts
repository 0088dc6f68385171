import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** docs/SECURITY.md names parameters, metrics, reasons and tests: they are there. */

const page = readFileSync('docs/SECURITY.md', 'utf8')
const sources = readdirSync('src', { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join('src', name), 'utf8'))
  .join('\n')

/** Cells of the rows of the table below a heading. */
function tableBelow(heading: string): string[][] {
  const text = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = text.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const limits = tableBelow('Limits')
const wrongs = tableBelow('What has gone wrong elsewhere')
const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)

describe('limits', () => {
  it('are many', () => expect(limits.length).toBeGreaterThan(15))

  it.each(limits)('%s: %s %s', (limit, value, metric) => {
    const reference = /\]\(([^)]+)\)/.exec(limit)?.[1] ?? ''
    const [parameter] = codes(limit)
    const row = readFileSync(join('docs', reference), 'utf8')
      .split('\n')
      .find((line) => line.startsWith(`| \`${parameter}\` |`))
    expect(row).toBeDefined()
    expect(row?.split('|')[3]?.trim()).toBe(value)
    for (const name of codes(metric)) expect(sources).toContain(`'${name}'`)
  })
})

describe('what has gone wrong elsewhere', () => {
  it('are many', () => expect(wrongs.length).toBeGreaterThan(15))

  it.each(wrongs)('%s has its test', (_what, test) => {
    const file = /(test\/\S+)/.exec(test)?.[1] ?? 'test/security/known.test.ts'
    const names = codes(test)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(readFileSync(file, 'utf8')).toContain(name)
  })
})

it('what it links to is there', () => {
  const links = [...page.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map((match) => match[1]!)
  expect(links.filter((to) => !existsSync(join(dirname('docs/SECURITY.md'), to)))).toEqual([])
})

it('scripts that it names are there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const [, name] of page.matchAll(/npm run ([a-z]+)/g)) expect(scripts).toHaveProperty(name!)
})

it('no package runs anything when it is installed, and each is known by its digest', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; integrity?: string }>
  }
  const others = Object.entries(packages).filter(([name]) => name !== '')
  expect(others.length).toBeGreaterThan(20)
  const wrong = others.filter(([, one]) => one.hasInstallScript === true || !one.integrity)
  expect(wrong.map(([name]) => name)).toEqual([])
})
