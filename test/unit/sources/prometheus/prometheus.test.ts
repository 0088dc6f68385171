// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the configuration
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { PluginContext, SourceDefinition } from '../../../../src/config/define.ts'
import { nullOutput } from '../../../../src/outputs/null/index.ts'
import { prometheusSource } from '../../../../src/sources/prometheus/index.ts'
import { mergeExpositions } from '../../../../src/sources/prometheus/merge.ts'
import { prometheusMonitorSource } from '../../../../src/sources/prometheus-monitor/index.ts'
import { prometheusOutputMonitorSource } from '../../../../src/sources/prometheus-output-monitor/index.ts'
import { prometheusTailMonitorSource } from '../../../../src/sources/prometheus-tail-monitor/index.ts'
import {
  bindText,
  createTestContext,
  outputView,
  sourceView,
} from '../../../support/plugin-context.ts'

type Definition = typeof prometheusSource

function create(definition: Definition, lines: string, context: PluginContext) {
  const bound = bindText(definition, lines)
  return (definition as SourceDefinition).create(bound.params as never, context)
}

const body = (response: { body?: Uint8Array | string }) => String(response.body)

describe('prometheus', () => {
  async function serve(lines = '', more: Parameters<typeof createTestContext>[0] = {}) {
    const test = createTestContext(more)
    test.metrics.counter({ name: 'a_total', help: 'A.' }).add(1)
    const source = create(prometheusSource, lines, test.context)
    await source.start()
    return { ...test, source }
  }

  it('serves metrics and health on its port', async () => {
    const { fake, source } = await serve()
    expect(source.claims).toEqual(['tcp:0.0.0.0:24231'])
    const metrics = await fake.http.ask(24231, { url: '/metrics?x=1' })
    expect(metrics.headers?.['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(body(metrics)).toContain('\na_total 1\n')
    expect(body(await fake.http.ask(24231, { url: '/aggregated_metrics' }))).toContain('a_total 1')
    expect(body(await fake.http.ask(24231, { url: '/healthz' }))).toBe('ok\n')
    expect(body(await fake.http.ask(24231, { url: '/readyz' }))).toBe('ready\n')
    await source.stop(AbortSignal.abort())
    await source.stop(AbortSignal.abort())
    await expect(fake.http.ask(24231, { url: '/healthz' })).rejects.toThrow()
  })

  it.each([
    ['GET', '/', 404],
    ['GET', '/__proto__', 404],
    ['GET', '/metrics/', 404],
    ['POST', '/metrics', 405],
    ['HEAD', '/metrics', 200],
  ])('%s %s is %i', async (method, url, status) => {
    const { fake } = await serve()
    expect((await fake.http.ask(24231, { method, url })).status).toBe(status)
  })

  it('is not ready while the application is not', async () => {
    const { app } = createTestContext()
    const { fake } = await serve('', { app: { ...app, ready: () => false } })
    expect((await fake.http.ask(24231, { url: '/readyz' })).status).toBe(503)
    expect((await fake.http.ask(24231, { url: '/healthz' })).status).toBe(200)
  })

  it('listens where it is told, each worker on its own port', async () => {
    const { context } = createTestContext()
    const system = { ...context.system, workers: 3, workerId: 2 }
    const { fake, source } = await serve('bind "[::1]"\nport 9000\nmetrics_path /m', { system })
    expect(source.claims).toEqual(['tcp:::1:9002'])
    expect((await fake.http.ask(9002, { url: '/m' })).status).toBe(200)
  })

  it('gives the metrics of all workers, each with its number', async () => {
    const { context } = createTestContext()
    const { fake } = await serve('', { system: { ...context.system, workers: 3 } })
    fake.http.answer = ({ url }) => {
      if (url.includes(':24233')) throw new Error('refused')
      const text = '# HELP a_total A.\n# TYPE a_total counter\na_total 5\n'
      return { status: 200, headers: {}, body: new TextEncoder().encode(text) }
    }
    const answer = body(await fake.http.ask(24231, { url: '/aggregated_metrics' }))
    expect(answer).toContain('a_total{worker_id="0"} 1\na_total{worker_id="1"} 5\n')
    expect(fake.http.requests.map(({ url }) => url)).toEqual([
      'http://127.0.0.1:24232/metrics',
      'http://127.0.0.1:24233/metrics',
    ])
    expect(fake.log.messages('error')).toEqual(['a worker does not give its metrics'])
  })

  it('compresses for clients that accept it', async () => {
    const { fake } = await serve('content_encoding gzip')
    const headers = { 'accept-encoding': 'gzip, br' }
    const packed = await fake.http.ask(24231, { url: '/metrics', headers })
    expect(packed.headers?.['content-encoding']).toBe('gzip')
    expect(gunzipSync(packed.body as Uint8Array).toString()).toContain('a_total 1')
    const plain = await fake.http.ask(24231, { url: '/metrics' })
    expect(body(plain)).toContain('a_total 1')
  })

  it.each([
    ['metrics_path metrics', 'a path begins with /'],
    ['port 70000', '70000'],
    ['<transport tls>\n</transport>', 'no valid cert options'],
    ['<ssl>\nenable true\ncertificate_path /x\n</ssl>', 'private_key_path is required'],
    ['<ssl>\nextra_conf {"SSLVerifyClient": 1}\n</ssl>', 'no such server here'],
  ])('refuses %j', (lines, message) => {
    expect(() => create(prometheusSource, lines, createTestContext().context)).toThrow(message)
  })
})

it('metrics of workers are put together by name', () => {
  const texts = new Map([
    [0, '# HELP a A.\n# TYPE a gauge\na{x="{}"} 1\na{} 2\n\n# TYPE b gauge\nb{worker_id="7"} 3\n'],
    [1, '# HELP a A.\n# TYPE a gauge\na{x="y z"} 4\n'],
  ])
  expect(mergeExpositions(texts).split('\n')).toEqual([
    '# HELP a A.',
    '# TYPE a gauge',
    'a{x="{}",worker_id="0"} 1',
    'a{worker_id="0"} 2',
    'a{x="y z",worker_id="1"} 4',
    '# TYPE b gauge',
    'b{worker_id="7"} 3',
    '',
  ])
})

const buffered = {
  emittedEvents: 30,
  deliveredEvents: 20,
  bufferedEvents: 10,
  emitCount: 3,
  writeCount: 2,
  rollbackCount: 1,
  slowFlushCount: 4,
  errorCount: 5,
  stagedBytes: 100,
  queuedBytes: 200,
  queueLength: 6,
  stagedLength: 7,
  totalLimitBytes: 1000,
  flushTimeMs: 88.4,
  newestTimekey: 1700000060,
  oldestTimekey: 1700000000,
  retry: { steps: 1, startMs: 1000, nextMs: 3500 },
}

async function monitored(definition: Definition, lines: string, system = {}) {
  const test = createTestContext()
  const bound = bindText(nullOutput, '')
  const app = {
    ...test.app,
    plugins: () => [
      sourceView(bindText(prometheusSource, ''), 'in_0', 30),
      outputView(bound, 'buffered', buffered),
      outputView(bound, 'plain', { emittedEvents: 2, errorCount: 0 }),
    ],
  }
  const source = create(definition, lines, {
    ...test.context,
    app,
    system: { ...test.context.system, ...system },
  })
  await source.start()
  await source.start()
  const samples = async () =>
    (await test.metrics.expose()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return { ...test, source, samples }
}

describe('prometheus_monitor', () => {
  it("gives fluent-plugin-prometheus' figures of outputs", async () => {
    const { samples, source } = await monitored(
      prometheusMonitorSource,
      '<labels>\nh ${hostname}\n</labels>',
    )
    const labels = (id: string) =>
      `{h="sluice.test",plugin_id="${id}",plugin_category="output",type="null"}`
    expect((await samples()).sort()).toEqual([
      `fluentd_status_buffer_newest_timekey${labels('buffered')} 1700000060`,
      `fluentd_status_buffer_oldest_timekey${labels('buffered')} 1700000000`,
      `fluentd_status_buffer_queue_length${labels('buffered')} 6`,
      `fluentd_status_buffer_total_bytes${labels('buffered')} 300`,
      `fluentd_status_retry_count${labels('buffered')} 5`,
      `fluentd_status_retry_count${labels('plain')} 0`,
    ])
    await source.stop(AbortSignal.abort())
    expect(await samples()).toEqual([])
  })
})

describe('prometheus_output_monitor', () => {
  it("gives fluent-plugin-prometheus' figures of outputs", async () => {
    const { samples } = await monitored(prometheusOutputMonitorSource, '')
    const prefix = 'fluentd_output_status_'
    const of = async (id: string) =>
      Object.fromEntries(
        (await samples())
          .filter((line) => line.includes(`{plugin_id="${id}",type="null"}`))
          .map((line) => [
            line.slice(prefix.length, line.indexOf('{')),
            Number(line.split(' ')[1]),
          ]),
      )
    expect(await of('buffered')).toEqual({
      buffer_total_bytes: 300,
      buffer_stage_length: 7,
      buffer_stage_byte_size: 100,
      buffer_queue_length: 6,
      buffer_queue_byte_size: 200,
      buffer_available_space_ratio: 70,
      buffer_newest_timekey: 1700000060,
      buffer_oldest_timekey: 1700000000,
      retry_count: 5,
      num_errors: 5,
      emit_count: 3,
      emit_records: 30,
      write_count: 2,
      rollback_count: 1,
      flush_time_count: 88,
      slow_flush_count: 4,
      retry_wait: 2.5,
    })
    expect(Object.keys(await of('plain'))).not.toContain('buffer_queue_length')
  })

  it.each([
    ['', 'gauge'],
    ['gauge_all false', 'counter'],
  ])('%j counts with a %s', async (lines, type) => {
    const { metrics } = await monitored(prometheusOutputMonitorSource, lines)
    const text = await metrics.expose()
    expect(text).toContain(`# TYPE fluentd_output_status_emit_records ${type}`)
    expect(text).toContain('# TYPE fluentd_output_status_rollback_count gauge')
  })

  it('names the worker where there are several', async () => {
    const { samples } = await monitored(prometheusOutputMonitorSource, '', {
      workers: 2,
      workerId: 1,
    })
    expect((await samples())[0]).toContain('{worker_id="1",plugin_id="')
  })
})

it.each([prometheusMonitorSource, prometheusOutputMonitorSource, prometheusTailMonitorSource])(
  '$name has no records to take labels from',
  (definition) => {
    const { context } = createTestContext()
    expect(() => create(definition, '<labels>\na $.x\n</labels>', context)).toThrow(
      'fields of records cannot be used here',
    )
  },
)

it('prometheus_tail_monitor shows how far files were read', async () => {
  const { context, metrics, app } = createTestContext()
  const bound = bindText(prometheusSource, '')
  app.plugins = () => [
    sourceView(bound, 'other', 0),
    {
      ...sourceView(bound, 'in_tail', 0),
      type: 'tail',
      files: () => [{ path: '/l/a.log', position: 12, inode: 34n }],
    },
  ]
  const source = create(prometheusTailMonitorSource, '<labels>\nwhere here\n</labels>', context)
  await source.start()
  const labels = '{where="here",plugin_id="in_tail",type="tail",path="/l/a.log"}'
  const text = await metrics.expose()
  expect(text).toContain(`fluentd_tail_file_position${labels} 12\n`)
  expect(text).toContain(`fluentd_tail_file_inode${labels} 34\n`)
  await source.stop(new AbortController().signal)
  expect(await metrics.expose()).not.toContain('fluentd_tail')
})
