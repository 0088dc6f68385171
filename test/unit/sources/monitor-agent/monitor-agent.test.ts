import { describe, expect, it } from 'vitest'
import type { SourceDefinition } from '../../../../src/config/define.ts'
import { version } from '../../../../src/core/version.ts'
import { decodeBatch } from '../../../../src/msgpack/entries.ts'
import { nullOutput } from '../../../../src/outputs/null/index.ts'
import { monitorAgentSource } from '../../../../src/sources/monitor-agent/index.ts'
import { prometheusSource } from '../../../../src/sources/prometheus/index.ts'
import {
  bindText,
  createTestContext,
  outputView,
  sourceView,
} from '../../../support/plugin-context.ts'

const retry = { steps: 2, startMs: 1_700_000_000_000, nextMs: 1_700_000_004_000 }

async function serve(lines = '') {
  const test = createTestContext()
  const output = bindText(nullOutput, 'never_flush true', 'a.**')
  const views = [
    sourceView(bindText(prometheusSource, ''), 'in_0', 3),
    outputView(output, 'out_b', {
      emittedEvents: 3,
      emitCount: 2,
      errorCount: 1,
      stagedBytes: 100,
      queuedBytes: 200,
      queueLength: 6,
      stagedLength: 7,
      totalLimitBytes: 1000,
      newestTimekey: 60,
      oldestTimekey: 0,
      retry,
    }),
    outputView(output, 'out_u', { emittedEvents: 1 }),
  ]
  const app = {
    ...test.app,
    plugins: () => views,
    outputOf: (tag: string) => (tag === 'a.b' ? views[1] : undefined),
  }
  const bound = bindText(monitorAgentSource, lines)
  const source = (monitorAgentSource as SourceDefinition).create(bound.params as never, {
    ...test.context,
    app,
  })
  await source.start()
  const ask = async (url: string, method = 'GET') => {
    const response = await test.fake.http.ask(24220, { url, method })
    return { ...response, text: String(response.body) }
  }
  const plugins = async (url: string) => JSON.parse((await ask(url)).text).plugins
  return { ...test, source, ask, plugins }
}

describe('/api/plugins.json', () => {
  it('has the fields of Fluentd', async () => {
    const { plugins, source } = await serve()
    expect(source.claims).toEqual(['tcp:127.0.0.1:24220'])
    const [input, buffered, plain] = await plugins('/api/plugins.json')
    expect(input).toEqual({
      plugin_id: 'in_0',
      plugin_category: 'input',
      type: 'prometheus',
      output_plugin: false,
      retry_count: null,
      emit_records: 3,
      emit_size: 30,
    })
    expect(buffered).toEqual({
      plugin_id: 'out_b',
      plugin_category: 'output',
      type: 'null',
      output_plugin: true,
      buffer_queue_length: 6,
      buffer_timekeys: [0, 60],
      buffer_total_queued_size: 300,
      retry_count: 1,
      emit_records: 3,
      emit_size: 0,
      emit_count: 2,
      write_count: 0,
      rollback_count: 0,
      slow_flush_count: 0,
      flush_time_count: 0,
      buffer_stage_length: 7,
      buffer_stage_byte_size: 100,
      buffer_queue_byte_size: 200,
      buffer_available_buffer_space_ratios: 70,
      buffer_oldest_timekey: 0,
      buffer_newest_timekey: 60,
    })
    expect(plain).not.toHaveProperty('buffer_queue_length')
  })

  it.each([
    ['?@id=out_u', ['out_u']],
    ['?id=in_0', ['in_0']],
    ['?@type=null', ['out_b', 'out_u']],
    ['?tag=a.b', ['out_b']],
    ['?tag=other', []],
    ['?@id=nobody', []],
  ])('%s chooses', async (query, ids) => {
    const { plugins } = await serve()
    const found = await plugins(`/api/plugins.json${query}`)
    expect(found.map((one: { plugin_id: string }) => one.plugin_id)).toEqual(ids)
  })

  it('shows retries when it is told to', async () => {
    const { plugins } = await serve('include_retry true')
    const [, buffered, plain] = await plugins('/api/plugins.json')
    expect(buffered.retry).toEqual({
      start: '2023-11-14T22:13:20.000Z',
      steps: 2,
      next_time: '2023-11-14T22:13:24.000Z',
    })
    expect(plain.retry).toEqual({})
  })

  it('shows the parameters that are written when it is told to', async () => {
    const { plugins } = await serve('include_config true')
    const [input, buffered] = await plugins('/api/plugins.json')
    expect(input.config).toEqual({ '@type': 'prometheus' })
    expect(buffered.config).toEqual({
      '@type': 'null',
      '@id': 'out_b',
      arg: 'a.**',
      never_flush: 'true',
    })
  })

  it('is readable with ?debug=1 when it is told to', async () => {
    expect((await (await serve()).ask('/api/plugins.json?debug=1')).text).not.toContain('\n')
    const { ask } = await serve('include_debug_info true')
    expect((await ask('/api/plugins.json?debug=1')).text).toContain('\n  "plugins"')
  })
})

it('/api/plugins is LTSV, without nested values', async () => {
  const { ask } = await serve('include_retry true')
  const { text, headers } = await ask('/api/plugins')
  expect(headers?.['content-type']).toMatch(/^text\/plain/)
  const lines = text.split('\n')
  expect(lines[0]).toBe(
    'plugin_id:in_0\tplugin_category:input\ttype:prometheus\toutput_plugin:false\tretry_count:\temit_records:3\temit_size:30',
  )
  expect(lines[1]).toContain('\tbuffer_timekeys:0,60\t')
  expect(lines[1]).not.toContain('\tretry:')
  expect(lines).toHaveLength(4)
})

it('/api/config and /api/config.json tell of the process', async () => {
  const { ask } = await serve()
  const config = JSON.parse((await ask('/api/config.json')).text)
  expect(config).toEqual({
    pid: 4711,
    ppid: process.ppid,
    version,
    config_path: '/etc/test.conf',
    workers: 1,
    worker_id: 0,
  })
  expect((await ask('/api/config')).text).toMatch(/^pid:4711\tppid:\d+\tversion:/)
})

it.each([
  ['GET', '/healthz', 200],
  ['GET', '/readyz', 200],
  ['GET', '/api/nothing', 404],
  ['POST', '/api/plugins.json', 405],
])('%s %s is %i', async (method, url, status) => {
  expect((await (await serve()).ask(url, method)).status).toBe(status)
})

describe('with a tag', () => {
  it('emits the figures as events', async () => {
    const { fake, emitted, source } = await serve('tag monitor\nemit_interval 10')
    await fake.clock.advance(10_000)
    await fake.clock.advance(10_000)
    expect(emitted.map(({ tag, count }) => [tag, count])).toEqual([
      ['monitor', 3],
      ['monitor', 3],
    ])
    const events = decodeBatch(emitted[0] as { packed: Uint8Array })
    expect(events[1]?.record.get('plugin_id')).toBe('out_b')
    expect(events[1]?.record.get('buffer_timekeys')).toEqual([0, 60])
    expect(events[0]?.time.seconds).toBe(1_700_000_010)
    await source.stop(AbortSignal.abort())
    await fake.clock.advance(10_000)
    expect(emitted).toHaveLength(2)
  })
})

it('the version is that of package.json', async () => {
  const { default: packageJson } = await import('../../../../package.json', {
    with: { type: 'json' },
  })
  expect(version).toBe(packageJson.version)
})
