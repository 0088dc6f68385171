import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  bindConfig,
  type ConfigWarning,
  createRegistry,
  dumpConfig,
  type ParsedConfig,
  parseConfig,
  renderAll,
  renderWarning,
} from '../../src/config/index.ts'
import { isLineMatcher } from '../../src/text/regexp.ts'
import { testRegistry } from './plugins.ts'

const ruler = '~~~~\n'
const update = process.env.UPDATE_GOLDEN === '1'

/** A case's input, its further files, and its environment. */
function parseInput(name: string, input: string): ParsedConfig {
  const files = new Map<string, string>()
  const env: Record<string, string> = {}
  const main = name.startsWith('yaml-') ? 'fluent.yaml' : 'fluent.conf'
  let current = main
  for (const line of input.split(/(?<=\n)/)) {
    const header = /^=== (.*)\n$/.exec(line)?.[1]
    const variable = /^env (\w+)=(.*)$/.exec(header ?? '')
    if (variable !== null) env[variable[1]!] = variable[2]!
    else if (header !== undefined) {
      current = header
      files.set(current, '')
    } else files.set(current, (files.get(current) ?? '') + line)
  }
  return parseConfig({
    path: main,
    text: files.get(main) ?? '',
    readFile: (path) => files.get(path),
    listDir: (path) => listDir([...files.keys()], path),
    env,
    hostname: 'box',
    workerId: '0',
  })
}

function listDir(paths: readonly string[], path: string): readonly string[] | undefined {
  const base = path === '.' || path === '' ? '' : `${path}/`
  const inside = paths.filter((one) => one.startsWith(base)).map((one) => one.slice(base.length))
  return inside.length === 0 ? undefined : [...new Set(inside.map((one) => one.split('/')[0]!))]
}

function withWarnings(text: string, warnings: readonly ConfigWarning[]): string {
  const rendered = warnings.map((one) => `warning: ${renderWarning(one)}\n`)
  return [text, ...rendered].join('\n')
}

function parsed(name: string, input: string): string {
  const { root, errors, warnings } = parseInput(name, input)
  const text = errors.length > 0 ? `${renderAll(errors)}\n` : dumpConfig(root, createRegistry([]))
  return withWarnings(text, warnings)
}

function bound(name: string, input: string): string {
  const config = parseInput(name, input)
  const result = bindConfig(config.root, { registry: testRegistry })
  const errors = [...config.errors, ...result.errors]
  const warnings = [...config.warnings, ...result.warnings]
  if (errors.length > 0) return withWarnings(`${renderAll(errors)}\n`, warnings)
  const { sources, root, labels } = result.bound!
  const shown = { sources, stages: root.stages, labels: [...labels.values()] }
  return withWarnings(`${JSON.stringify(shown, readable, 1)}\n`, warnings)
}

/** What a reader of the case wants to see: no positions, no definitions, nothing that is not there. */
function readable(key: string, value: unknown): unknown {
  if (key === 'definition' || key === 'position' || value === '') return undefined
  if (value instanceof RegExp) return String(value)
  if (isLineMatcher(value)) return `/${value.source}/${value.flags}`
  if (value instanceof Map) return [...value]
  if (typeof value === 'bigint') return `${value}n`
  return value
}

describe.each([
  ['parse', parsed],
  ['bind', bound],
] as const)('golden configuration: %s', (folder, run) => {
  const directory = join(import.meta.dirname, folder)
  const names = readdirSync(directory).filter((name) => name.endsWith('.txt'))

  test.each(names)('%s', (name) => {
    const path = join(directory, name)
    const text = readFileSync(path, 'utf8')
    const [input, expected] = text.split(`\n${ruler}`) as [string, string | undefined]
    const actual = run(name, `${input}\n`)
    if (update) writeFileSync(path, `${input}\n${ruler}${actual}`)
    else expect(actual).toBe(expected)
  })
})
