import { describe, expect, it } from 'vitest'
import { Division, refusalsInARowLimit, refusalsLimit } from '../../../src/buffer/division.ts'
import { PermanentError, type RefusedBecause } from '../../../src/core/errors.ts'
import type { Chunk } from '../../../src/core/output.ts'
import { encode } from '../../../src/msgpack/encode.ts'

function chunkOf(events: readonly Uint8Array[], pieceBytes = 7): Chunk {
  const whole = Buffer.concat(events)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < whole.length; at += pieceBytes) {
    pieces.push(whole.subarray(at, at + pieceBytes))
  }
  return {
    id: 'ab'.repeat(16),
    metadata: { timekey: undefined, tag: 't', variables: undefined },
    sizeBytes: whole.length,
    count: events.length,
    createdMs: 0,
    modifiedMs: 0,
    read: async () => pieces,
  }
}

const lines = (count: number) =>
  Array.from({ length: count }, (_, i) => Buffer.from(`event ${i}\n`))
const textOf = async (chunk: Chunk) => Buffer.concat(await chunk.read()).toString()

const refusal = (because: RefusedBecause = 'events') =>
  new PermanentError('http_400', 'no', { because })

/** A destination that takes no chunk with one of these events in it, and none above a size. */
function destination(bad: readonly number[], limitBytes = Number.POSITIVE_INFINITY) {
  const taken: string[] = []
  const ids: string[] = []
  let requests = 0
  return {
    taken,
    ids,
    requests: () => requests,
    async write(chunk: Chunk) {
      requests += 1
      ids.push(chunk.id)
      const text = await textOf(chunk)
      if (chunk.sizeBytes > limitBytes) throw refusal('size')
      if (bad.some((event) => text.includes(`event ${event}\n`))) throw refusal()
      taken.push(text)
    },
  }
}

describe('a chunk that is refused for some of its events', () => {
  it.each([
    ['one of two', 2, [1]],
    ['the first', 100, [0]],
    ['the last', 100, [99]],
    ['several', 100, [3, 4, 50, 98]],
    ['all of three', 3, [0, 1, 2]],
  ])('%s: the rest arrives, in order', async (_name, count, bad) => {
    const chunk = chunkOf(lines(count))
    const there = destination(bad)
    const division = await Division.of(chunk, '\n', refusal())
    await division!.run(there.write)
    const good = lines(count).filter((_, i) => !bad.includes(i))
    expect(there.taken.join('')).toBe(Buffer.concat(good).toString())
    expect(division!.delivered).toBe(count - bad.length)
    const refused = await division!.remainder()
    expect(await textOf(refused)).toBe(bad.map((i) => `event ${i}\n`).join(''))
    expect(refused).toMatchObject({ id: chunk.id, count: bad.length })
    expect(division!.refusals()).toHaveLength(bad.length)
  })

  it('one of a thousand costs two requests for each halving', async () => {
    const there = destination([617])
    const division = await Division.of(chunkOf(lines(1024)), '\n', refusal())
    await division!.run(there.write)
    expect(there.requests()).toBeLessThanOrEqual(20)
  })

  it('all refused: it is given up after so many in a row', async () => {
    const count = 10_000
    const there = destination(Array.from({ length: count }, (_, i) => i))
    let requests = 0
    const division = await Division.of(chunkOf(lines(count), 4096), '\n', refusal())
    await division!.run(async () => {
      requests += 1
      throw refusal()
    })
    expect(there.taken).toEqual([])
    expect(requests).toBe(refusalsInARowLimit - 1)
    expect(division!.refusedEvents).toBe(count)
    expect((await division!.remainder()).count).toBe(count)
  })

  it('every other one refused: the requests have a limit', async () => {
    const count = 4096
    const there = destination(Array.from({ length: count / 2 }, (_, i) => i * 2))
    const division = await Division.of(chunkOf(lines(count), 1024), '\n', refusal())
    await division!.run(there.write)
    expect(there.requests()).toBeLessThan(2 * refusalsLimit)
    expect(division!.delivered + division!.refusedEvents).toBe(count)
  })

  it('too large: smaller parts, and nothing that is as large is tried again', async () => {
    const there = destination([], 100)
    const division = await Division.of(chunkOf(lines(64)), '\n', refusal('size'))
    await division!.run(there.write)
    expect(there.taken.join('')).toBe(Buffer.concat(lines(64)).toString())
    expect(there.requests() - there.taken.length).toBeLessThanOrEqual(6)
    expect(division!.error).toBe(undefined)
  })

  it('a failure in between: it goes on where it was, with the same ids', async () => {
    const there = destination([5])
    let fails = 3
    const division = await Division.of(chunkOf(lines(16)), '\n', refusal())
    const write = async (part: Chunk) => {
      fails -= 1
      if (fails === 0) {
        there.ids.push(part.id)
        throw new Error('gone')
      }
      await there.write(part)
    }
    await expect(division!.run(write)).rejects.toThrow('gone')
    const failed = there.ids.at(-1)
    const left = await textOf(await division!.remainder())
    expect(there.taken.join('') + left).toBe(Buffer.concat(lines(16)).toString())
    const next = there.ids.length
    await division!.run(write)
    expect(there.ids[next]).toBe(failed)
    expect(division!.delivered).toBe(15)
    expect(there.taken.join('')).not.toContain('event 5\n')
  })

  it('whatever is in it, from now on: nothing else is tried', async () => {
    let requests = 0
    const division = await Division.of(chunkOf(lines(8)), '\n', refusal())
    await division!.run(async () => {
      requests += 1
      throw refusal('chunk')
    })
    expect(requests).toBe(1)
    expect(division!.refusedEvents).toBe(8)
  })

  it('MessagePack and JSON with commas are cut at their own ends', async () => {
    const values = [0, 1, 2, 3].map((n) => encode([n, new Map([['text', 'a\nb'.repeat(n)]])]))
    for (const [events, end] of [
      [values, 'msgpack'],
      [['{"a":1}\n,', '{}\n,', '{"b":[2]}\n,'].map((text) => Buffer.from(text)), '\n,'],
    ] as const) {
      const division = await Division.of(chunkOf(events), end, refusal())
      const parts: string[] = []
      await division!.run(async (part) => {
        if (part.count > 1) throw refusal()
        parts.push(await textOf(part))
      })
      expect(parts).toEqual(events.map((bytes) => Buffer.from(bytes).toString()))
    }
  })

  it.each([
    ['its end is not known', lines(2), undefined, refusal()],
    ['there is one event', lines(1), '\n', refusal()],
    ['an event has a newline inside', [Buffer.from('a\nb\n'), Buffer.from('c\n')], '\n', refusal()],
    ['it is not MessagePack', [Buffer.from([0xc1]), Buffer.from([0xc1])], 'msgpack', refusal()],
    ['any content is refused', lines(2), '\n', refusal('chunk')],
    ['it may be retried', lines(2), '\n', new Error('later')],
  ] as const)('stays whole where %s', async (_name, events, end, error) => {
    expect(await Division.of(chunkOf(events), end, error)).toBe(undefined)
  })
})
