import { describe, expect, it } from 'vitest'
import type { CompressedStep, Framer, Step } from '../../../src/kernel/types.ts'
import { cut, hex, newKernel, now, options } from './framing.ts'

const kernel = newKernel()

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** [time i, {"k": text of `length`}] */
const entryOf = (i: number, length: number): Buffer =>
  Buffer.concat([
    hex('92ce'),
    uint32(i + 1),
    hex('81a16bdb'),
    uint32(length),
    Buffer.alloc(length, 0x78),
  ])

const entriesOf = (count: number, length: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => entryOf(i, length)))

const chunk = hex('81a56368756e6ba178')
const packedMessage = (entries: Buffer): Buffer =>
  Buffer.concat([hex('93a161c6'), uint32(entries.length), entries, chunk])
const forwardMessage = (count: number, entries: Buffer): Buffer =>
  Buffer.concat([hex('93a161dd'), uint32(count), entries, chunk])

interface Seen {
  packed: Buffer
  count: number
  invalid: number
  runs: number
  acks: number
  messages: number
  wireBytes: number
  largestRun: number
  partialLast: boolean
}

const nothing = (): Seen => ({
  packed: Buffer.alloc(0),
  count: 0,
  invalid: 0,
  runs: 0,
  acks: 0,
  messages: 0,
  wireBytes: 0,
  largestRun: 0,
  partialLast: true,
})

const takeAll = (
  framer: Framer,
  pieces: Iterable<Uint8Array>,
  between: () => void = () => undefined,
): Seen => {
  const seen = nothing()
  const parts: Buffer[] = []
  for (const piece of pieces) {
    framer.feed(piece)
    for (let step = framer.next(now); step; step = framer.next(now)) {
      if (step.kind !== 'run') throw new Error(`${step.kind} was not expected`)
      parts.push(Buffer.from(step.packed))
      seen.count += step.count
      seen.invalid += step.invalid
      seen.runs++
      seen.acks += step.ackCount
      seen.messages += step.messages
      seen.wireBytes += step.wireBytes
      seen.largestRun = Math.max(seen.largestRun, step.packed.length)
      seen.partialLast = step.partial
      between()
    }
  }
  seen.packed = Buffer.concat(parts)
  return seen
}

describe('large messages', () => {
  const small = Buffer.from(hex('94a161ce6553f10081a16b0180'))

  it.each([
    ['fits beside the headroom', 300_000, 65_536],
    ['fits the kernel', 700_000, 65_536],
    ['needs a larger kernel', 3_000_000, 65_536],
    ['comes in odd pieces', 3_000_000, 4_001],
    ['comes at once', 3_000_000, 10_000_000],
  ])('%s', (_name, size, piece) => {
    const entries = entriesOf(Math.ceil(size / 1000), 980)
    const count = entries.length / entryOf(0, 980).length
    for (const message of [packedMessage(entries), forwardMessage(count, entries)]) {
      const framer = kernel.createFramer(options)
      const seen = takeAll(framer, cut(Buffer.concat([small, message, small]), piece))
      expect(seen.count).toBe(count + 2)
      expect(seen.acks).toBe(1)
      expect(seen.messages).toBe(3)
      expect(seen.wireBytes).toBe(message.length + 2 * small.length)
      expect(seen.largestRun).toBeLessThanOrEqual(256 * 1024 + 1000)
      const parts = [hex('92ce6553f10081a16b01'), entries, hex('92ce6553f10081a16b01')]
      expect(seen.packed.equals(Buffer.concat(parts))).toBe(true)
      expect(framer.unfinishedBytes).toBe(0)
    }
  })

  it('one entry of 5 MB', () => {
    const entries = entryOf(1, 5_000_000)
    const framer = kernel.createFramer(options)
    const message = Buffer.concat([hex('94a161'), entries.subarray(1), chunk])
    for (const bytes of [packedMessage(entries), forwardMessage(1, entries), message]) {
      const seen = takeAll(framer, cut(bytes, 60_000))
      expect(seen.packed.equals(entries)).toBe(true)
      expect(seen.acks).toBe(1)
    }
  })

  it.each([700, 3000])('while %i entries are handed on, others use the kernel', (count) => {
    const entries = entriesOf(count, 980)
    const framer = kernel.createFramer(options)
    const other = kernel.createFramer(options)
    const pieces = cut(Buffer.concat([packedMessage(entries), small]), 65_536)
    const seen = takeAll(framer, pieces, () => {
      framer.hold()
      kernel.readArea.fill(0xc1)
      other.feed(small)
      expect(other.next(now)).toMatchObject({ kind: 'run', count: 1 })
      expect(other.next(now)).toBeUndefined()
    })
    expect(seen).toMatchObject({ count: count + 1, acks: 1, messages: 2 })
    expect(seen.packed.subarray(0, entries.length).equals(entries)).toBe(true)
  })

  it('bytes fed while steps are still to be taken wait their turn', () => {
    const framer = kernel.createFramer(options)
    framer.feed(Buffer.concat([small, hex('c0'), small]))
    framer.feed(small)
    const kinds: string[] = []
    for (let step = framer.next(now); step; step = framer.next(now)) kinds.push(step.kind)
    expect(kinds).toEqual(['run', 'note', 'run', 'run'])
  })

  it('18 MB cost the same however they are cut', () => {
    const entry = entryOf(1, 235)
    const entries = Buffer.alloc(72_000 * entry.length, entry)
    const message = packedMessage(entries)
    const forward = forwardMessage(72_000, entries)
    for (const [bytes, size] of [
      [message, 65_536],
      [forward, 65_536],
      [message, 16],
    ] as const) {
      const framer = kernel.createFramer(options)
      const before = process.cpuUsage()
      expect(takeAll(framer, cut(bytes, size)).count).toBe(72_000)
      const { user, system } = process.cpuUsage(before)
      // Quadratic cost would be minutes; this leaves room for slow machines.
      expect((user + system) / 1e6).toBeLessThan(10)
    }
  })
})

