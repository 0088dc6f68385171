import { describe, expect, it } from 'vitest'
import { createMetrics, defaultMaxSeries } from '../../../src/observe/metrics.ts'

const open = () => createMetrics({ processMetrics: false })
const lines = async (metrics: ReturnType<typeof open>) =>
  (await metrics.expose()).split('\n').filter((line) => line !== '')

describe('instruments', () => {
  it('are written in the text format', async () => {
    const metrics = open()
    metrics.counter({ name: 'a_total', help: 'As.', labels: { type: 'x"\n\\' } }).add(3)
    metrics.gauge({ name: 'b', help: 'Bs.' }).set(-1.5)
    metrics.observableGauge({ name: 'c', help: 'Cs.', labels: { n: '1' } }, () => 7)
    metrics.observableCounter({ name: 'd_total', help: 'Ds.' }, () => 8)
    expect(await lines(metrics)).toEqual([
      '# HELP a_total As.',
      '# TYPE a_total counter',
      'a_total{type="x\\"\\n\\\\"} 3',
      '# HELP b Bs.',
      '# TYPE b gauge',
      'b -1.5',
      '# HELP c Cs.',
      '# TYPE c gauge',
      'c{n="1"} 7',
      '# HELP d_total Ds.',
      '# TYPE d_total counter',
      'd_total 8',
    ])
  })

  it('a histogram has cumulative buckets', async () => {
    const metrics = open()
    const histogram = metrics.histogram({ name: 'h', help: 'H.', buckets: [5, 0.1, 1] })
    for (const value of [0.1, 0.5, 5, 50]) histogram.observe(value)
    expect((await lines(metrics)).slice(2)).toEqual([
      'h_bucket{le="0.1"} 1',
      'h_bucket{le="1"} 2',
      'h_bucket{le="5"} 3',
      'h_bucket{le="+Inf"} 4',
      'h_sum 55.6',
      'h_count 4',
    ])
  })

  it('a summary has sum and count', async () => {
    const metrics = open()
    const summary = metrics.summary({ name: 's', help: 'S.' })
    summary.observe(2)
    summary.observe(3)
    expect((await lines(metrics)).slice(1)).toEqual(['# TYPE s summary', 's_sum 5', 's_count 2'])
  })

  it('are the same for the same name and labels, in any order', () => {
    const metrics = open()
    const name = { name: 'a_total', help: 'As.' }
    const first = metrics.counter({ ...name, labels: { a: '1', b: '2' } })
    metrics.counter({ ...name, labels: { b: '2', a: '1' } }).add(2)
    metrics.counter({ ...name, labels: { a: '1', b: '3' } }).add(9)
    expect(first.value).toBe(2)
  })

  it('leave out what has no value', async () => {
    const metrics = open()
    metrics.observableGauge({ name: 'c', help: 'Cs.' }, () => Number.NaN)
    metrics.gauge({ name: 'g', help: 'Gs.' }).set(Number.NaN)
    expect((await lines(metrics)).filter((line) => !line.startsWith('#'))).toEqual([])
  })

  it.each(['', '1a', 'a-b', 'a b', 'a\nb', 'é', 'x'.repeat(300)])(
    'refuse the name "%s"',
    (name) => {
      expect(() => open().counter({ name, help: '' })).toThrow(/bad metric name/)
    },
  )

  it('refuse one name for two types', () => {
    const metrics = open()
    metrics.counter({ name: 'a', help: '' })
    expect(() => metrics.gauge({ name: 'a', help: '' })).toThrow('metric a is a counter')
  })
})

describe('label sets', () => {
  it('beyond the limit are counted together, and that is counted', async () => {
    const metrics = open()
    const of = (tag: string) =>
      metrics.counter({ name: 'u_total', help: 'U.', labels: { tag, reason: 'r' } })
    for (let index = 0; index < defaultMaxSeries + 20; index++) of(`tag${index}`).add(1)
    of('tag0').add(5)
    const text = await lines(metrics)
    expect(text).toContain('u_total{tag="tag0",reason="r"} 6')
    expect(text).toContain('u_total{tag="(other)",reason="r"} 20')
    expect(text).toContain('sluice_metrics_merged_label_sets_total{metric="u_total"} 20')
    expect(text.filter((line) => line.startsWith('u_total'))).toHaveLength(defaultMaxSeries + 1)
  })

  it('have values of bounded length', async () => {
    const metrics = open()
    metrics.counter({ name: 'u_total', help: 'U.', labels: { tag: 'x'.repeat(9999) } }).add(1)
    expect((await lines(metrics))[2]).toBe(`u_total{tag="${'x'.repeat(256)}"} 1`)
  })

  it('are forgotten by some of their labels', async () => {
    const metrics = open()
    for (const id of ['one', 'two']) {
      metrics.counter({ name: 'a_total', help: 'A.', labels: { plugin_id: id, n: '1' } }).add(1)
    }
    metrics.counter({ name: 'b_total', help: 'B.', labels: { plugin_id: 'one' } }).add(1)
    metrics.forget({ plugin_id: 'one' })
    const text = await lines(metrics)
    expect(text.slice(2)).toEqual(['a_total{plugin_id="two",n="1"} 1'])
  })
})

describe('collectors', () => {
  it('are asked at each scrape until they are ended', async () => {
    const metrics = open()
    let value = 1
    const name = { name: 'g', help: 'G.', type: 'gauge' as const }
    const stop = metrics.collect((report) => {
      report({ ...name, labels: { p: 'a' }, value })
      report({ ...name, labels: { p: 'b' }, value: value * 2 })
    })
    expect((await lines(metrics)).slice(2)).toEqual(['g{p="a"} 1', 'g{p="b"} 2'])
    value = 5
    expect((await lines(metrics)).slice(2)).toEqual(['g{p="a"} 5', 'g{p="b"} 10'])
    stop()
    expect(await lines(metrics)).toEqual([])
  })

  it('add to what instruments of the same name have', async () => {
    const metrics = open()
    metrics.gauge({ name: 'g', help: 'G.', labels: { p: 'a' } }).set(1)
    metrics.collect((report) =>
      report({ name: 'g', help: 'G.', type: 'gauge', labels: { p: 'b' }, value: 2 }),
    )
    expect((await lines(metrics)).slice(2)).toEqual(['g{p="a"} 1', 'g{p="b"} 2'])
  })
})

it("the process's own metrics are among them", async () => {
  const text = await createMetrics().expose()
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m)
  const cpuSeconds = Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1])
  // Of the whole life of the process, within what the test itself takes.
  const { user, system } = process.cpuUsage()
  expect(cpuSeconds).toBeGreaterThan(0.05)
  expect(cpuSeconds).toBeLessThanOrEqual((user + system) / 1e6)
})
