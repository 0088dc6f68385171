import { randomUUID } from 'node:crypto'
import { posix } from 'node:path'
import type { AppConfig } from '../app.ts'
import type { Element, Setting } from '../config/element.ts'
import type { SystemConfig } from '../config/index.ts'

/**
 * <system> with_source_only (lib/fluent/source_only_buffer_agent.rb): at first only sources run, and what they receive goes to
 * file buffers. SIGWINCH ends it: the whole configuration is put in place by a reload, which keeps the sources and their
 * connections, and with it outputs that hand on what the buffers hold. Unlike in Fluentd events of a source with a
 * @label go to that label.
 */
export type SourceOnlyPhase = 'holding' | 'loading'

const defaultRoot = '/tmp/fluent'

/** One directory for all workers of one start. Starts of workers find it in the environment. */
export function sourceOnlyPath(system: SystemConfig | undefined, env: NodeJS.ProcessEnv): string {
  env.FLUENT_INSTANCE_ID ??= randomUUID()
  const given = system?.sourceOnlyBuffer?.path
  return (
    given ??
    posix.join(system?.rootDir ?? defaultRoot, 'source-only-buffer', env.FLUENT_INSTANCE_ID)
  )
}

/** What runs in that phase, of a configuration that was read. */
export function sourceOnlyConfig(
  config: AppConfig,
  of: { phase: SourceOnlyPhase; path: string; system: SystemConfig | undefined },
): AppConfig {
  const { root } = config
  const labels = [...labelsOf(root.children)]
  const outputs = labels.map((label) => bufferOutput(root, label, of))
  const children = of.phase === 'holding' ? holding(root, labels, outputs) : [...root.children]
  if (of.phase === 'loading') {
    // Nothing is sent to these labels: their outputs only hand on what they find.
    children.push(
      ...outputs.map((output, i) => element(root, 'label', [], [output], `@_source_only${i}`)),
    )
  }
  return { ...config, root: { ...root, children } }
}

/** The sources alone, with outputs that keep what comes, in place of each way that events could go. */
function holding(root: Element, labels: readonly string[], outputs: readonly Element[]): Element[] {
  const kept = root.children.flatMap((child) => {
    if (child.name === 'source' || child.name === 'system') return [child]
    if (child.name !== 'worker') return []
    return [{ ...child, children: child.children.filter(({ name }) => name === 'source') }]
  })
  const ways = labels.map((label, i) =>
    label === '@ROOT' ? outputs[i]! : element(root, 'label', [], [outputs[i]!], label),
  )
  return [...kept, ...ways]
}

/** Where sources send their events. */
function labelsOf(children: readonly Element[], found = new Set(['@ROOT'])): Set<string> {
  for (const child of children) {
    if (child.name === 'worker') labelsOf(child.children, found)
    if (child.name !== 'source') continue
    const label = child.params.findLast(({ name }) => name === '@label')?.value
    if (label !== undefined) found.add(label)
  }
  return found
}

function bufferOutput(
  root: Element,
  label: string,
  { phase, path, system }: Parameters<typeof sourceOnlyConfig>[1],
): Element {
  const loading = phase === 'loading'
  const given = system?.sourceOnlyBuffer
  const written = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [setting(root, name, String(value))]
  const buffer = [
    ...written('@type', 'file'),
    ...written('path', label === '@ROOT' ? path : `${path}.${encodeURIComponent(label)}`),
    ...written('flush_mode', loading ? 'interval' : 'lazy'),
    ...written('flush_interval', loading ? given?.flushInterval : undefined),
    ...written('flush_at_shutdown', String(loading)),
    ...written('flush_thread_count', loading ? given?.flushThreadCount : undefined),
    ...written('overflow_action', given?.overflowAction ?? 'drop_oldest_chunk'),
    ...written('chunk_limit_size', given?.chunkLimitSize),
    ...written('total_limit_size', given?.totalLimitSize),
    ...written('compress', given?.compress),
  ]
  const params = [
    ...written('@type', 'buffer'),
    ...written('@label', loading ? label : '@ROOT'),
    ...written('hold', String(!loading)),
  ]
  return element(root, 'match', params, [element(root, 'buffer', buffer, [], 'tag')], '**')
}

function setting({ position }: Element, name: string, value: string): Setting {
  return { name, value, namePosition: position, valuePosition: position }
}

function element(
  { position }: Element,
  name: string,
  params: readonly Setting[],
  children: readonly Element[],
  argument: string,
): Element {
  return { name, argument, params, children, position, argumentPosition: position }
}
