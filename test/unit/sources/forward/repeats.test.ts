import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { MsgValue } from '../../../../src/core/value.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import type { TestClient } from '../../../support/memory-net.ts'
import { acksIn, entries, map, message, packed, type Running, startForward } from './harness.ts'

/** A promise and how to settle it. */
function deferred() {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}

const never = new AbortController().signal
/** Entries {n: 0} to {n: count - 1}. */
const many = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, n) => entries(n)))
const packedMode = (chunk: string, ...numbers: number[]): Buffer =>
  packedOf(chunk, entries(...numbers))
const packedOf = (chunk: string, bytes: Buffer): Buffer =>
  packed(['p', bytes as MsgValue, map({ chunk })])
const forwardMode = (chunk: string, ...numbers: number[]): Buffer =>
  packed(['f', numbers.map((n) => [1_700_000_000, map({ n })]), map({ chunk })])
const gzipped = (chunk: string, ...numbers: number[]): Buffer =>
  gzippedOf(chunk, entries(...numbers))
const gzippedOf = (chunk: string, bytes: Buffer): Buffer =>
  packed(['z', gzipSync(bytes), map({ compressed: 'gzip', chunk })])

function repeated({ host }: Running): number {
  return host.metrics.value('sluice_input_repeated_messages_total')
}

/** Sends on a connection of its own; what acks came. */
async function send(running: Running, bytes: Uint8Array, address?: string): Promise<string[]> {
  const client = running.client(address === undefined ? {} : { address })
  client.send(bytes)
  await running.host.clock.settle()
  return acksIn(client)
}

describe('a message that comes again on a new connection', () => {
  it.each<[string, Buffer, string[]]>([
    ['Message mode', message(1, { chunk: 'x' }), ['x']],
    [
      'Message mode, many',
      Buffer.concat([1, 2, 3].map((n) => message(n, { chunk: `c${n}` }))),
      ['c1', 'c2', 'c3'],
    ],
    ['Forward mode', forwardMode('x', 1, 2), ['x']],
    ['PackedForward', packedMode('x', 1, 2), ['x']],
    ['compressed', gzipped('x', 1, 2), ['x']],
    ['PackedForward over several runs', packedOf('x', many(40_000)), ['x']],
    ['compressed, much', gzippedOf('x', many(120_000)), ['x']],
  ])('%s: is acknowledged, and taken once', async (_mode, bytes, acks) => {
    const running = await startForward()
    expect(await sendUntilAcked(running, bytes, acks.length)).toEqual(acks)
    const once = running.lines()
    expect(await sendUntilAcked(running, bytes, acks.length)).toEqual(acks)
    expect(running.lines()).toEqual(once)
    expect(repeated(running)).toBe(acks.length)
  })

  it.each<[string, Buffer, Buffer, string]>([
    ['other events', message(1, { chunk: 'x' }), message(2, { chunk: 'x' }), 'one'],
    ['another tag', message(1, { chunk: 'x' }), message(1, { chunk: 'x', tag: 'other' }), 'one'],
    ['another id', packedMode('x', 1), packedMode('y', 1), 'one'],
    ['no id', message(1), message(1), 'one'],
    ['another address', message(1, { chunk: 'x' }), message(1, { chunk: 'x' }), 'two'],
  ])('%s: is another message', async (_what, first, second, address) => {
    const running = await startForward()
    await send(running, first, '192.0.2.1')
    await send(running, second, address === 'one' ? '192.0.2.1' : '192.0.2.2')
    expect(running.lines()).toHaveLength(2)
    expect(repeated(running)).toBe(0)
  })

  it('is taken again with know_repeats false', async () => {
    const running = await startForward({ knowRepeats: false })
    await send(running, message(1, { chunk: 'x' }))
    expect(await send(running, message(1, { chunk: 'x' }))).toEqual(['x'])
    expect(running.lines()).toHaveLength(2)
  })

  it('in the midst of new ones: these are taken, acks leave in order', async () => {
    const running = await startForward()
    await send(running, message(2, { chunk: 'b' }))
    const all = ['a', 'b', 'c'].map((chunk, i) => message(i + 1, { chunk }))
    expect(await send(running, Buffer.concat(all))).toEqual(['a', 'b', 'c'])
    expect(running.lines().map((line) => line.at(-2))).toEqual(['2', '1', '3'])
  })

  it('in the midst of new ones, while another client sends: each keeps its own events', async () => {
    const running = await startForward()
    await send(running, message(2, { chunk: 'b' }), '192.0.2.1')
    const [first, second] = [
      running.client({ address: '192.0.2.1' }),
      running.client({ address: '192.0.2.2' }),
    ]
    first.send(Buffer.concat(['a', 'b', 'c'].map((chunk, i) => message(i + 1, { chunk }))))
    // Ends of messages that lie elsewhere than those of the first.
    second.send(Buffer.concat([1000, 2000, 3000].map((n) => message(n, { chunk: `d${n}` }))))
    await running.host.clock.settle()
    expect([acksIn(first), acksIn(second)]).toEqual([
      ['a', 'b', 'c'],
      ['d1000', 'd2000', 'd3000'],
    ])
    const numbers = running.lines().map((line) => JSON.parse(line.split(' ')[2]!).n as number)
    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 1000, 2000, 3000])
    expect(repeated(running)).toBe(1)
  })

  it('is taken again when the client sends it twice on one connection, as some do on purpose', async () => {
    const running = await startForward()
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    client.send(message(1, { chunk: 'x' }))
    await running.host.clock.settle()
    expect(acksIn(client)).toEqual(['x', 'x'])
    expect(running.lines()).toHaveLength(2)
  })
})

