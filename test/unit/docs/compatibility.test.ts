import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { comparePlugins, type FluentdList } from '../../../scripts/compare.ts'
import { generatedPages, readFluentd } from '../../../scripts/pages.ts'
import { defineFilter } from '../../../src/config/define.ts'
import { bool, integer, string } from '../../../src/config/schema.ts'
import { plugins } from '../../../src/plugins.ts'

describe('parameters of Fluentd', () => {
  const compared = comparePlugins(plugins, readFluentd('.'))
  const built = compared.filter(({ rows }) => rows !== undefined)

  it('knows what is built', () => {
    expect(built.length).toBeGreaterThan(30)
    expect(compared.find(({ name }) => name === 'object_space')?.rows).toBeUndefined()
  })

  it.each(built)('$kind $name declares them as they are, or says what differs', ({ rows }) => {
    const gaps = (rows ?? []).filter(({ gap }) => gap !== undefined)
    expect(gaps.map(({ name, gap }) => `${name}: ${gap}`)).toEqual([])
  })
})

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
    expect(readFileSync(path, 'utf8')).toBe(text)
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
