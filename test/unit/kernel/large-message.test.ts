import { describe, expect, it } from 'vitest'
import type { FramerOptions, Step } from '../../../src/kernel/types.ts'
import { createSeededRandom } from '../../support/fake-host.ts'
import { hex, newKernel, now, options, toHex } from './framing.ts'

const kernel = newKernel()

const time = 'ce6553f100'
const entry = `92${time}81a16b01`
const count = 80_000
const entries = entry.repeat(count)
const u32 = (value: number) => value.toString(16).padStart(8, '0')
const asBin = (body: string) => `c6${u32(body.length / 2)}${body}`
const asStr = (body: string) => `db${u32(body.length / 2)}${body}`
const asArray = (body: string, n: number) => `dd${u32(n)}${body}`
const chunk = '81a56368756e6ba178'
const ack = '81a361636ba178'

interface Seen {
  readonly steps: string[]
  readonly tag: string
  readonly packed: string
  readonly count: number
  readonly invalid: number
  readonly acks: string
  readonly wireBytes: number
  readonly runs: number
  /** The most that came of one walk. */
  readonly longest: number
}

/** What comes of a message that arrives in pieces, with a small one behind it. */
function see(message: string, some: Partial<FramerOptions> = {}, cut = 200_000): Seen {
  const framer = kernel.createFramer({ ...options, ...some })
  const bytes = Buffer.concat([hex(message), hex(`93a16e${time}80`)])
  const seen = { steps: [] as string[], tag: '', packed: '', count: 0, invalid: 0, acks: '' }
  const sums = { wireBytes: 0, runs: 0, longest: 0 }
  const take = (step: Step) => {
    const name = step.kind === 'note' || step.kind === 'fatal' ? step.code : step.kind
    if (name !== 'run' || seen.steps.at(-1) !== 'run') seen.steps.push(name)
    if (step.kind === 'fatal') return
    if (step.kind !== 'run' || toHex(step.tag) !== '6e') seen.tag = toHex(step.tag)
    if (step.kind !== 'run') {
      if (step.kind === 'compressed') seen.packed = toHex(step.payload)
      return
    }
    if (toHex(step.tag) === '6e') return
    seen.packed += toHex(step.packed)
    seen.count += step.count
    seen.invalid += step.invalid
    seen.acks += toHex(step.acks)
    sums.wireBytes += step.wireBytes
    sums.runs += 1
    sums.longest = Math.max(sums.longest, step.packed.length)
  }
  for (let at = 0; at < bytes.length; at += cut) {
    framer.feed(bytes.subarray(at, at + cut))
    for (let step = framer.next(now); step !== undefined; step = framer.next(now)) {
      take(step)
      if (step.kind === 'compressed') framer.feedEntries(hex(entry), step, true)
    }
  }
  return { ...seen, ...sums }
}

