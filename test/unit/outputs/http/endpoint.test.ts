import { describe, expect, it } from 'vitest'
import { chunkingOf } from '../../../../src/buffer/index.ts'
import { ConfigError, PermanentError } from '../../../../src/core/errors.ts'
import { compileEndpoint } from '../../../../src/outputs/http/endpoint.ts'
import { createVirtualClock } from '../../../support/virtual-clock.ts'
import { bufferOf } from '../../buffer/support.ts'

const chunking = chunkingOf(bufferOf({ chunk_keys: ['tag', 'k'] }), createVirtualClock())

function compile(endpoint: string, allowedHosts: string[] = []) {
  return compileEndpoint({ endpoint, allowedHosts, chunking, position: undefined })
}

function urlOf(endpoint: string, values: { tag?: string; k?: string } = {}, hosts: string[] = []) {
  return compile(endpoint, hosts).urlOf({
    id: 'c0ffee',
    metadata: {
      timekey: undefined,
      tag: values.tag ?? 'h.x',
      variables: { k: values.k ?? 'v' },
    },
  })
}

describe('endpoints', () => {
  it.each([
    ['http://h:1/in', 'http://h:1/in'],
    ['http://h', 'http://h/'],
    ['http://h?a=1', 'http://h/?a=1'],
    ['https://h/a%20b?x=%26#top', 'https://h/a%20b?x=%26'],
    ['http://h/t/${tag}/x', 'http://h/t/h.x/x'],
    ['http://h/${tag[1]}?id=${chunk_id}&k=${k}', 'http://h/x?id=c0ffee&k=v'],
    ['http://u:p@h/in', 'http://h/in'],
  ])('%s', (endpoint, expected) => {
    expect(urlOf(endpoint)).toBe(expected)
  })

  it('know credentials and TLS', () => {
    expect(compile('https://u:p%40ss@h/')).toMatchObject({ secure: true, credentials: 'u:p@ss' })
    expect(compile('http://h/')).toMatchObject({ secure: false, credentials: undefined })
  })

  it.each([
    ['a/../b', 'http://h/a%2F..%2Fb'],
    ['a b&c=d?e#f', 'http://h/a%20b%26c%3Dd%3Fe%23f'],
    ['ž\r\n', 'http://h/%C5%BE%0D%0A'],
    ['\ud800', 'http://h/%EF%BF%BD'],
    ['@evil.example', 'http://h/%40evil.example'],
  ])('encode the tag %j', (tag, expected) => {
    expect(urlOf('http://h/${tag}', { tag })).toBe(expected)
  })

  it.each(['..', '.'])('refuse the tag %j, which would change the path', (tag) => {
    expect(() => urlOf('http://h/a/${tag}/b', { tag })).toThrow(PermanentError)
    expect(urlOf('http://h/a/x${tag}/b', { tag })).toBe(`http://h/a/x${tag}/b`)
  })

  it('lead to other hosts only where they are listed', () => {
    const endpoint = 'http://${k}:80/in'
    const hosts = ['a.example.com', '::1']
    expect(urlOf(endpoint, { k: 'A.example.com' }, hosts)).toBe('http://A.example.com:80/in')
    for (const k of [
      'b.example.com',
      'a.example.com@evil',
      'evil/a.example.com',
      'a.example.com:1@evil',
      'evil#a.example.com',
      '',
      'a.example.com\\@evil',
    ]) {
      expect(() => urlOf(endpoint, { k }, hosts)).toThrow(PermanentError)
    }
  })

  it.each([
    ['golden h-endpoint-strftime', 'http://127.0.0.1:1/%Y-%m-%d/x', 'Invalid endpoint URI'],
    ['no scheme', 'h/x', 'Invalid endpoint URI'],
    ['another scheme', 'ftp://h/x', 'Invalid endpoint URI'],
    ['no host', 'http:///x', 'Invalid endpoint URI'],
    ['a space', 'http://h/a b', 'Invalid endpoint URI'],
    ['a port that is none', 'http://h:99999/', 'Invalid endpoint URI'],
    ['host from a placeholder', 'http://${tag}/', 'allowed_hosts is strictly required'],
    ['port from a placeholder', 'http://h:${k}/', 'allowed_hosts is strictly required'],
    ['no such chunk key', 'http://h/${nokey}', "chunk keys doesn't have keys nokey"],
  ])('wrong: %s', (_name, endpoint, words) => {
    expect(() => compile(endpoint)).toThrow(ConfigError)
    expect(() => compile(endpoint)).toThrow(words)
  })
})
