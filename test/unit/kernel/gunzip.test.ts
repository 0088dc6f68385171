import { crc32, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { GunzipVerdict, Step } from '../../../src/kernel/types.ts'
import { hex, newKernel, now, options } from './framing.ts'
import { expected, inflated, roomBytes } from './gunzipping.ts'

/** Blocks, written as bits in the order they come: '1' '00' is a last stored block (RFC 1951, 3.2.3). */
function blocks(bits: string): Buffer {
  const plain = bits.replaceAll(/\s/g, '')
  const bytes = Buffer.alloc(Math.ceil(plain.length / 8))
  for (let at = 0; at < plain.length; at++) {
    if (plain[at] === '1') bytes[at >> 3]! |= 1 << (at & 7)
  }
  return bytes
}

/** A number of so many bits, its lowest first, as DEFLATE has them. */
const number = (value: number, bits: number) =>
  [...value.toString(2).padStart(bits, '0')].reverse().join('')

function member(parts: { header?: Buffer; blocks: Buffer; output?: string }): Buffer {
  const output = Buffer.from(parts.output ?? '')
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(output), 0)
  trailer.writeUInt32LE(output.length, 4)
  return Buffer.concat([parts.header ?? plainHeader, parts.blocks, trailer])
}

const plainHeader = Buffer.from(hex('1f8b 08 00 00000000 00 ff'))
const withFlags = (flags: number, rest: string) =>
  Buffer.concat([hex('1f8b08'), Buffer.from([flags]), hex('00000000 00 ff'), hex(rest)])
/** A header with its own checksum. */
const checked = (header: Buffer) => {
  const sum = Buffer.alloc(2)
  sum.writeUInt16LE(crc32(header) & 0xffff)
  return Buffer.concat([header, sum])
}

const end = '0000000' // of a block of type 1
const letterA = '10010001' // 'a' there: 0x30 + 0x61
const emptyBlock = blocks(`1 10 ${end}`)
const fixedA = blocks(`1 10 ${letterA} ${end}`)

/** The beginning of a block of type 2: numbers of code words, then lengths of the code of lengths in their order. */
const dynamic = (lengths: number, distances: number, lens: number[]) =>
  `1 01 ${number(lengths - 257, 5)} ${number(distances - 1, 5)} ${number(lens.length - 4, 4)} ${lens.map((len) => number(len, 3)).join('')}`
