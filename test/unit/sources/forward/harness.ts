import type { PluginContext } from '../../../../src/config/define.ts'
import type { Batch } from '../../../../src/core/batch.ts'
import type { MsgMap, MsgValue } from '../../../../src/core/value.ts'
import { EventTime, MsgFloat, RawString } from '../../../../src/core/value.ts'
import { loadKernel } from '../../../../src/host/load-kernel.ts'
import { createKernel } from '../../../../src/kernel/index.ts'
import { encode } from '../../../../src/msgpack/encode.ts'
import { decodeBatch } from '../../../../src/msgpack/entries.ts'
import { type ForwardParams, settingsOf } from '../../../../src/sources/forward/settings.ts'
import { shape } from '../../../../src/sources/forward/shape.ts'
import { ForwardSource } from '../../../../src/sources/forward/source.ts'
import { createFakeHost, type FakeHost } from '../../../support/fake-host.ts'
import type { TestClient } from '../../../support/memory-net.ts'
import { poisoned } from '../../../support/poisoned-kernel.ts'

/**
 * One for all tests of a file, as one serves all connections: each takes gigabytes of address
 * space.
 */
const kernel = poisoned(createKernel(loadKernel()))

/** A batch as it was emitted, copied. */
export interface Emitted {
  readonly tag: string
  readonly count: number
  /** `TAG SECONDS.NANOSECONDS {json}` of each event. */
  readonly lines: readonly string[]
}

export interface Running {
  readonly host: FakeHost
  readonly source: ForwardSource
  readonly emitted: Emitted[]
  /** All lines of all batches. */
  lines(): string[]
  /** Set: what emit answers. */
  answer: (batch: Batch) => void | Promise<void>
  client(from?: { address?: string }): TestClient
  readonly port: number
}

/** The source's parameters with their defaults, and these in their place (camelCase). */
export function paramsWith(
  overrides: Partial<Record<keyof ForwardParams, unknown>>,
): ForwardParams {
  const params: Record<string, unknown> = {}
  for (const [name, param] of Object.entries(shape.params)) {
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    params[camel] = (param.options as { default?: unknown }).default
  }
  return { ...params, port: 0, ...overrides } as unknown as ForwardParams
}

/** A forward source over sockets in memory, with the real kernel behind it. */
export async function startForward(
  overrides: Partial<Record<keyof ForwardParams, unknown>> = {},
  host = createFakeHost(),
  rootDir?: string,
): Promise<Running> {
  const emitted: Emitted[] = []
  const running = { answer: () => undefined } as unknown as {
    -readonly [K in keyof Running]: Running[K]
  }
  const router = {
    emit(batch: Batch) {
      emitted.push({ tag: batch.tag, count: batch.count, lines: linesOf(batch) })
      return running.answer(batch)
    },
  }
  const context = {
    host,
    id: 'forward_0',
    type: 'forward',
    log: host.log.child({ id: 'forward_0' }),
    kernel,
    router,
    system: { workers: 1, workerId: 0, rootDir },
  } as unknown as PluginContext
  const source = new ForwardSource(settingsOf(paramsWith(overrides)), context)
  await source.start()
  const address = source.address
  const port = address?.kind === 'tcp' ? address.port : 0
  return Object.assign(running, {
    host,
    source,
    emitted,
    port,
    lines: () => emitted.flatMap((batch) => batch.lines),
    client: (from?: { address?: string }) =>
      host.net.client(address?.kind === 'unix' ? address.path : port, from),
  })
}

function linesOf(batch: Batch): string[] {
  const events = decodeBatch(batch)
  if (events.length !== batch.count) {
    throw new Error(`a batch of ${batch.count} events holds ${events.length}`)
  }
  return events.map(({ time, record }) => {
    const fraction =
      time.nanoseconds === undefined ? '' : `.${String(time.nanoseconds).padStart(9, '0')}`
    return `${batch.tag} ${time.seconds}${fraction} ${JSON.stringify(plain(record))}`
  })
}

/** A value as JSON shows it; what JSON has not, in words. */
export function plain(value: MsgValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(plain(key)), plain(item)]))
  }
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof MsgFloat) return `float ${value.value}`
  if (value instanceof RawString) return `raw ${Buffer.from(value.bytes).toString('hex')}`
  if (value instanceof Uint8Array) return `bin ${Buffer.from(value).toString('hex')}`
  if (value instanceof EventTime) return `time ${value.seconds}.${value.nanoseconds}`
  if (typeof value === 'bigint') return `big ${value}`
  return value
}

export function map(fields: Record<string, MsgValue>): MsgMap {
  return new Map(Object.entries(fields))
}

/** A message as bytes. */
export function packed(...values: MsgValue[]): Buffer {
  return Buffer.concat(values.map((value) => encode(value)))
}

/** [tag, 1700000000, {n}, {chunk}?] */
export function message(n: number, options: { tag?: MsgValue; chunk?: MsgValue } = {}): Buffer {
  const { tag = 'a.b', chunk } = options
  const parts: MsgValue[] = [tag, 1_700_000_000, map({ n })]
  return packed(chunk === undefined ? parts : [...parts, map({ chunk })])
}

/** Entries [1700000000, {n}] end to end. */
export function entries(...numbers: number[]): Buffer {
  return packed(...numbers.map((n) => [1_700_000_000, map({ n })]))
}

/** What `client` got, as the chunk values of its acks. */
export function acksIn(client: TestClient): string[] {
  return [
    ...Buffer.from(client.received())
      .toString('latin1')
      .matchAll(/\x81\xa3ack(.[\x20-\x7e]*)/gs),
  ].map((match) => match[1]!.slice(1))
}