describe('a message that is longer than the input of the kernel', () => {
  it.each<[string, string]>([
    ['Packed, bin', `93a161${asBin(entries)}${chunk}`],
    ['Packed, str', `93a161${asStr(entries)}${chunk}`],
    ['Packed, long heads', `dd00000003db0000000161${asBin(entries)}${chunk}`],
    ['Forward', `93a161${asArray(entries, count)}${chunk}`],
    [
      'Forward, with a nested option',
      `93a161${asArray(entries, count)}82${chunk.slice(2)}a178919291c0c0`,
    ],
    ['with further elements', `95a161${asBin(entries)}${chunk}92c0c001`],
  ])('%s: comes in windows, whole', (_mode, message) => {
    const { steps, packed, runs, longest, ...rest } = see(message)
    const wireBytes = message.length / 2
    expect(rest).toEqual({ tag: '61', count, invalid: 0, acks: ack, wireBytes })
    expect(packed === entries).toBe(true)
    expect(runs).toBeGreaterThan(2)
    expect(longest).toBeLessThan(600_000)
    expect(steps).toEqual(['run'])
  })

  it.each<[string, string, number]>([
    ['Packed', `92a161${asBin(`${entries}01${entries}c0`)}`, 2],
    ['Forward', `92a161${asArray(`${entries}01${entries}90`, 2 * count + 2)}`, 2],
    ['Packed, its last entry cut', `92a161${asBin(entries + entries + entry.slice(0, 8))}`, 1],
  ])('%s: invalid entries are left out', (_mode, message, invalid) => {
    const seen = see(message)
    expect([seen.count, seen.invalid]).toEqual([2 * count, invalid])
    expect(seen.packed === entries + entries).toBe(true)
  })

  it('one record of megabytes', () => {
    const record = `81a16b${asBin('00'.repeat(2_000_000))}`
    const { packed, count: events } = see(`93a161${time}${record}`)
    expect(events).toBe(1)
    expect(packed === `92${time}${record}`).toBe(true)
  })

  it('a tag that is none: every entry is invalid, and it has its ack', () => {
    const seen = see(`9301${asArray(entries, count)}${chunk}`)
    expect([seen.count, seen.invalid, seen.acks]).toEqual([0, count, ack])
  })

  it('compressed: the payload where it lies', () => {
    const option = '82aa636f6d70726573736564a4677a6970a56368756e6ba178'
    const seen = see(`93a161${asBin('1f'.repeat(1_000_000))}${option}`)
    expect(seen.steps).toEqual(['compressed', 'run'])
    expect(seen.packed).toBe('1f'.repeat(1_000_000) + entry)
    expect(seen.acks).toBe(ack)
  })

  it.each<[string, string, string]>([
    ['a value that is no message', asBin('00'.repeat(1_000_000)), 'broken'],
    ['0xc1 among its entries', `92a161${asBin(`${entries}c1${entries}`)}`, 'malformed_entries'],
    ['an option that is none', `93a161${asBin(entries)}01`, 'bad_option'],
  ])('%s', (_what, message, code) => {
    expect(see(message).steps).toContain(code)
  })

  it('is noted above the warn limit, and dropped above the limit', () => {
    const message = `92a161${asBin(entries)}`
    const warned = see(message, { messageWarnBytes: 700_000 })
    expect(warned.steps).toEqual(['large', 'run'])
    expect(warned.tag).toBe('61')
    expect(warned.count).toBe(count)
    for (const limit of [500_000, message.length / 2 - 1]) {
      const dropped = see(message, { messageLimitBytes: limit })
      expect([dropped.steps, dropped.tag, dropped.count]).toEqual([['too_large', 'run'], '61', 0])
    }
  })

  it('can be held between two windows', () => {
    const framer = kernel.createFramer(options)
    const bytes = hex(`93a161${asArray(entries, count)}${chunk}`)
    let events = 0
    for (let at = 0; at < bytes.length; at += 100_000) {
      framer.feed(bytes.subarray(at, at + 100_000))
      for (let step = framer.next(now); step !== undefined; step = framer.next(now)) {
        if (step.kind === 'run') events += step.count
        framer.hold()
        // Somebody else's bytes.
        kernel.createFramer(options).feed(hex('93a17a0080'))
      }
    }
    expect(events).toBe(count)
  })
})

