import { describe, expect, it } from 'vitest'
import { EventTime, MsgExt, MsgFloat, type MsgValue, RawString } from '../../../src/core/value.ts'
import { decode } from '../../../src/msgpack/decode.ts'
import { Encoder, encode } from '../../../src/msgpack/encode.ts'
import { countItems, MsgpackError, skipValue } from '../../../src/msgpack/walk.ts'

const hex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Value, and its bytes in the smallest form. */
const exact: [string, MsgValue, string][] = [
  ['nil', null, 'c0'],
  ['false', false, 'c2'],
  ['true', true, 'c3'],
  ['0', 0, '00'],
  ['127', 127, '7f'],
  ['128', 128, 'cc80'],
  ['255', 255, 'ccff'],
  ['256', 256, 'cd0100'],
  ['65535', 65535, 'cdffff'],
  ['65536', 65536, 'ce00010000'],
  ['2^32-1', 4294967295, 'ceffffffff'],
  ['2^32', 4294967296, 'cf0000000100000000'],
  ['largest safe', 9007199254740991, 'cf001fffffffffffff'],
  ['beyond safe', 9007199254740993n, 'cf0020000000000001'],
  ['2^64-1', 18446744073709551615n, 'cfffffffffffffffff'],
  ['-1', -1, 'ff'],
  ['-32', -32, 'e0'],
  ['-33', -33, 'd0df'],
  ['-128', -128, 'd080'],
  ['-129', -129, 'd1ff7f'],
  ['-32768', -32768, 'd18000'],
  ['-32769', -32769, 'd2ffff7fff'],
  ['-2^31', -2147483648, 'd280000000'],
  ['-2^31-1', -2147483649, 'd3ffffffff7fffffff'],
  ['-2^63', -9223372036854775808n, 'd38000000000000000'],
  ['float', 0.1, 'cb3fb999999999999a'],
  ['whole float', new MsgFloat(3), 'cb4008000000000000'],
  ['negative zero', new MsgFloat(-0), 'cb8000000000000000'],
  ['infinity', Number.POSITIVE_INFINITY, 'cb7ff0000000000000'],
  ['empty str', '', 'a0'],
  ['str of 31', 'x'.repeat(31), `bf${'78'.repeat(31)}`],
  ['str of 32', 'x'.repeat(32), `d920${'78'.repeat(32)}`],
  ['str of 256', 'x'.repeat(256), `da0100${'78'.repeat(256)}`],
  ['str of 65536', 'x'.repeat(65536), `db00010000${'78'.repeat(65536)}`],
  ['short text beyond ASCII', 'zürich', 'a77ac3bc72696368'],
  ['byte order mark', '\ufeffa', 'a4efbbbf61'],
  ['U+FFFD as sent', '\ufffd', 'a3efbfbd'],
  ['bytes that are not UTF-8', new RawString(hex('61ff62')), 'a361ff62'],
  ['surrogate in UTF-8', new RawString(hex('eda080')), 'a3eda080'],
  ['bin', hex('0102ff'), 'c4030102ff'],
  ['EventTime', new EventTime(1700000000, 3), 'd7006553f10000000003'],
  ['ext 1', new MsgExt(5, hex('01')), 'd40501'],
  ['ext of 3', new MsgExt(-1, hex('010203')), 'c703ff010203'],
  ['ext 0 of 4 bytes', new MsgExt(0, hex('01020304')), 'd60001020304'],
  ['array', [1, [null], []], '930191c090'],
  ['array of 16', new Array<number>(16).fill(1), `dc0010${'01'.repeat(16)}`],
  ['map', new Map<MsgValue, MsgValue>([['a', 1]]), '81a16101'],
  ['__proto__', new Map<MsgValue, MsgValue>([['__proto__', 1]]), '81a95f5f70726f746f5f5f01'],
  [
    'keys like numbers',
    new Map<MsgValue, MsgValue>([
      ['2', 1],
      ['1', 2],
      [1, 3],
    ]),
    '83a13201a131020103',
  ],
]

