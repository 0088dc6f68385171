import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { comparePlugins, type FluentdList, type FluentdShape } from '../../../scripts/compare.ts'
import { withoutTests } from '../../../scripts/compatibility.ts'
import { generatedPages, readFluentd, readSystemRows } from '../../../scripts/pages.ts'
import { defineFilter } from '../../../src/config/define.ts'
import { bool, integer, string } from '../../../src/config/schema.ts'
import { plugins } from '../../../src/plugins.ts'

describe('parameters of Fluentd', () => {
  const compared = comparePlugins(plugins, readFluentd('.'))
  const page = readFileSync('docs/COMPATIBILITY.md', 'utf8')

  it('all plugins are built or refused, with their reasons', () => {
    const list = readFluentd('.')
    const names = Object.values(list).flatMap((plugins) => Object.keys(plugins))
    expect(compared.map(({ name }) => name).sort()).toEqual(names.sort())
    expect(compared.filter(({ rows }) => rows === undefined)).toEqual([])
    const unexplained = compared.flatMap(({ name, rows }) =>
      (rows ?? []).filter((row) => row.status === 'refused' && row.text === '').map(() => name),
    )
    expect(unexplained).toEqual([])
  })

  it.each(compared)('$kind $name declares them as they are, or says what differs', ({ rows }) => {
    const gaps = (rows ?? []).filter(({ gap }) => gap !== undefined)
    expect(gaps.map(({ name, gap }) => `${name}: ${gap}`)).toEqual([])
  })

  it('<system> declares them as they are, or says what differs', () => {
    const gaps = readSystemRows('.').filter(({ gap }) => gap !== undefined)
    expect(gaps.map(({ name, gap }) => `${name}: ${gap}`)).toEqual([])
  })

  it.each(compared)('docs/COMPATIBILITY.md has a row for each of $kind $name', ({ kind, name }) => {
    const theirs = kind === 'source' ? 'input' : kind
    const tables = page.split(/^#### /m).filter((part) => /^\[?(\w+)/.exec(part)?.[1] === name)
    const rows = tables.map((table) =>
      [...table.matchAll(/^\| (`.*?`) \|/gm)].map((row) => row[1]!),
    )
    const wanted = rowsOf(readFluentd('.')[theirs]![name]!)
    const lacking = wanted.filter((row) => !rows.some((table) => hasRow(table, row)))
    expect(lacking).toEqual([])
  })

  it('each row that is the same, or differs, names its test', () => {
    const rows = [...page.matchAll(/^\| `([^`]*)`.*? \| (?:same|differs) \|.*\|\s+\|$/gm)]
    expect(rows.map(([, row]) => row)).toEqual([])
  })

  it('the tests that it names are there, and name what they stand for', () => {
    const rows = [...page.matchAll(/^\| `([^`]*)`.*\| \[[^\]]*\]\(\.\.\/([^)]*)\) \|$/gm)]
    expect(rows.length).toBeGreaterThan(450)
    const wrong = rows.filter(([, row, path]) => {
      const name = row!.slice(row!.lastIndexOf(' ') + 1).replace(/[<>]/g, '')
      const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
      if (!existsSync(path!)) return true
      const text = readFileSync(path!, 'utf8')
      return !text.includes(name.replace('@', '')) && !text.includes(camel)
    })
    expect(wrong.map(([, row, path]) => `${row}: ${path}`)).toEqual([])
  })
})

/** The rows a plugin must have; of sections that hold plugins, and of all <buffer>s, the rows stand with those. */
function rowsOf(shape: FluentdShape, path = ''): string[] {
  const own = Object.keys(shape.params ?? {})
    .filter((name) => !name.startsWith('@'))
    .map((name) => `${path}${name}`)
  const inner = Object.entries(shape.sections ?? {})
    .filter(([, section]) => section.params?.['@type'] === undefined)
    .flatMap(([name, section]) => rowsOf(section, `${path}<${name}> `))
  return [...own, ...inner]
}

