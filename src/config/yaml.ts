import type { Scalar, YAMLMap, YAMLSeq } from 'yaml'
import type { Position } from '../core/errors.ts'
import type { Findings } from './diagnostics.ts'
import type { Element, Setting } from './element.ts'
import { EmbeddedError, evaluateEmbedded } from './embedded.ts'
import type { Includer } from './include.ts'
import type { ConfigWorld } from './input.ts'
import { configLimits } from './limits.ts'
import type { SourceText } from './source-text.ts'
import { didYouMean } from './suggest.ts'
import { composeYaml } from './yaml-document.ts'
import { isMap, isScalar, isSeq } from './yaml-library.ts'
import {
  fault,
  type KeyValue,
  type Node,
  nameOf,
  pairsOf,
  positionOf,
  problem,
  resolved,
  tagOf,
  type YamlFile,
} from './yaml-nodes.ts'
import { numberText, typedNumber } from './yaml-numbers.ts'

/**
 * The YAML form (lib/fluent/config/yaml_parser): `config:` is a list of sections, `system:` the
 * system section; `$type`, `$label`, `$id`, `$log_level` stand for `@…`, `$tag`, `$name`, `$arg`
 * for a section's argument. A map is a section, a list of maps several, a list of anything else an
 * array. Tags: !include, !fluent/s, !fluent/json.
 */

export interface YamlRequest {
  readonly source: SourceText
  readonly world: ConfigWorld
  readonly includer: Includer
  readonly findings: Findings
  readonly into: { readonly children: Element[] }
}

interface File extends YamlFile {
  readonly request: YamlRequest
}

const argumentKeys: Readonly<Record<string, string>> = {
  label: '$name',
  worker: '$arg',
  filter: '$tag',
  match: '$tag',
}
const directives = ['source', 'filter', 'match', 'label', 'worker']
const reservedKeys: Readonly<Record<string, string>> = {
  $type: '@type',
  $label: '@label',
  $id: '@id',
  $log_level: '@log_level',
}

/** Reads a whole file into `into.children`. Throws ConfigError for what ends the reading. */
export function readYaml(request: YamlRequest): void {
  const file = open(request, request.source, { nodes: 0 })
  const top = file.document.contents as Node
  if (top === null || isBroken(file)) return
  if (!isMap(top)) throw fault(file, top, 'expected a map with `config:` and, if needed, `system:`')
  for (const { key, value } of pairsOf(file, top, 0)) {
    if (nameOf(key) === 'system') {
      const map = resolved(file, value)
      if (isMap(map))
        request.into.children.push(section(file, { name: 'system', map, key, depth: 1 }))
      else problem(file, value ?? key, '`system:` needs a map')
    } else if (nameOf(key) === 'config') entries(file, value ?? key, request.into.children, 1)
    else {
      const known = ['system', 'config']
      const hint = didYouMean(nameOf(key), known)
      problem(file, key, `unknown key \`${nameOf(key)}\`: expected config or system`, hint)
    }
  }
}

function open(request: YamlRequest, source: SourceText, budget: YamlFile['budget']): File {
  const { findings } = request
  return { source, document: composeYaml(source, findings), findings, request, budget }
}

/** A broken text is not read any further: what it would mean is guessing. */
function isBroken(file: File): boolean {
  return file.document.errors.length > 0
}

/** The items of a `config:` list. */
function entries(file: File, node: Node, into: Element[], depth: number): void {
  const list = resolved(file, node)
  if (isScalar(list) && tagOf(list) === '!include') {
    include(file, list, into, depth)
    return
  }
  if (isScalar(list) && list.value === null) return
  if (!isSeq(list)) {
    problem(file, node, '`config:` needs a list: each section begins with `- `')
    return
  }
  for (const item of list.items) entry(file, item, into, depth)
}

function entry(file: File, node: Node, into: Element[], depth: number): void {
  const item = resolved(file, node)
  if (depth > configLimits.depth) throw fault(file, node, 'lists are nested too deep')
  if (isSeq(item) || (isScalar(item) && tagOf(item) === '!include')) {
    entries(file, item, into, depth + 1)
    return
  }
  if (!isMap(item)) {
    problem(file, node, `expected a section: ${directives.join(', ')}`)
    return
  }
  for (const { key, value } of pairsOf(file, item, depth)) {
    const name = nameOf(key)
    const map = resolved(file, value)
    if (!directives.includes(name)) {
      const hint = didYouMean(name, directives)
      problem(file, key, `unknown section \`${name}\`: expected ${directives.join(', ')}`, hint)
    } else if (isMap(map))
      into.push(section(file, { name, map, key, depth: depth + 1, directive: true }))
    else problem(file, value ?? key, `\`${name}:\` needs a map`)
  }
}

function include(file: File, node: Scalar, into: Element[], depth: number): void {
  file.request.includer.include({
    target: String(node.value),
    position: positionOf(file, node),
    read: (scanner) => {
      const included = open(file.request, scanner.source, file.budget)
      if (!isBroken(included)) entries(included, included.document.contents, into, depth + 1)
    },
  })
}