describe('entries that were inflated', () => {
  const of = (): CompressedStep => ({
    kind: 'compressed',
    tag: hex('61'),
    codec: 'gzip',
    payload: hex(''),
    ack: hex('81a361636ba178'),
    wireBytes: 77,
  })
  const compressed = Buffer.from(
    hex('93a161c4021f8b82aa636f6d70726573736564a4677a6970a56368756e6ba178'),
  )
  const small = Buffer.from(hex('93a161ce6553f10081a16b01'))

  /** All steps after feeding `pieces` as the entries of one message. */
  const inflate = (framer: Framer, pieces: Uint8Array[]): { steps: Step[]; packed: Buffer } => {
    const steps: Step[] = []
    const parts: Buffer[] = []
    const step = of()
    pieces.forEach((piece, i) => {
      framer.feedEntries(piece, step, i === pieces.length - 1)
      for (let next = framer.next(now); next; next = framer.next(now)) {
        steps.push({ ...next })
        if (next.kind === 'run') parts.push(Buffer.from(next.packed))
      }
    })
    return { steps, packed: Buffer.concat(parts) }
  }

  it.each([1_000_000, 70_000, 500])(
    'come in pieces of %i, and the ack comes with the last',
    (size) => {
      const entries = entriesOf(700, 980)
      const framer = kernel.createFramer(options)
      const { steps, packed } = inflate(framer, [...cut(entries, size)])
      expect(packed.equals(entries)).toBe(true)
      const runs = steps.filter((step) => step.kind === 'run')
      expect(runs.map((step) => step.partial).indexOf(false)).toBe(runs.length - 1)
      expect(runs.at(-1)).toMatchObject({ ackCount: 1, messages: 1, wireBytes: 77 })
      expect(runs.slice(0, -1).every((step) => step.ackCount === 0 && step.messages === 0)).toBe(
        true,
      )
    },
  )

  it('go between what came before and after the message', () => {
    const framer = kernel.createFramer(options)
    framer.feed(Buffer.concat([small, compressed, small]))
    expect(framer.next(now)).toMatchObject({ kind: 'run', count: 1 })
    const step = framer.next(now)
    if (step?.kind !== 'compressed') throw new Error('a compressed message was expected')
    framer.feedEntries(entriesOf(3, 5), step, false)
    expect(framer.next(now)).toMatchObject({ count: 3, partial: true, tag: hex('61') })
    expect(framer.next(now)).toBeUndefined()
    framer.feedEntries(new Uint8Array(0), step, true)
    expect(framer.next(now)).toMatchObject({ count: 0, partial: false, ackCount: 1 })
    expect(framer.next(now)).toMatchObject({ count: 1, messages: 1 })
    expect(framer.next(now)).toBeUndefined()
  })

  it('lose a truncated last one', () => {
    const framer = kernel.createFramer(options)
    const entries = entriesOf(2, 5)
    const { steps } = inflate(framer, [entries.subarray(0, entries.length - 1)])
    expect(steps).toMatchObject([{ kind: 'run', count: 1, invalid: 1, ackCount: 1 }])
  })

  it('that are malformed end the connection', () => {
    const framer = kernel.createFramer(options)
    const { steps } = inflate(framer, [entriesOf(2, 5), hex('92c1'), entriesOf(2, 5)])
    expect(steps).toMatchObject([
      { kind: 'run', count: 2, partial: true },
      { kind: 'fatal', code: 'malformed_entries' },
    ])
  })

  it('one entry of 6 MB in pieces of 16 KiB', () => {
    const entry = entryOf(1, 6_000_000)
    const framer = kernel.createFramer(options)
    const { packed } = inflate(framer, [...cut(entry, 16_384)])
    expect(packed.equals(entry)).toBe(true)
  })
})
