import { describe, expect, it } from 'vitest'
import { bufferTypes } from '../../../../src/buffer/types.ts'
import { createDiscovery } from '../../../../src/outputs/forward/discovery.ts'
import { forwardOutput } from '../../../../src/outputs/forward/index.ts'
import type { ForwardParams } from '../../../../src/outputs/forward/shape.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { bindText } from '../../../support/plugin-context.ts'

const host = createFakeHost()

/** The servers of a <service_discovery> section of forward. */
async function serversOf(lines: string) {
  const section = `<service_discovery>\n${lines}\n</service_discovery>`
  const { params } = bindText(forwardOutput, section, '**', bufferTypes)
  const [discovery] = (params as never as ForwardParams).serviceDiscovery
  const made = createDiscovery(discovery!, host, host.log)
  made.check()
  const servers = await made.start(() => undefined)
  made.stop()
  return servers
}

const defaults = {
  name: undefined,
  weight: 60,
  standby: false,
  sharedKey: undefined,
  username: '',
  password: '',
}

describe('static', () => {
  it.each<[string, object]>([
    ['', {}],
    ['name one', { name: 'one' }],
    ['weight 10', { weight: 10 }],
    ['standby true', { standby: true }],
    ['shared_key k', { sharedKey: 'k' }],
    ['username u\npassword p', { username: 'u', password: 'p' }],
  ])('<service> with host, port and %j', async (line, more) => {
    const service = `<service>\nhost h.example\nport 24999\n${line}\n</service>`
    const wanted = { ...defaults, host: 'h.example', port: 24_999, ...more }
    expect(await serversOf(`@type static\n${service}`)).toEqual([wanted])
  })
})

describe('srv', () => {
  it.each([
    ['', '_fluentd._tcp.example.com', true, '10.0.0.1'],
    ['proto udp', '_fluentd._udp.example.com', true, '10.0.0.1'],
    ['dns_lookup false', '_fluentd._tcp.example.com', false, 'a.example'],
  ])('with %j', async (line, asked, addresses, used) => {
    const questions: unknown[] = []
    host.net.resolveSrv = async (name, options) => {
      questions.push([name, options?.addresses])
      const address = options?.addresses === true ? '10.0.0.1' : undefined
      return [{ priority: 1, weight: 5, port: 7, target: 'a.example', address } as never]
    }
    const lines = `@type srv\nservice fluentd\nhostname example.com\n${line}`
    const servers = await serversOf(lines)
    expect(questions).toEqual([[asked, addresses]])
    expect(servers).toEqual([{ ...defaults, name: 'a.example', host: used, port: 7, weight: 5 }])
  })
})

describe('file', () => {
  it('conf_encoding: utf-8 alone is read', async () => {
    host.disk.put('/sd.yaml', '- host: žluť.example\n  port: 1\n')
    const lines = '@type file\npath /sd.yaml\nconf_encoding'
    expect(await serversOf(`${lines} UTF-8`)).toMatchObject([{ host: 'žluť.example' }])
    await expect(serversOf(`${lines} euc-jp`)).rejects.toThrow('other encodings are not read')
  })
})