describe('a record beyond its limit', () => {
  const some = { recordLimitBytes: 100_000, identify: true }
  const text = (bytes: number) => `81a16b${asBin('00'.repeat(bytes))}`
  const small = `92${time}${text(90_000)}`
  const large = `92${time}${text(900_000)}`
  const cut = large.slice(0, -100)

  it.each<[string, string]>([
    ['Message, a little longer', `94a161${time}${text(100_001)}${chunk}`],
    ['Message, longer than the input', `94a161${time}${text(2_000_000)}${chunk}`],
    ['Message, a text', `94a161${time}${asStr('61'.repeat(2_000_000))}${chunk}`],
    ['Message, after a time of nine bytes', `94a161cf00000000${u32(1)}${text(2_000_000)}${chunk}`],
    ['Forward', `93a161${asArray(large, 1)}${chunk}`],
    ['Packed', `93a161${asBin(large)}${chunk}`],
  ])('%s: is invalid, and has its ack', (_mode, message) => {
    const { steps, tag, packed, count: events, invalid, acks, wireBytes } = see(message, some)
    expect([steps, tag, packed, events, invalid, acks, wireBytes]).toEqual([
      ['run'],
      '61',
      '',
      0,
      1,
      ack,
      message.length / 2,
    ])
  })

  it.each<[string, string, number]>([
    ['Forward', `93a161${asArray(small + large + small + large + small, 5)}${chunk}`, 2],
    ['Packed', `93a161${asBin(small + large + small + large + small)}${chunk}`, 2],
    ['Packed, the last one cut', `93a161${asBin(small + small + large + small + cut)}${chunk}`, 2],
  ])('%s: those beside it are taken', (_mode, message, invalid) => {
    for (const size of [70_000, 200_000, 10_000_000]) {
      const seen = see(message, some, size)
      expect([seen.count, seen.invalid, seen.acks]).toEqual([3, invalid, ack])
      expect(seen.packed === small.repeat(3)).toBe(true)
    }
  })

  it('is not what stands behind a record that is none', () => {
    const option = `82a178${asBin('00'.repeat(900_000))}${chunk.slice(2)}`
    const { count: events, invalid, acks } = see(`94a161${time}c0${option}`, some)
    expect([events, invalid, acks]).toEqual([0, 1, ack])
  })

  it('with a byte that is none is malformed, as far as the message is looked at', () => {
    const broken = `92${time}81a16b92${asBin('00'.repeat(900_000))}c1`
    const seen = see(`93a161${asBin(small + broken)}${chunk}`, some)
    expect([seen.steps, seen.acks]).toEqual([['run', 'malformed_entries'], ''])
  })

  it('can be held while it is passed over', () => {
    const framer = kernel.createFramer({ ...options, ...some })
    const bytes = hex(`93a161${asBin(small + large + small)}${chunk}`)
    const seen = { events: 0, invalid: 0 }
    framer.feed(bytes)
    for (let step = framer.next(now); step !== undefined; step = framer.next(now)) {
      if (step.kind !== 'run') throw new Error(`a ${step.kind}`)
      seen.events += step.count
      seen.invalid += step.invalid
      framer.hold()
      kernel.createFramer(options).feed(hex('93a17a0080'))
    }
    expect(seen).toEqual({ events: 2, invalid: 1 })
  })

  it('in any place, among any others, in pieces of any size', () => {
    const random = createSeededRandom(7)
    const below = (limit: number) => Math.floor(random.unit() * limit)
    const kinds = [
      [`92${time}81a16b01`, true],
      [`92${time}${text(50_000)}`, true],
      [`92${time}${text(100_001)}`, false],
      [`92${time}${text(170_000)}`, false],
      [large, false],
      ['01', false],
    ] as const
    for (let round = 0; round < 60; round++) {
      const parts = Array.from({ length: 1 + below(12) }, () => kinds[below(kinds.length)]!)
      const body = hex(parts.map(([bytes]) => bytes).join(''))
      const good = parts.filter(([, isGood]) => isGood)
      const framer = kernel.createFramer({ ...options, ...some })
      framer.feed(hex('93a161c4010082aa636f6d70726573736564a4677a6970a56368756e6ba178'))
      const step = framer.next(now)
      if (step?.kind !== 'compressed') throw new Error(`a ${step?.kind}`)
      const seen = { packed: [] as Buffer[], count: 0, invalid: 0, acks: '' }
      for (let at = 0; at < body.length; ) {
        const end = Math.min(body.length, at + 1 + below(400_000))
        framer.feedEntries(body.subarray(at, end), step, end === body.length)
        at = end
        for (let run = framer.next(now); run !== undefined; run = framer.next(now)) {
          if (run.kind !== 'run') throw new Error(`a ${run.kind}`)
          seen.packed.push(Buffer.from(run.packed))
          seen.count += run.count
          seen.invalid += run.invalid
          seen.acks += toHex(run.acks)
          if (below(4) === 0) framer.hold()
        }
      }
      expect([seen.count, seen.invalid, seen.acks]).toEqual([
        good.length,
        parts.length - good.length,
        ack,
      ])
      const expected = hex(good.map(([bytes]) => bytes).join(''))
      expect(Buffer.concat(seen.packed).equals(expected)).toBe(true)
    }
  })
})
