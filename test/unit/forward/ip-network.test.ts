import { describe, expect, it } from 'vitest'
import { parseAddress, parseNetwork } from '../../../src/forward/ip-network.ts'

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.9.9.9/8', '10.0.0.1', true],
    ['192.0.2.128/25', '192.0.2.129', true],
    ['192.0.2.128/25', '192.0.2.1', false],
    ['192.0.2.0/255.255.255.0', '192.0.2.77', true],
    ['192.0.2.0/255.255.255.0', '192.0.3.77', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '192.0.2.1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['192.0.2.0/24', '::ffff:192.0.2.5', true],
  ])('%s, %s: %s', (network, address, inside) => {
    expect(parseNetwork(network)?.contains(address)).toBe(inside)
  })

  it.each([
    '',
    'localhost',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/-1',
    '10.0.0.1/255.0.255.0',
    '10.0.0.0/8/8',
    '10.0.0.0/::',
    '::/129',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::10.0.0.1:1',
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeUndefined()
  })

  it('addresses', () => {
    expect(parseAddress('::ffff:10.1.2.3')).toEqual([10, 1, 2, 3])
    expect(parseAddress('64:ff9b::10.1.2.3')?.slice(12)).toEqual([10, 1, 2, 3])
    expect(parseNetwork('10.0.0.0/8')?.contains('nobody')).toBe(false)
  })
})
