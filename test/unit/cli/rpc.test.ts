import { describe, expect, it } from 'vitest'
import { createRpc, parseEndpoint, type RpcSettings, startRpc } from '../../../src/cli/rpc.ts'
import type { HttpRequest } from '../../../src/core/host.ts'
import { createFakeHost } from '../../support/fake-host.ts'

function rpc(settings: RpcSettings = {}) {
  const done: string[] = []
  const refused: string[] = []
  const host = createFakeHost()
  const handle = createRpc({
    log: { ...host.log, info: (message) => void done.push(`log: ${message}`) },
    actions: {
      stop: () => done.push('stop'),
      flushAndStop: () => done.push('flush and stop'),
      reload: () => done.push('reload'),
      flush: () => done.push('flush'),
      configText: () => '<ROOT>\n</ROOT>\n',
    },
    refused: (reason, from) => void refused.push(`${reason} ${from}`),
    ...settings,
  })
  const ask = (path: string, request: Partial<HttpRequest> = {}) => {
    const response = handle({
      method: 'GET',
      url: path,
      headers: {},
      remoteAddress: '127.0.0.1',
      body: new Uint8Array(),
      ...request,
    })
    return { ...response, json: JSON.parse(String(response.body)) }
  }
  return { done, refused, ask }
}

describe('RPC', () => {
  it.each([
    ['/api/processes.interruptWorkers', 'stop'],
    ['/api/processes.killWorkers', 'stop'],
    ['/api/processes.flushBuffersAndKillWorkers', 'flush and stop'],
    ['/api/processes.zeroDowntimeRestart', 'reload'],
    ['/api/plugins.flushBuffers', 'flush'],
    ['/api/config.reload', 'reload'],
    ['/api/config.gracefulReload?x=1', 'reload'],
    ['/api/config.dump', 'log: configuration: <ROOT>\n</ROOT>\n'],
  ])('%s: %s, once it is answered', (path, what) => {
    const { done, ask } = rpc()
    const { status, headers, json, onSent } = ask(path)
    expect([status, headers, json]).toEqual([
      200,
      { 'content-type': 'application/json' },
      { ok: true },
    ])
    expect(done).toEqual(['log: RPC'])
    onSent?.()
    expect(done).toEqual(['log: RPC', what])
  })

  it('gives the configuration only where it is told to', () => {
    expect(rpc().ask('/api/config.getDump').status).toBe(404)
    const { json } = rpc({ enableGetDump: true }).ask('/api/config.getDump')
    expect(json).toEqual({ conf: '<ROOT>\n</ROOT>\n', ok: true })
  })

  it.each<[string, Partial<HttpRequest>, number]>([
    ['POST', { method: 'POST' }, 200],
    ['PUT', { method: 'PUT' }, 200],
    ['DELETE', { method: 'DELETE' }, 405],
    ['HEAD', { method: 'HEAD' }, 405],
    ['a page of another site', { headers: { origin: 'http://evil.example' } }, 403],
    ['a form of another site', { headers: { 'sec-fetch-site': 'cross-site' } }, 403],
    ['an address that somebody typed', { headers: { 'sec-fetch-site': 'none' } }, 200],
    ['another path', { url: '/api/constructor' }, 404],
    ['a name of all objects', { url: '__proto__' }, 404],
  ])('%s', (_what, request, status) => {
    const { done, ask } = rpc()
    const response = ask('/api/plugins.flushBuffers', request)
    expect([response.status, response.onSent !== undefined]).toEqual([status, status === 200])
    expect(response.json.ok).toBe(status === 200)
    expect(done).toEqual(status === 200 ? ['log: RPC'] : [])
  })

  it.each([
    [undefined, 401],
    ['Bearer hunter3', 401],
    ['Bearer hunter22', 401],
    ['hunter2', 401],
    ['Bearer hunter2', 200],
  ])('with rpc_token, Authorization %s: %i', (authorization, status) => {
    const { ask } = rpc({ rpcToken: 'hunter2' })
    expect(ask('/api/plugins.flushBuffers', { headers: { authorization } }).status).toBe(status)
  })

  it.each<[string, RpcSettings, Partial<HttpRequest>, string[]]>([
    ['this host', {}, { remoteAddress: '127.0.0.1' }, []],
    ['this host, IPv6', {}, { remoteAddress: '::1' }, []],
    ['another host', {}, { remoteAddress: '192.0.2.1' }, ['address 192.0.2.1']],
    ['nobody', {}, { remoteAddress: undefined }, ['address undefined']],
    [
      'another host that knows the token',
      { rpcToken: 'x' },
      { remoteAddress: '192.0.2.1', headers: { authorization: 'Bearer x' } },
      [],
    ],
    [
      'another host that does not',
      { rpcToken: 'x' },
      { remoteAddress: '192.0.2.1' },
      ['token 192.0.2.1'],
    ],
    ['an address', {}, { headers: { host: '10.1.2.3:24444' } }, []],
    ['an address of IPv6', {}, { headers: { host: '[::1]:24444' } }, []],
    ['localhost', {}, { headers: { host: 'LocalHost:24444' } }, []],
    ['our name', { rpcEndpoint: 'Here:1' }, { headers: { host: 'here:1' } }, []],
    [
      'a name that was made to lead here',
      { rpcEndpoint: '127.0.0.1:24444' },
      { headers: { host: 'evil.example:24444' } },
      ['name 127.0.0.1'],
    ],
    [
      'a name, with the token',
      { rpcToken: 'x' },
      { headers: { host: 'sluice.example', authorization: 'Bearer x' } },
      [],
    ],
  ])('hears %s, or does not', (_who, settings, request, expected) => {
    const { refused, ask } = rpc(settings)
    const { status } = ask('/api/plugins.flushBuffers', request)
    expect(refused).toEqual(expected)
    expect(status === 200).toBe(expected.length === 0)
  })

  it.each([
    ['127.0.0.1:24444', { host: '127.0.0.1', port: 24444 }],
    ['[::1]:24444', { host: '::1', port: 24444 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['127.0.0.1', undefined],
    ['24444', { host: '127.0.0.1', port: 24444 }],
    [':24444', { host: '127.0.0.1', port: 24444 }],
    [':', undefined],
    ['127.0.0.1:65536', undefined],
  ])('endpoint %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint)
  })

  it.each([
    ['127.0.0.1:1', undefined, 0],
    ['localhost:1', undefined, 0],
    ['[::1]:1', undefined, 0],
    ['0.0.0.0:1', 'secret', 0],
    ['0.0.0.0:1', undefined, 1],
  ])('on %s with the token %s: %i warnings', async (rpcEndpoint, rpcToken, count) => {
    const warned: string[] = []
    const log = { info: () => undefined, warn: (message: string) => void warned.push(message) }
    const http = {
      serve: async () => ({ address: { kind: 'tcp', host: 'x', port: 1 }, close: async () => {} }),
    }
    await startRpc(
      { http, log, metrics: createFakeHost().metrics } as never,
      { rpcEndpoint, rpcToken },
      {} as never,
    )
    expect(warned).toHaveLength(count)
  })
})
