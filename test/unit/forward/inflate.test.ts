import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  type Codec,
  codecOf,
  inflateLimits,
  inflateSmall,
  inflateStream,
} from '../../../src/forward/inflate.ts'
import { zstdFrames } from '../../../src/forward/zstd-frames.ts'
import type { CompressedStep, GunzipVerdict } from '../../../src/kernel/types.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'
import { rawBlock, rleBlock, skippable, zstdFrame } from './zstd-bytes.ts'

const text = (value: string) => Buffer.from(value)
const many = 100_000_000
/** A window of 128 KiB: room for the largest blocks. */
const wide = { windowDescriptor: 0x38 }

async function streamed(codec: Codec, payload: Uint8Array, limitBytes = many): Promise<Buffer> {
  const clock = createVirtualClock()
  clock.soon = (run) => void setImmediate(run)
  const pieces: Uint8Array[] = []
  for await (const piece of inflateStream(codec, payload, { limitBytes, clock })) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** A frame that zstd itself has made (level 3): compressed block, repeated content, checksum. */
const realFrame = Buffer.from(
  '28b52ffd045859020092ce6553f10083a76d657373616765a568656c6c6fa56c6576656ca4696e666fa16e0192d7006553f1010000000983a76d657373616765a67365636f6e64a26f6bc3a76e6f7468696e67c0be49dc09',
  'hex',
)

interface Good {
  name: string
  codec: Codec
  payload: Buffer
  output: string
}

const good: Good[] = [
  { name: 'one gzip member', codec: 'gzip', payload: gzipSync('hello'), output: 'hello' },
  { name: 'an empty gzip member', codec: 'gzip', payload: gzipSync(''), output: '' },
  {
    name: 'three gzip members',
    codec: 'gzip',
    payload: Buffer.concat(['a', '', 'bc'].map((part) => gzipSync(part))),
    output: 'abc',
  },
  {
    name: 'a zstd frame of raw and repeated bytes',
    codec: 'zstd',
    payload: zstdFrame([rawBlock('abc'), rleBlock('x', 5)]),
    output: 'abcxxxxx',
  },
  {
    name: 'two zstd frames and a skippable one',
    codec: 'zstd',
    payload: Buffer.concat([
      zstdFrame([rawBlock('one ')]),
      skippable(20),
      zstdFrame([rawBlock('two')], { contentSize: 3 }),
    ]),
    output: 'one two',
  },
  { name: 'an empty zstd frame', codec: 'zstd', payload: zstdFrame([rawBlock('')]), output: '' },
  { name: 'no frame at all', codec: 'zstd', payload: skippable(3), output: '' },
]

interface Bad {
  name: string
  codec: Codec
  payload: Uint8Array
  code?: string
  limitBytes?: number
}

const bad: Bad[] = [
  { name: 'no gzip', codec: 'gzip', payload: text('this is no gzip data') },
  { name: 'a gzip member cut off', codec: 'gzip', payload: gzipSync('hello').subarray(0, -3) },
  {
    name: 'junk behind gzip',
    codec: 'gzip',
    payload: Buffer.concat([gzipSync('hello'), text('junk')]),
  },
  {
    name: 'zero bytes behind gzip',
    codec: 'gzip',
    payload: Buffer.concat([gzipSync('hello'), Buffer.alloc(8)]),
  },
  {
    name: 'a wrong gzip checksum',
    codec: 'gzip',
    payload: gzipSync('hello').map((byte, at, all) => (at === all.length - 8 ? byte ^ 1 : byte)),
  },
  { name: 'no zstd', codec: 'zstd', payload: text('this is no zstd data') },
  {
    name: 'a zstd block above its window',
    codec: 'zstd',
    payload: zstdFrame([rleBlock('x', 1025)]),
  },
  { name: 'a few bytes', codec: 'zstd', payload: text('abc') },
  { name: 'a zstd frame cut off', codec: 'zstd', payload: realFrame.subarray(0, 40) },
  { name: 'a zstd checksum cut off', codec: 'zstd', payload: realFrame.subarray(0, -1) },
  {
    name: 'junk behind zstd',
    codec: 'zstd',
    payload: Buffer.concat([zstdFrame([rawBlock('a')]), text('junkjunk')]),
  },
  {
    name: 'a zstd block of the reserved type',
    codec: 'zstd',
    payload: zstdFrame([Buffer.from([0x07, 0, 0])]),
  },
  {
    name: 'a zstd window above the limit',
    codec: 'zstd',
    payload: zstdFrame([rawBlock('a')], { windowDescriptor: 0xf8 }),
  },
  {
    name: 'a zstd frame that declares terabytes',
    codec: 'zstd',
    payload: zstdFrame([rawBlock('a')], { contentSize: 2 ** 42 }),
  },
  {
    name: 'too much in one gzip member',
    codec: 'gzip',
    payload: gzipSync(Buffer.alloc(2_000)),
    limitBytes: 1_999,
    code: 'decompression_size_limit',
  },
  {
    name: 'too much in several gzip members',
    codec: 'gzip',
    payload: Buffer.concat([gzipSync('x'.repeat(60)), gzipSync('x'.repeat(60))]),
    limitBytes: 100,
    code: 'decompression_size_limit',
  },
  {
    name: 'too much in several zstd frames',
    codec: 'zstd',
    payload: Buffer.concat([zstdFrame([rleBlock('x', 60)]), zstdFrame([rleBlock('x', 60)])]),
    limitBytes: 100,
    code: 'decompression_size_limit',
  },
]

/** What `inflateSmall` has fed to a framer whose own inflater says `verdict`; undefined: nothing. */
function atOnce(
  codec: Codec,
  payload: Uint8Array,
  limitBytes = many,
  verdict: GunzipVerdict = 'done',
): Uint8Array | 'by the kernel' | undefined {
  let fed: Uint8Array | undefined
  const step: CompressedStep = {
    kind: 'compressed',
    tag: text('t'),
    codec,
    payload,
    ack: text(''),
    wireBytes: 0,
  }
  const framer = {
    gunzip: () => verdict,
    feedEntries(bytes: Uint8Array, _of: CompressedStep, last: boolean) {
      expect(last).toBe(true)
      fed = bytes
    },
  }
  const done = inflateSmall(framer, step, { codec, limitBytes })
  if (codec === 'gzip' && done) return 'by the kernel'
  expect(done).toBe(fed !== undefined)
  return fed
}

describe('inflating zstd at once', () => {
  it.each(good.filter(({ codec }) => codec === 'zstd'))('$name', ({ codec, payload, output }) => {
    expect(Buffer.from(atOnce(codec, payload) as Uint8Array).toString()).toBe(output)
  })

  it.each(bad.filter(({ codec }) => codec === 'zstd'))(
    'refuses $name',
    ({ codec, payload, code, limitBytes }) => {
      expect(() => atOnce(codec, payload, limitBytes ?? many)).toThrow(
        expect.objectContaining({ name: 'InflateError', code: code ?? 'malformed' }),
      )
    },
  )

  it('what zstd has made', () => {
    const output = atOnce('zstd', realFrame) as Uint8Array
    expect(Buffer.from(output).toString('latin1')).toContain('\xa7message\xa6second')
  })

  it('an empty payload', () => {
    expect(atOnce('zstd', text(''))).toHaveLength(0)
  })

  it('leaves what may be large', () => {
    const blocks = Array.from({ length: 9 }, () => rleBlock('x', 131_072))
    expect(atOnce('zstd', zstdFrame(blocks, wide))).toBeUndefined()
    expect(atOnce('zstd', Buffer.alloc(inflateLimits.syncInputBytes + 1))).toBeUndefined()
  })
})

describe('inflating gzip at once is the kernel’s', () => {
  const payload = gzipSync('hello')

  it('its verdict decides', () => {
    expect(atOnce('gzip', payload)).toBe('by the kernel')
    expect(atOnce('gzip', payload, many, 'large')).toBeUndefined()
  })

  it('it is not asked for what may be large', () => {
    expect(atOnce('gzip', Buffer.alloc(inflateLimits.syncInputBytes + 1))).toBeUndefined()
  })

  it.each([
    ['over_limit', 'decompression_size_limit'],
    ['truncated', 'malformed'],
    ['bad_check', 'malformed'],
  ] as const)('%s is %s', (verdict, code) => {
    expect(() => atOnce('gzip', payload, 3, verdict)).toThrow(
      expect.objectContaining({ name: 'InflateError', code }),
    )
  })
})

describe('inflating in pieces', () => {
  it.each(good)('$name', async ({ codec, payload, output }) => {
    expect((await streamed(codec, payload)).toString()).toBe(output)
  })

  it.each(bad)('refuses $name', async ({ codec, payload, code, limitBytes }) => {
    await expect(streamed(codec, payload, limitBytes)).rejects.toMatchObject({
      name: 'InflateError',
      code: code ?? 'malformed',
    })
  })

  it('what is large', async () => {
    const large = Buffer.alloc(5_000_000, 'abcdefghij')
    expect((await streamed('gzip', gzipSync(large))).equals(large)).toBe(true)
    const blocks = Array.from({ length: 40 }, (_, n) => rleBlock(String(n % 10), 131_072))
    const output = await streamed('zstd', zstdFrame(blocks, wide))
    expect(output.byteLength).toBe(40 * 131_072)
    expect(output[131_072 * 11]).toBe(0x31)
  })

  it('gives up a bomb as soon as it is one', async () => {
    const blocks = Array.from({ length: 20_000 }, () => rleBlock('x', 131_072))
    await expect(streamed('zstd', zstdFrame(blocks, wide), 1_000_000)).rejects.toMatchObject({
      code: 'decompression_size_limit',
    })
  })
})

describe('names of codecs', () => {
  it('are two', () => {
    expect([codecOf('gzip'), codecOf('zstd')]).toEqual(['gzip', 'zstd'])
    expect(() => codecOf('GZIP')).toThrow(expect.objectContaining({ code: 'unknown_codec' }))
    expect(() => codecOf('__proto__')).toThrow(expect.objectContaining({ code: 'unknown_codec' }))
  })
})

describe('zstd frames', () => {
  it('are found with their size, window and the most they may hold', () => {
    const one = zstdFrame([rawBlock('abc')], { checksum: true })
    const two = zstdFrame([rleBlock('x', 9)], { contentSize: 9 })
    const frames = zstdFrames(Buffer.concat([one, skippable(5), two]))
    expect(frames.map(({ start, end }) => end - start)).toEqual([one.length, two.length])
    expect(frames.map(({ maxOutputBytes }) => maxOutputBytes)).toEqual([3, 9])
    expect(frames.map(({ windowBytes }) => windowBytes)).toEqual([1024, 9])
  })

  it('end with the bytes, whatever they are cut to', () => {
    const bytes = Buffer.concat([zstdFrame([rawBlock('abc')], { checksum: true }), realFrame])
    const whole = new Set([
      0,
      zstdFrame([rawBlock('abc')], { checksum: true }).length,
      bytes.length,
    ])
    for (let length = 0; length <= bytes.length; length++) {
      const read = () => zstdFrames(bytes.subarray(0, length))
      if (whole.has(length)) expect(read).not.toThrow()
      else expect(read).toThrow()
    }
  })
})