/** By itself, as one of `regexp1` to `regexp20`, or with a section that is refused whole. */
function hasRow(table: readonly string[], row: string): boolean {
  if (table.includes(`\`${row}\``)) return true
  const [, base, digits] = /^(.*\D)(\d+)$/.exec(row) ?? []
  if (
    base !== undefined &&
    digits !== undefined &&
    table.some((one) => one.startsWith(`\`${base}1\``))
  ) {
    return true
  }
  const sections = [...row.matchAll(/> /g)].map((match) => row.slice(0, match.index + 1))
  return sections.some((section) => table.includes(`\`${section}\``))
}

describe('comparing', () => {
  const d = { description: 'x' }
  const plugin = defineFilter({
    name: 'grep',
    summary: 'x',
    shape: {
      params: {
        same: integer({ ...d, default: 5 }),
        other_default: integer({ ...d, default: 5 }),
        other_type: string(d),
        said: bool({ ...d, default: true, differs: 'because' }),
        refused: bool({ ...d, unsupported: 'no' }),
        open: string(d),
      },
    },
    create: () => ({ apply: (batch) => batch }),
  })
  const fluentd: FluentdList = {
    filter: {
      grep: {
        params: {
          same: { type: 'integer', default: 5 },
          other_default: { type: 'integer', default: 6 },
          other_type: { type: 'size', default: null },
          said: { type: 'bool', default: false },
          refused: { type: 'bool', default: false },
          open: { type: 'string', default: null, secret: true },
          lacking: { type: 'string', default: null },
        },
        sections: { part: { params: {} } },
      },
    },
  }
  const rows = comparePlugins([plugin], fluentd)[0]?.rows ?? []

  it.each([
    ['same', 'same', undefined],
    ['other_default', 'differs', "default 5, Fluentd's 6"],
    ['other_type', 'differs', "type string, Fluentd's size"],
    ['said', 'differs', undefined],
    ['refused', 'refused', undefined],
    ['open', 'differs', 'is not secret'],
    ['lacking', 'missing', 'not declared'],
    ['<part>', 'missing', 'the section is not declared'],
  ])('%s: %s', (name, status, gap) => {
    const row = rows.find((one) => one.name === name)
    expect([row?.status, row?.gap]).toEqual([status, gap])
  })
})

describe('generated pages', () => {
  const pages = generatedPages('.')

  it.each([...pages])('%s is fresh (npm run docs)', (path, text) => {
    expect(withoutTests(readFileSync(path, 'utf8'))).toBe(withoutTests(text))
  })

  it('docs/reference holds nothing else', () => {
    const there = readdirSync('docs/reference', { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
    expect(there.filter((path) => !pages.has(path))).toEqual([])
  })

  it('every link of theirs leads to a page', () => {
    const wrong = [...pages].flatMap(([path, text]) =>
      [...text.replace(/`[^`\n]*`/g, '').matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)]
        .map((match) => new URL(match[1]!, `file:///${path}`).pathname.slice(1))
        .filter((target) => !pages.has(target) && !existsSync(target)),
    )
    expect(wrong).toEqual([])
  })

  it('every parameter says what it does', () => {
    const said = plugins.flatMap((plugin) =>
      Object.entries(plugin.shape.params).map(([name, param]) => ({
        name: `${plugin.kind} ${plugin.name} ${name}`,
        text: param.options.description,
      })),
    )
    expect(said.filter(({ text }) => text.trim().length < 8).map(({ name }) => name)).toEqual([])
  })
})

describe('written pages', () => {
  const written = [
    'README.md',
    'CHANGELOG.md',
    'docs/ARCHITECTURE.md',
    'docs/PLUGINS.md',
    ...readdirSync('docs/decisions').map((name) => `docs/decisions/${name}`),
    ...readdirSync('examples').map((name) => `examples/${name}/README.md`),
  ]

  it.each(written)('%s: what it links to is there', (path) => {
    const links = [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)]
    const missing = links
      .map((match) => match[1]!)
      .filter((to) => !existsSync(join(dirname(path), to)))
    expect(missing).toEqual([])
  })
})
