import { describe, expect, it } from 'vitest'
import * as der from '../../../src/transport/der.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

describe('DER', () => {
  it.each([
    ['integer 0', der.integer(bytes('00')), '020100'],
    ['integer 2', der.integer(bytes('02')), '020102'],
    ['integer 128: a byte more, for the sign', der.integer(bytes('80')), '02020080'],
    ['integer without zeros in front', der.integer(bytes('000001ff')), '020201ff'],
    ['no bytes at all', der.integer(bytes('')), '020100'],
    ['true', der.boolean(true), '0101ff'],
    ['null', der.nothing(), '0500'],
    ['commonName', der.oid('2.5.4.3'), '0603550403'],
    ['sha256WithRSA', der.oid('1.2.840.113549.1.1.11'), '06092a864886f70d01010b'],
    ['bits', der.bits(bytes('a0'), 5), '030205a0'],
    ['utf8', der.utf8('é'), '0c02c3a9'],
    ['sequence', der.sequence(der.nothing(), der.boolean(false)), '30050500010100'],
    ['explicit', der.explicit(3, der.nothing()), 'a3020500'],
    ['implicit', der.implicit(2, bytes('61')), '820161'],
    ['2049', der.moment(Date.UTC(2049, 11, 31, 23, 59, 59)), '170d3439313233313233353935395a'],
    ['2050', der.moment(Date.UTC(2050, 0, 1)), '180f32303530303130313030303030305a'],
  ])('%s', (_, value, expected) => {
    expect(hex(value)).toBe(expected)
  })

  it.each([127, 128, 255, 256, 65_535, 65_536])('lengths: %d', (length) => {
    const whole = der.octets(new Uint8Array(length).fill(7))
    const [value] = der.valuesIn(whole)
    expect(value?.contents.byteLength).toBe(length)
    expect(value?.whole.byteLength).toBe(whole.byteLength)
  })

  it.each([
    ['a length beyond the end', '0405aa'],
    ['a length of many bytes', '0485ffffffffff'],
    ['without an end', '3080'],
    ['a tag alone', '30'],
  ])('refuses %s', (_, text) => {
    expect(() => der.valuesIn(bytes(text))).toThrow('no DER')
  })
})