function section(
  file: File,
  from: { name: string; map: YAMLMap; key: Node; depth: number; directive?: boolean },
): Element {
  const { name, map, key, depth, directive } = from
  const params: Setting[] = []
  const children: Element[] = []
  let argument = ''
  let argumentPosition: Position | undefined
  const argumentKey = directive ? argumentKeys[name] : undefined
  for (const pair of pairsOf(file, map, depth)) {
    const word = nameOf(pair.key)
    if (word === argumentKey || word === '$arg') {
      argument = argumentText(file, pair)
      argumentPosition = positionOf(file, pair.value ?? pair.key)
    } else if (word === 'config' && (name === 'label' || name === 'worker')) {
      entries(file, pair.value ?? pair.key, children, depth)
    } else member(file, pair, { params, children, depth })
  }
  return { name, argument, params, children, position: positionOf(file, key), argumentPosition }
}

function argumentText(file: File, { key, value }: KeyValue): string {
  const node = resolved(file, value)
  const one = (item: Node) => (isScalar(item) ? (scalarOf(file, item).value ?? '') : undefined)
  if (isScalar(node)) return one(node)!
  const items = isSeq(node) ? node.items.map((item) => one(resolved(file, item))) : [undefined]
  if (items.every((item) => item !== undefined)) return items.join(',')
  problem(file, value ?? key, `\`${nameOf(key)}\` needs a text or a list of texts`)
  return ''
}

/** One key of a section: a parameter, a section, or several. */
function member(
  file: File,
  { key, value }: KeyValue,
  into: { params: Setting[]; children: Element[]; depth: number },
): void {
  const word = nameOf(key)
  const name = Object.hasOwn(reservedKeys, word) ? reservedKeys[word]! : word
  const node = resolved(file, value)
  const depth = into.depth + 1
  const json = tagOf(node) === '!fluent/json'
  if (!json && isMap(node)) {
    into.children.push(section(file, { name, map: node, key, depth }))
    return
  }
  const first = !json && isSeq(node) ? resolved(file, node.items[0] ?? null) : undefined
  if (isMap(first) || isSeq(first)) {
    for (const item of (node as YAMLSeq).items) {
      const map = resolved(file, item)
      if (isMap(map)) into.children.push(section(file, { name, map, key: item, depth }))
      else problem(file, item, `each item of \`${word}\` must be a map, as the first one is`)
    }
    return
  }
  const where = {
    namePosition: positionOf(file, key),
    valuePosition: positionOf(file, value ?? key),
  }
  if (isSeq(node) || json) into.params.push({ name, value: jsonOf(file, node), ...where })
  else if (isScalar(node)) into.params.push({ name, ...scalarOf(file, node), ...where })
  else into.params.push({ name, value: undefined, typed: null, ...where })
}

function jsonOf(file: File, node: Node): string {
  try {
    const value = (node as YAMLSeq).toJS(file.document, { maxAliasCount: 100 }) as unknown
    return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? Number(item) : item))
  } catch (thrown) {
    throw fault(file, node, `the list is broken: ${(thrown as Error).message}`)
  }
}

function scalarOf(file: File, node: Scalar): Pick<Setting, 'value' | 'useDefault' | 'typed'> {
  const text = node.source ?? String(node.value)
  if (tagOf(node) === '!fluent/s') return interpolated(file, node, text)
  if (tagOf(node) === '!include')
    throw fault(file, node, '!include stands for sections of `config:`')
  const { value } = node
  if (value === null) return { value: undefined, typed: null }
  // YAML 1.1 has y and n for booleans; Ruby's YAML reads them as text.
  if (typeof value === 'boolean') {
    return /^[yn]$/i.test(text) ? { value: text } : { value: String(value), typed: value }
  }
  if (typeof value === 'number')
    return { value: numberText(value, text), typed: typedNumber(value, text) }
  return { value: typeof value === 'string' ? value : text }
}

/** !fluent/s: every "#{…}" in the text is evaluated. */
function interpolated(
  file: File,
  node: Scalar,
  written: string,
): Pick<Setting, 'value' | 'useDefault'> {
  const text = typeof node.value === 'string' ? node.value : written
  let out = ''
  let from = 0
  for (;;) {
    const start = text.indexOf('#{', from)
    if (start < 0) return { value: out + text.slice(from) }
    out += text.slice(from, start)
    try {
      const outcome = evaluateEmbedded(text, start + 2, file.request.world)
      if (outcome.kind === 'nil') return { value: undefined }
      if (outcome.kind === 'default') return { value: '', useDefault: true }
      out += outcome.text
      from = outcome.end + 1
    } catch (thrown) {
      if (!(thrown instanceof EmbeddedError)) throw thrown
      throw fault(file, node, thrown.message, thrown.hint)
    }
  }
}