/** Lengths 0 and 1 and the repetition 18, in words of 2, 2 and 1 bits: '0' is 18, '10' is 0, '11' is 1. */
const lens18 = [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
const zeros = (count: number) => `0 ${number(count - 11, 7)}`

const cases: [name: string, payload: Buffer, verdict: GunzipVerdict][] = [
  ['an empty payload', Buffer.alloc(0), 'done'],
  ['an empty member', member({ blocks: emptyBlock }), 'done'],
  ['a member of type 1', member({ blocks: fixedA, output: 'a' }), 'done'],
  ['a stored block', member({ blocks: Buffer.from(hex('01 0100 feff 61')), output: 'a' }), 'done'],
  [
    'a stored block between others',
    member({
      blocks: Buffer.concat([blocks(`0 10 ${letterA} ${end} 0 00`), hex('0100 feff 62'), fixedA]),
      output: 'aba',
    }),
    'done',
  ],
  ['FEXTRA', member({ header: withFlags(4, '0300 616263'), blocks: emptyBlock }), 'done'],
  ['FNAME', member({ header: withFlags(8, '6162 00'), blocks: emptyBlock }), 'done'],
  ['FCOMMENT', member({ header: withFlags(16, '00'), blocks: emptyBlock }), 'done'],
  ['FTEXT', member({ header: withFlags(1, ''), blocks: emptyBlock }), 'done'],
  [
    'all of them, and FHCRC',
    member({
      header: checked(withFlags(31, '0200 6162 61 00 62 00')),
      blocks: fixedA,
      output: 'a',
    }),
    'done',
  ],
  ['a wrong FHCRC', member({ header: withFlags(2, '0000'), blocks: emptyBlock }), 'bad_header'],
  ['a reserved flag', member({ header: withFlags(32, ''), blocks: emptyBlock }), 'bad_header'],
  ['FEXTRA longer than all', withFlags(4, 'ffff 616263'), 'truncated'],
  ['FNAME without an end', withFlags(8, '616263'), 'truncated'],
  ['another method', Buffer.from(hex('1f8b 07 00 00000000 00 ff 0300 00000000')), 'bad_header'],
  ['no gzip', Buffer.from('this is no gzip'), 'bad_header'],
  ['one byte', Buffer.from([0x1f]), 'truncated'],
  ['zeros behind', Buffer.concat([gzipSync('a'), Buffer.alloc(20)]), 'bad_header'],
  ['a byte behind', Buffer.concat([gzipSync('a'), Buffer.from([0x1f])]), 'truncated'],
  ['a block of type 3', member({ blocks: blocks('1 11 0000000000000') }), 'bad_block'],
  [
    'a stored length that is denied',
    member({ blocks: Buffer.from(hex('01 0100 feef 61')) }),
    'bad_block',
  ],
  [
    'a stored block longer than all',
    member({ blocks: Buffer.from(hex('01 ff00 00ff 61')) }),
    'truncated',
  ],
  ['the length symbol 286', member({ blocks: blocks(`1 10 11000110 ${end}`) }), 'bad_code'],
  [
    'the distance symbol 30',
    member({ blocks: blocks(`1 10 ${letterA} 0000001 11110 ${end}`) }),
    'bad_code',
  ],
  [
    'a match that begins before the output',
    member({ blocks: blocks(`1 10 ${letterA} 0000001 00001 ${end} ${'0'.repeat(200)}`) }),
    'bad_distance',
  ],
  [
    'a match that begins in the member before',
    Buffer.concat([gzipSync('abcabc'), member({ blocks: blocks(`1 10 0000001 00000 ${end}`) })]),
    'bad_distance',
  ],
  ['287 lengths', member({ blocks: blocks(dynamic(287, 1, lens18)) }), 'bad_block'],
  ['31 distances', member({ blocks: blocks(dynamic(257, 31, lens18)) }), 'bad_block'],
  [
    'too many words in a code',
    member({ blocks: blocks(dynamic(257, 1, [1, 1, 1, 0])) }),
    'bad_block',
  ],
  [
    'too few words in a code of lengths',
    member({ blocks: blocks(dynamic(257, 1, [1, 0, 0, 0])) }),
    'bad_block',
  ],
  [
    'only the end, and no distance',
    member({ blocks: blocks(`${dynamic(257, 1, lens18)} ${zeros(138)} ${zeros(118)} 11 10 0`) }),
    'done',
  ],
  [
    'the other word of a code of one',
    member({ blocks: blocks(`${dynamic(257, 1, lens18)} ${zeros(138)} ${zeros(118)} 11 10 1`) }),
    'bad_code',
  ],
  [
    'no end',
    member({ blocks: blocks(`${dynamic(257, 1, lens18)} ${zeros(138)} ${zeros(118)} 10 11 0`) }),
    'bad_block',
  ],
  [
    'a repetition beyond the last length',
    member({ blocks: blocks(`${dynamic(257, 1, lens18)} ${zeros(138)} ${zeros(138)} 11 10 0`) }),
    'bad_block',
  ],
  ['a wrong checksum', member({ blocks: fixedA, output: 'b' }), 'bad_check'],
  [
    'a wrong length',
    Buffer.concat([member({ blocks: fixedA, output: 'a' }).subarray(0, -4), hex('02000000')]),
    'bad_check',
  ],
]

describe('gzip in the kernel', () => {
  it.each(cases)('%s', (_name, payload, verdict) => {
    const { verdict: found, output } = inflated(payload)
    expect(found).toBe(verdict)
    const wanted = expected(payload).output
    expect(wanted !== undefined).toBe(verdict === 'done')
    if (wanted) expect(Buffer.from(output!).equals(wanted)).toBe(true)
  })

  it('as much as there is room for, and a byte more', () => {
    const most = Buffer.alloc(roomBytes, 'abcdefghijklmnopq')
    expect(most.equals(inflated(gzipSync(most)).output!)).toBe(true)
    const more = gzipSync(Buffer.alloc(roomBytes + 1))
    expect(inflated(more).verdict).toBe('large')
    expect(inflated(more, roomBytes).verdict).toBe('over_limit')
  })

  it('checksums of all lengths around those where its way changes', () => {
    const bytes = Buffer.alloc(60_000)
    for (let at = 0; at < bytes.length; at++) bytes[at] = (at * at) >> 5
    for (const base of [0, 8, 16, 4800, 9600, 9616, 16_384 + 4800, 21_184, 32_768 + 4800, 59_900]) {
      for (let length = Math.max(0, base - 20); length < base + 36; length++) {
        const data = bytes.subarray(0, length)
        expect(inflated(gzipSync(data, { level: 0 })).verdict).toBe('done')
      }
    }
  })

  it('leaves blocks without end, each with codes of its own, to others', () => {
    const block = `0 01 ${dynamic(257, 1, lens18).slice(5)} ${zeros(138)} ${zeros(118)} 11 10 0`
    const payload = (count: number) =>
      member({ blocks: blocks(`${block.repeat(count)} 1 10 ${end}`) })
    expect(inflated(payload(1024)).verdict).toBe('done')
    expect(inflated(payload(1025)).verdict).toBe('large')
  })
})

describe('a compressed message inflated in the kernel', () => {
  const entry = '92 01 81 a161 01'
  const message = (entries: string) => {
    const payload = gzipSync(hex(entries))
    const head = Buffer.from([0x93, 0xa1, 0x74, 0xc4, payload.length])
    const option = hex('82 aa636f6d70726573736564 a4677a6970 a56368756e6b a163')
    return Buffer.concat([head, payload, option])
  }

  function steps(bytes: Uint8Array, holdAfter = -1): Step[] {
    const framer = newKernel().createFramer(options)
    framer.feed(bytes)
    const taken: Step[] = []
    for (let step = framer.next(now); step; step = framer.next(now)) {
      if (step.kind === 'compressed') {
        expect(framer.gunzip(step, 1000)).toBe('done')
        if (taken.length === holdAfter) framer.hold()
        continue
      }
      taken.push(
        step.kind === 'run'
          ? { ...step, packed: step.packed.slice(), acks: step.acks.slice() }
          : step,
      )
    }
    return taken
  }

  it('comes as a run with its ack, and what follows it after it', () => {
    for (const holdAfter of [-1, 0, 1]) {
      const all = steps(Buffer.concat([message(entry.repeat(3)), message(entry)]), holdAfter)
      expect(all.map((step) => step.kind === 'run' && [step.count, step.messages])).toEqual([
        [3, 1],
        [1, 1],
      ])
      const [first] = all
      expect(first?.kind === 'run' && Buffer.from(first.packed)).toEqual(
        Buffer.from(hex(entry.repeat(3))),
      )
      expect(first?.kind === 'run' && Buffer.from(first.acks).toString('hex')).toBe(
        '81a361636ba163',
      )
    }
  })

  it('loses only what is invalid, or cut off at the end', () => {
    const [run] = steps(message(`${entry} 92 c0 80 ${entry} 92 01`))
    expect(run).toMatchObject({ kind: 'run', count: 2, invalid: 2, messages: 1, ackCount: 1 })
  })

  it('without entries is acknowledged', () => {
    expect(steps(message(''))).toMatchObject([{ kind: 'run', count: 0, messages: 1, ackCount: 1 }])
  })

  it('with a malformed byte is lost whole', () => {
    expect(steps(message(`${entry} c1 ${entry}`))).toMatchObject([
      { kind: 'fatal', code: 'malformed_entries' },
    ])
  })
})
