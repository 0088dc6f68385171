import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { FramerOptions, RunStep } from '../../../src/kernel/types.ts'
import { hex, newKernel, now, options, toHex } from './framing.ts'

const kernel = newKernel()

const time = 'ce6553f100'
const message = (n: number, option: string): string => `94a161${time}81a16b0${n}${option}`
/** Of very many entries, the first and last 64 KiB tell. */
const crcOfEnds = (bytes: Uint8Array): number =>
  crc32(bytes.subarray(-8_192), crc32(bytes.subarray(0, 8_192)))
const entry = (n: number): string => `92${time}81a16b0${n}`
const chunk = (letter: string): string => `81a56368756e6ba1${Buffer.from(letter).toString('hex')}`
/** A chunk that is a bin: looked at by the slow way. */
const binChunk = '81a56368756e6bc40178'

interface Seen {
  readonly packed: string
  readonly ackCount: number
  readonly ends: number[] | undefined
}

function runsOf(bytes: string, some: Partial<FramerOptions> = {}) {
  const framer = kernel.createFramer({ ...options, ...some })
  framer.feed(hex(bytes))
  const runs: (Seen & { identity: RunStep['identity'] })[] = []
  for (let step = framer.next(now); step !== undefined; step = framer.next(now)) {
    if (step.kind !== 'run') throw new Error(step.kind)
    runs.push({
      packed: toHex(step.packed),
      ackCount: step.ackCount,
      ends: step.ackEnds && [...step.ackEnds],
      identity: step.identity && { ...step.identity, ack: step.identity.ack.slice() },
    })
  }
  return runs
}

describe('where the messages of a run end', () => {
  const bytes = entry(1).length / 2

  it.each<[string, string, Omit<Seen, 'packed'>[]]>([
    ['one with an ack', message(1, chunk('x')), [{ ackCount: 1, ends: [bytes] }]],
    [
      'several with acks',
      message(1, chunk('x')) +
        message(2, chunk('y')) +
        message(3, binChunk) +
        message(4, chunk('z')),
      [{ ackCount: 4, ends: [bytes, 2 * bytes, 3 * bytes, 4 * bytes] }],
    ],
    [
      'an invalid one has no bytes',
      `${message(1, chunk('x'))}94a161${time}01${chunk('y')}${message(2, chunk('z'))}`,
      [{ ackCount: 3, ends: [bytes, bytes, 2 * bytes] }],
    ],
    ['none without acks', message(1, '80') + message(2, '80'), [{ ackCount: 0, ends: undefined }]],
    [
      'messages with and without acks are never in one run',
      message(1, '80') + message(2, chunk('x')) + message(3, binChunk) + message(4, '80'),
      [
        { ackCount: 0, ends: undefined },
        { ackCount: 2, ends: [bytes, 2 * bytes] },
        { ackCount: 0, ends: undefined },
      ],
    ],
  ])('%s', (_, sent, expected) => {
    const runs = runsOf(sent)
    expect(runs.map(({ ackCount, ends }) => ({ ackCount, ends }))).toEqual(expected)
  })
})

describe('identity', () => {
  const packedMessage = (entries: string, option: string): string =>
    `93a161c4${(entries.length / 2).toString(16).padStart(2, '0')}${entries}${option}`
  const entries = entry(1) + entry(2)
  const wanted = { ack: hex('81a361636ba178'), bytes: entries.length / 2, crc: crc32(hex(entries)) }

  it.each([
    ['of PackedForward', packedMessage(entries, chunk('x'))],
    ['of Forward', `93a16192${entries}${chunk('x')}`],
  ])('%s', (_, sent) => {
    expect(runsOf(sent, { identify: true })).toMatchObject([{ identity: wanted }])
    expect(runsOf(sent)).toMatchObject([{ identity: undefined }])
  })

  it.each([
    ['no ack', packedMessage(entries, '80')],
    ['Message mode', message(1, chunk('x'))],
  ])('none: %s', (_, sent) => {
    expect(runsOf(sent, { identify: true })).toMatchObject([{ identity: undefined }])
  })

  it('no entries', () => {
    const { ack } = wanted
    expect(runsOf(packedMessage('', chunk('x')), { identify: true })).toMatchObject([
      { identity: { ack, bytes: 0, crc: 0 } },
    ])
  })

  it('comes with the first run of a message of several', () => {
    const long = entry(1).repeat(60_000)
    const head = `93a161c6${(long.length / 2).toString(16).padStart(8, '0')}`
    const runs = runsOf(head + long + chunk('x'), { identify: true })
    expect(runs.length).toBeGreaterThan(1)
    const given = runs.map(({ identity }) => identity?.crc)
    expect(given).toEqual([crcOfEnds(hex(long)), ...runs.slice(1).map(() => undefined)])
  })

  it.each<[string, (entries: string) => string]>([
    ['Packed', (long) => `c6${(long.length / 2).toString(16).padStart(8, '0')}${long}`],
    ['Forward', (long) => `dd${(60_000).toString(16).padStart(8, '0')}${long}`],
  ])('is the same of a large message, however it is cut: %s', (_mode, second) => {
    const long = entry(1).repeat(60_000)
    const bytes = hex(`93a161${second(long)}${chunk('x')}`)
    for (const cut of [1_000, 65_536, 500_000, bytes.length - 3]) {
      const framer = kernel.createFramer({ ...options, identify: true })
      let identity: RunStep['identity']
      let count = 0
      for (let at = 0; at < bytes.length; at += cut) {
        framer.feed(bytes.subarray(at, at + cut))
        for (let step = framer.next(now); step !== undefined; step = framer.next(now)) {
          if (step.kind !== 'run') throw new Error(step.kind)
          if (count === 0) identity = step.identity
          count += step.count
        }
      }
      expect([count, identity?.bytes, identity?.crc]).toEqual([
        60_000,
        long.length / 2,
        crcOfEnds(hex(long)),
      ])
    }
  })
})