describe('values', () => {
  it.each(exact)('%s goes both ways', (_name, value, bytes) => {
    expect(toHex(encode(value))).toBe(bytes)
    expect(decode(hex(bytes))).toStrictEqual(value)
    expect(skipValue(hex(bytes), 0)).toBe(bytes.length / 2)
  })

  it.each([
    ['uint64 1', 'cf0000000000000001', 1],
    ['int64 -1', 'd3ffffffffffffffff', -1],
    ['int32 5', 'd200000005', 5],
    ['float32 0.5', 'ca3f000000', 0.5],
    ['EventTime as ext8', 'c708006553f10000000003', new EventTime(1700000000, 3)],
    ['array32', 'dd0000000101', [1]],
    ['map32', 'df00000001a16101', new Map([['a', 1]])],
    [
      'a repeated key',
      '83a16b01a17a00a16b02',
      new Map([
        ['k', 2],
        ['z', 0],
      ]),
    ],
    ['an integer time in a record', 'ce6553f100', 1700000000],
  ] as [string, string, MsgValue][])('%s is read', (_name, bytes, value) => {
    expect(decode(hex(bytes))).toStrictEqual(value)
    expect(skipValue(hex(bytes), 0)).toBe(bytes.length / 2)
  })

  it.each([
    ['nothing', '', 'truncated'],
    ['0xc1', 'c1', 'invalid_byte'],
    ['0xc1 inside', '9201c1', 'invalid_byte'],
    ['an array of 4 billion', 'ddffffffff', 'truncated'],
    ['a map of 4 billion', 'dfffffffff', 'truncated'],
    ['a str of 4 GB', 'dbffffffff61', 'truncated'],
    ['an ext of 4 GB', 'c9ffffffff0000', 'truncated'],
    ['half a length', 'da01', 'truncated'],
    ['half an integer', 'cf00000000', 'truncated'],
    ['nesting of 65', `${'91'.repeat(65)}01`, 'too_deep'],
  ])('%s is refused', (_name, bytes, code) => {
    for (const read of [decode, skipValue]) {
      let error: unknown
      try {
        read(hex(bytes), 0)
      } catch (caught) {
        error = caught
      }
      expect(error).toBeInstanceOf(MsgpackError)
      expect((error as MsgpackError).code).toBe(code)
    }
  })

  it('nesting of 64 is read', () => {
    const bytes = hex(`${'91'.repeat(64)}01`)
    expect(skipValue(bytes, 0)).toBe(65)
    expect(toHex(encode(decode(bytes)))).toBe(toHex(bytes))
  })

  it('decoded bytes are a copy', () => {
    const bytes = hex('c4020102')
    const value = decode(bytes) as Uint8Array
    bytes[2] = 9
    expect(toHex(value)).toBe('0102')
  })
})

describe('Encoder', () => {
  it('is reused, truncated and grown', () => {
    const encoder = new Encoder(4)
    encoder.entry(new EventTime(1, undefined))
    encoder.value(new Map([['a', 'b'.repeat(100)]]))
    const mark = encoder.length
    encoder.entry(new EventTime(2, 5))
    encoder.truncate(mark)
    encoder.raw(hex('9203800000'), 0, 3)
    expect(toHex(encoder.bytes)).toBe(`920181a161d964${'62'.repeat(100)}920380`)
    encoder.reset()
    encoder.value(1)
    expect(toHex(encoder.copy())).toBe('01')
  })

  it('writes an EventTime beyond 32 bits as an integer', () => {
    expect(toHex(encode(new EventTime(-1, 5)))).toBe('ff')
    expect(toHex(encode(new EventTime(2 ** 32, 5)))).toBe('cf0000000100000000')
  })

  it('refuses an integer of more than 64 bits', () => {
    expect(() => encode(2n ** 64n)).toThrow(RangeError)
  })
})

it.each([
  ['c0', 0],
  ['90', 0],
  ['93 01 02 03', 3],
  ['82 a161 01 a162 92 c0 c3', 4],
  ['dc0002 80 de0001 a161 dd00000001 df00000000', 4],
  ['81 c40101 d90161', 1],
  ['c70800 00000001 00000002', 0],
  // Values end to end.
  ['91 01 91 01', 2],
])('%s has %i keys and elements', (bytes, count) => {
  expect(countItems(hex(bytes))).toBe(count)
  expect(countItems(hex(`${bytes} 91 01`), 0, hex(bytes).length)).toBe(count)
})
