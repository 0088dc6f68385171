import { describe, expect, test } from 'vitest'
import { claimsCollide, conflictsOf, parseClaim } from '../../../src/routing/claims.ts'
import { probeClaims } from '../../../src/routing/probe.ts'
import { createFakeHost } from '../../support/fake-host.ts'

const holder = (id: string, ...claims: string[]) => ({ id, claims, position: undefined })

describe('claims', () => {
  test.each([
    ['tcp:0.0.0.0:24224', { kind: 'tcp', place: '0.0.0.0', port: 24224 }],
    ['tcp:[::1]:80', { kind: 'tcp', place: '::1', port: 80 }],
    ['udp::::24224', { kind: 'udp', place: '::', port: 24224 }],
    ['unix:/var/run/a:b.sock', { kind: 'unix', place: '/var/run/a:b.sock', port: undefined }],
    ['file:/x/y.log', { kind: 'file', place: '/x/y.log', port: undefined }],
  ])('%s is taken apart', (text, claim) => {
    expect(parseClaim(text)).toEqual(claim)
  })

  test.each([
    ['tcp:127.0.0.1:1', 'tcp:127.0.0.1:1', true],
    ['tcp:127.0.0.1:1', 'tcp:127.0.0.2:1', false],
    ['tcp:0.0.0.0:1', 'tcp:127.0.0.1:1', true],
    ['tcp:127.0.0.1:1', 'tcp::::1', true],
    ['tcp:127.0.0.1:1', 'udp:127.0.0.1:1', false],
    ['tcp:127.0.0.1:0', 'tcp:127.0.0.1:0', false],
    ['tcp:127.0.0.1:1', 'tcp:127.0.0.1:2', false],
    ['unix:/a', 'unix:/a', true],
    ['file:/a', 'unix:/a', false],
    ['file:/a', 'file:/b', false],
  ])('%s and %s: %s', (a, b, collide) => {
    expect(claimsCollide([a], [b])).toBe(collide)
    expect(claimsCollide([b], [a])).toBe(collide)
  })

  test('each conflict is an error at the second plugin, in words that say so', () => {
    const errors = conflictsOf([
      holder('forward_0', 'tcp:0.0.0.0:24224', 'udp:0.0.0.0:24224'),
      holder('forward_1', 'tcp:127.0.0.1:24224'),
      holder('file_0', 'file:/log/x'),
      holder('file_1', 'file:/log/x'),
    ])
    expect(errors.map((error) => error.message)).toEqual([
      'address already in use: forward_1 wants tcp:127.0.0.1:24224, which forward_0 has (tcp:0.0.0.0:24224)',
      'path already in use: file_1 wants file:/log/x, which file_0 has',
    ])
  })
})

describe('probeClaims', () => {
  test('finds the address that is taken, and leaves nothing open', async () => {
    const host = createFakeHost()
    const taken = await host.net.listen({
      address: { kind: 'tcp', host: '127.0.0.1', port: 9999 },
      accept: () => {
        throw new Error('nobody connects')
      },
    })
    const holders = [
      holder('a', 'tcp:127.0.0.1:9999', 'udp:127.0.0.1:9999'),
      holder('b', 'other:x'),
    ]
    const errors = await probeClaims(holders, host)
    expect(errors.map((error) => error.message)).toEqual([
      expect.stringMatching(/^a could not have tcp:127\.0\.0\.1:9999: .*address already in use/),
    ])
    await taken.close()
    expect(await probeClaims(holders, host)).toEqual([])
    expect(await probeClaims(holders, host)).toEqual([])
  })

  test('asks whether paths can be written', async () => {
    const host = createFakeHost()
    const asked: string[] = []
    const disk = {
      ...host.disk,
      writable: async (path: string) => {
        asked.push(path)
        return path !== '/no'
      },
    }
    const errors = await probeClaims([holder('f', 'file:/no', 'unix:/yes')], { ...host, disk })
    expect(asked).toEqual(['/no', '/yes'])
    expect(errors.map((error) => error.message)).toEqual([
      'f could not have file:/no: the path cannot be written',
    ])
  })
})