describe('a repeat of a message that is on its way', () => {
  it.each<[string, Buffer]>([
    ['Message mode', message(1, { chunk: 'x' })],
    ['PackedForward', packedMode('x', 1)],
    ['compressed', gzipped('x', 1)],
  ])('%s: waits for it, and is acknowledged when it is safe', async (_mode, bytes) => {
    const running = await startForward()
    const slow = deferred()
    running.answer = () => slow.promise
    const [first, second] = [running.client(), running.client()]
    first.send(bytes)
    second.send(bytes)
    await running.host.clock.settle()
    expect(acksIn(second)).toEqual([])
    slow.resolve()
    await running.host.clock.settle()
    expect([acksIn(first), acksIn(second)]).toEqual([['x'], ['x']])
    expect(running.lines()).toHaveLength(1)
  })

  it.each<[string, Buffer]>([
    ['Message mode', message(1, { chunk: 'x' })],
    ['PackedForward', packedMode('x', 1)],
    ['compressed', gzipped('x', 1)],
  ])('%s: goes in its place when that fails', async (_mode, bytes) => {
    const running = await startForward()
    const slow = deferred()
    running.answer = () => slow.promise
    const [first, second] = [running.client(), running.client()]
    first.send(bytes)
    second.send(bytes)
    await running.host.clock.settle()
    running.answer = () => undefined
    slow.reject(new Error('full'))
    await untilAcked(running, second, 1)
    expect([acksIn(first), acksIn(second)]).toEqual([[], ['x']])
    expect(running.lines()).toHaveLength(2)
  })

  it('goes in its place when the first connection breaks in the midst of it', async () => {
    const running = await startForward()
    const first = running.client()
    const bytes = gzippedOf('x', many(120_000))
    first.send(bytes)
    first.destroy()
    expect(await sendUntilAcked(running, bytes, 1)).toEqual(['x'])
    expect(repeated(running)).toBe(0)
  })
})

describe('the memory', () => {
  it('is bounded: the oldest are forgotten first', async () => {
    const running = await startForward({ repeatsLimit: 2 })
    for (const chunk of ['a', 'b', 'c']) await send(running, message(1, { chunk }))
    for (const chunk of ['c', 'b', 'a']) await send(running, message(1, { chunk }))
    expect(running.lines()).toHaveLength(4)
  })

  it('forgets after repeats_age', async () => {
    const running = await startForward({ repeatsAge: 60 })
    await send(running, message(1, { chunk: 'a' }))
    await running.host.clock.advance(59_000)
    await send(running, message(1, { chunk: 'a' }))
    expect(running.lines()).toHaveLength(1)
    await running.host.clock.advance(2_000)
    await send(running, message(1, { chunk: 'a' }))
    expect(running.lines()).toHaveLength(2)
  })

  it('does not keep ids that are longer than anybody has them', async () => {
    const running = await startForward()
    const chunk = 'x'.repeat(5_000)
    await send(running, message(1, { chunk }))
    await send(running, message(1, { chunk }))
    expect(running.lines()).toHaveLength(2)
  })
})

describe('over a restart', () => {
  it.each<[string, Record<string, unknown>, string | undefined]>([
    ['root_dir', {}, '/var/lib/sluice'],
    ['repeats_path', { repeatsPath: '/var/lib/sluice/worker0/forward_0/repeats' }, undefined],
  ])('%s: repeats are known', async (_how, params, rootDir) => {
    const host = createFakeHost()
    const first = await startForward(params, host, rootDir)
    await send(first, Buffer.concat([message(1, { chunk: 'a' }), packedMode('b', 2, 3)]))
    await stop(first)
    expect(host.disk.paths()).toContain('/var/lib/sluice/worker0/forward_0/repeats/0')
    const second = await startForward(params, host, rootDir)
    expect(await send(second, packedMode('b', 2, 3))).toEqual(['b'])
    expect(await send(second, message(1, { chunk: 'a' }))).toEqual(['a'])
    expect(second.lines()).toEqual([])
    await stop(second)
  })

  it('after a kill: what was acknowledged is known', async () => {
    const host = createFakeHost()
    const first = await startForward({}, host, '/r')
    expect(await send(first, message(1, { chunk: 'a' }))).toEqual(['a'])
    // No stop.
    const second = await startForward({}, host, '/r')
    expect(await send(second, message(1, { chunk: 'a' }))).toEqual(['a'])
    expect(second.lines()).toEqual([])
  })

  it('a directory that cannot be used is said, and the source runs', async () => {
    const host = createFakeHost()
    host.disk.put('/r/worker0/forward_0', 'a file')
    const running = await startForward({}, host, '/r')
    expect(host.log.messages('warn')).toEqual([
      'repeats of these messages will not be known after a restart',
    ])
    expect(await send(running, message(1, { chunk: 'a' }))).toEqual(['a'])
  })
})

async function stop({ source, host }: Running): Promise<void> {
  const stopped = source.stop(never)
  await host.clock.advance(2_000)
  await stopped
}

async function sendUntilAcked(running: Running, bytes: Uint8Array, count: number) {
  const client = running.client()
  client.send(bytes)
  await untilAcked(running, client, count)
  return acksIn(client)
}

/** What is inflated off the event loop takes real time, and more on a machine that has other work. */
async function untilAcked(running: Running, client: TestClient, count: number): Promise<void> {
  const endMs = Date.now() + 4_000
  while (Date.now() < endMs && acksIn(client).length < count) {
    await running.host.clock.settle()
  }
}
