import { describe, expect, it } from 'vitest'
import { EventTime } from '../../../src/core/value.ts'
import { decode } from '../../../src/msgpack/decode.ts'
import {
  decodeBatch,
  decodeTime,
  eachEntry,
  eachPair,
  fieldKey,
  findField,
  textAt,
  valueAt,
} from '../../../src/msgpack/entries.ts'

const hex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

describe('entries', () => {
  const packed = hex(
    '92 05 81 a161 01  92 d7006553f10000000003 80  92 c708006553f10000000004 81 a162 91c0',
  )

  it('are visited in order with their offsets', () => {
    const seen: number[][] = []
    eachEntry(packed, (start, timeEnd, end) => seen.push([start, timeEnd, end]))
    expect(seen).toEqual([
      [0, 2, 6],
      [6, 17, 18],
      [18, 30, 35],
    ])
  })

  it('have times of each form', () => {
    expect(decodeTime(packed, 0)).toEqual(new EventTime(5, undefined))
    expect(decodeTime(packed, 6)).toEqual(new EventTime(1700000000, 3))
    expect(decodeTime(packed, 18)).toEqual(new EventTime(1700000000, 4))
    expect(decodeTime(hex('92 d3ffffffffffffffff 80'), 0)).toEqual(new EventTime(-1, undefined))
    expect(decodeTime(hex('92 cfffffffffffffffff 80'), 0).seconds).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('decode as a whole', () => {
    expect(decodeBatch({ packed }).map((event) => event.record)).toEqual([
      new Map([['a', 1]]),
      new Map(),
      new Map([['b', [null]]]),
    ])
  })
})

describe('findField', () => {
  const record = hex('85 a16b 01 a27a7a a178 a16b 02 c4016d 03 a16e 81 a16b 09')

  it.each([
    ['the last of repeated keys', 'k', 2],
    ['a str', 'zz', 'x'],
    ['a key sent as bin', 'm', 3],
    ['a map', 'n', new Map([['k', 9]])],
  ])('finds %s', (_name, key, value) => {
    const at = findField(record, 0, fieldKey(key))
    expect(valueAt(record, at)).toEqual(value)
  })

  it('finds nothing where there is nothing', () => {
    expect(findField(record, 0, fieldKey('z'))).toBe(-1)
    expect(findField(record, 0, fieldKey(''))).toBe(-1)
  })

  it('reads text only from a str', () => {
    expect(textAt(record, findField(record, 0, fieldKey('zz')))).toBe('x')
    expect(textAt(record, findField(record, 0, fieldKey('k')))).toBeUndefined()
  })
})

describe('eachPair', () => {
  it('visits pairs and says where the map ends', () => {
    const record = hex('de0002 a161 01 02 91c0 ff')
    const seen: unknown[] = []
    const end = eachPair(record, 0, (key, value, after) =>
      seen.push([decode(record, key), decode(record, value), after]),
    )
    expect(end).toBe(record.length - 1)
    expect(seen).toEqual([
      ['a', 1, 6],
      [2, [null], 9],
    ])
  })
})
