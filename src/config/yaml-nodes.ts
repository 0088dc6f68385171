import type { Document, Pair, Scalar, YAMLMap } from 'yaml'
import { ConfigError, type Position } from '../core/errors.ts'
import type { Findings } from './diagnostics.ts'
import { configLimits } from './limits.ts'
import type { SourceText } from './source-text.ts'
import { isAlias, isMap, isScalar, isSeq } from './yaml-library.ts'

/** Walking the yaml package's nodes: places, aliases, merged maps, all bounded. */

/** A file while it is read. */
export interface YamlFile {
  readonly source: SourceText
  readonly document: Document
  readonly findings: Findings
  readonly budget: { nodes: number }
}

/** Any node of the yaml package, or null. */
export type Node = unknown

export function positionOf(file: YamlFile, node: Node): Position {
  const range = (node as { range?: readonly number[] | null } | null)?.range
  const start = range?.[0] ?? 0
  return file.source.position(start, Math.max(1, (range?.[1] ?? start + 1) - start))
}

export function fault(file: YamlFile, node: Node, message: string, hint?: string): ConfigError {
  const position = positionOf(file, node)
  return new ConfigError(message, hint === undefined ? { position } : { position, hint })
}

export function problem(file: YamlFile, node: Node, message: string, hint?: string): void {
  file.findings.errors.push(fault(file, node, message, hint))
}

/** Follows an alias. The count bounds what aliases of aliases may make of a small file. */
export function resolved(file: YamlFile, node: Node): Node {
  if (++file.budget.nodes > configLimits.nodes) {
    throw fault(file, node, `more than ${configLimits.nodes} sections and parameters`)
  }
  if (!isAlias(node)) return node
  const target = node.resolve(file.document)
  if (target === undefined) throw fault(file, node, `the alias *${node.source} has no anchor`)
  return target
}

export interface KeyValue {
  readonly key: Scalar
  readonly value: Node
}

/** A key as written: `n` and `on` are words here, whatever YAML 1.1 makes of them. */
export function nameOf(key: Scalar): string {
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
}

/** The pairs of a map with `<<` merged in: what stands in the map itself counts. */
export function pairsOf(file: YamlFile, map: YAMLMap, depth: number): KeyValue[] {
  if (depth > configLimits.depth) {
    throw fault(file, map, `maps are nested deeper than ${configLimits.depth}`)
  }
  const own: KeyValue[] = []
  const merged: KeyValue[] = []
  for (const { key, value } of map.items as Pair[]) {
    const name = isScalar(key) ? key.value : undefined
    if (!isScalar(key)) problem(file, key, 'a key must be a plain word')
    else if (name === '<<' || typeof name === 'symbol') merged.push(...mergeOf(file, value, depth))
    else own.push({ key, value })
  }
  const names = new Set(own.map(({ key }) => nameOf(key)))
  return [...merged.filter(({ key }) => !names.has(nameOf(key))), ...own]
}

function mergeOf(file: YamlFile, value: Node, depth: number): KeyValue[] {
  const target = resolved(file, value)
  if (isMap(target)) return pairsOf(file, target, depth + 1)
  if (isSeq(target)) return target.items.flatMap((item) => mergeOf(file, item, depth + 1))
  problem(file, value, '`<<` takes a map')
  return []
}

export function tagOf(node: Node): string | undefined {
  return (node as { tag?: string } | null)?.tag
}
