// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the configuration
import { describe, expect, it } from 'vitest'
import type { FilterDefinition, OutputDefinition } from '../../../../src/config/define.ts'
import { MsgFloat, type MsgMap, type MsgValue } from '../../../../src/core/value.ts'
import { prometheusFilter } from '../../../../src/filters/prometheus/index.ts'
import { Encoder } from '../../../../src/msgpack/encode.ts'
import { prometheusOutput } from '../../../../src/outputs/prometheus/index.ts'
import { bindText, createTestContext } from '../../../support/plugin-context.ts'

function batchOf(tag: string, records: readonly MsgMap[]) {
  const encoder = new Encoder()
  for (const record of records) {
    encoder.arrayHeader(2)
    encoder.value(1)
    encoder.value(record)
  }
  return { tag, packed: encoder.copy(), count: records.length }
}

const record = (fields: Record<string, MsgValue>): MsgMap => new Map(Object.entries(fields))

function open(lines: string, system = {}) {
  const test = createTestContext()
  const context = { ...test.context, system: { ...test.context.system, ...system } }
  const bound = bindText(prometheusFilter, lines)
  const filter = (prometheusFilter as FilterDefinition).create(bound.params as never, context)
  const text = async () =>
    (await test.metrics.expose())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('# HELP'))
  return { ...test, filter, text }
}

const metric = (lines: string) => `<metric>\nname m\ndesc M.\n${lines}\n</metric>`

describe('metrics', () => {
  const three = [record({ n: 1 }), record({ n: 2.5 }), record({ n: new MsgFloat(4) })]
  const cases: [string, string, string[]][] = [
    ['a counter of events', 'type counter', ['# TYPE m counter', 'm 3']],
    ['a counter of a field', 'type counter\nkey n', ['# TYPE m counter', 'm 7.5']],
    ['a gauge', 'type gauge\nkey n', ['# TYPE m gauge', 'm 4']],
    ['a summary', 'type summary\nkey $.n', ['# TYPE m summary', 'm_sum 7.5', 'm_count 3']],
    [
      'a histogram',
      'type histogram\nkey n\nbuckets 1, 2.5',
      [
        '# TYPE m histogram',
        'm_bucket{le="1"} 1',
        'm_bucket{le="2.5"} 2',
        'm_bucket{le="+Inf"} 3',
        'm_sum 7.5',
        'm_count 3',
      ],
    ],
  ]
  it.each(cases)('%s', async (_, lines, expected) => {
    const { filter, text } = open(metric(lines))
    const batch = batchOf('a', three)
    expect(filter.apply(batch)).toBe(batch)
    expect(await text()).toEqual(expected)
  })

  it('a histogram has usual buckets where none are given', async () => {
    const { filter, text } = open(metric('type histogram\nkey n'))
    filter.apply(batchOf('a', [record({ n: 0.3 })]))
    expect(await text()).toContain('m_bucket{le="0.5"} 1')
  })

  it('ignore events without the field', async () => {
    const { filter, text, fake } = open(metric('type counter\nkey n'))
    filter.apply(batchOf('a', [record({}), record({ n: null }), record({ n: 2 })]))
    expect(await text()).toEqual(['# TYPE m counter', 'm 2'])
    expect(fake.log.lines).toEqual([])
  })

  it.each([
    ['text', 'n', record({ n: '5' }), 'the value is no number'],
    ['a step down of a counter', 'n', record({ n: -1 }), 'a counter cannot go down'],
    ['a path through a text', '$.n.x', record({ n: 'a' }), 'metric m:'],
  ])('count %s as a failure, and let the event pass', async (_, key, fields, message) => {
    const { filter, fake, text } = open(metric(`type counter\nkey ${key}`))
    const batch = batchOf('a', [fields])
    expect(filter.apply(batch)).toBe(batch)
    expect(String(fake.log.lines[0]?.fields.error)).toContain(message)
    expect(await text()).toContain(
      'sluice_record_metrics_failures_total{plugin_id="test_0",type="prometheus"} 1',
    )
  })

  it('of the same name in two places are one', async () => {
    const { context, metrics } = createTestContext()
    const made = [1, 2].map(() =>
      (prometheusFilter as FilterDefinition).create(
        bindText(prometheusFilter, metric('type counter')).params as never,
        context,
      ),
    )
    for (const filter of made) filter.apply(batchOf('a', [record({})]))
    expect(await metrics.expose()).toContain('\nm 2\n')
  })

  it('end in the output of the same name', async () => {
    const { context, metrics } = createTestContext()
    const bound = bindText(prometheusOutput, metric('type counter'))
    const output = (prometheusOutput as OutputDefinition).create?.(bound.params as never, context)
    output?.emit(batchOf('a', [record({}), record({})]))
    expect(await metrics.expose()).toContain('\nm 2\n')
    expect(output?.statistics?.()).toMatchObject({ emittedEvents: 2, deliveredEvents: 2 })
  })
})

describe('labels', () => {
  const fields = record({
    level: 'info',
    code: 200,
    list: ['x', 'y'],
    kube: record({ pod: 'p1', 'a.b': 'dots' }),
    tag: 'forged',
    none: null,
  })
  const cases: [string, string][] = [
    ['plain text', 'plain text'],
    ['${tag}', 'a.b.c'],
    ['${tag_parts[0]}', 'a'],
    ['${tag_parts[-1]}', 'c'],
    ['${tag_parts[3]}', '${tag_parts[3]}'],
    ['${tag_prefix[1]}', 'a.b'],
    ['${tag_suffix[1]}', 'b.c'],
    ['${tag_suffix[9]}', '${tag_suffix[9]}'],
    ['${hostname}-${worker_id}', 'sluice.test-0'],
    ['${level}/${code}', 'info/200'],
    ['${list[1]}${list[-1]}', 'yy'],
    ['${kube["pod"]}', 'p1'],
    ['${none}', ''],
    ['${missing}', '${missing}'],
    ['${kube}', '${kube}'],
    ['$.kube.pod', 'p1'],
    ["$['kube']['a.b']", 'dots'],
    ['$.list[0]', 'x'],
    ['$.missing.deep', ''],
  ]
  it.each(cases)('%s', async (written, expected) => {
    const { filter, text } = open(metric(`type counter\n<labels>\nl ${written}\n</labels>`))
    filter.apply(batchOf('a.b.c', [fields]))
    expect(await text()).toEqual(['# TYPE m counter', `m{l="${expected}"} 1`])
  })

  it('of the section come before those of the metric', async () => {
    const { filter, text } = open(
      `<labels>\na one\nb two\n</labels>\n${metric('type counter\n<labels>\nb three\n</labels>')}`,
    )
    filter.apply(batchOf('t', [record({})]))
    expect(await text()).toEqual(['# TYPE m counter', 'm{a="one",b="three"} 1'])
  })

  it('have a bound', async () => {
    const { filter, text } = open(metric('type counter\n<labels>\nid ${id}\n</labels>'))
    const records = Array.from({ length: 10_005 }, (_, id) => record({ id }))
    filter.apply(batchOf('t', records))
    const lines = await text()
    expect(lines).toContain('m{id="(other)"} 5')
    expect(lines.filter((line) => line.startsWith('m{'))).toHaveLength(10_001)
  })
})

describe('initialized metrics', () => {
  it('are there before any event', async () => {
    const plain = open(metric('type counter\ninitialized true\n<labels>\nh ${hostname}\n</labels>'))
    expect(await plain.text()).toEqual(['# TYPE m counter', 'm{h="sluice.test"} 0'])
    const sets = open(
      metric(
        'type gauge\nkey n\ninitialized true\n<labels>\nk $.foo\nh x\n</labels>\n<initlabels>\nk one\n</initlabels>\n<initlabels>\nk two\n</initlabels>',
      ),
    )
    expect(await sets.text()).toEqual([
      '# TYPE m gauge',
      'm{h="x",k="one"} 0',
      'm{h="x",k="two"} 0',
    ])
  })
})

describe('configuration errors', () => {
  it.each([
    ['type gauge', 'a gauge needs a key'],
    ['type other', 'type'],
    ['type histogram\nkey n\nbuckets 1,x', '"x" is no upper bound'],
    ['type counter\n<labels>\n1a x\n</labels>', 'cannot be the name of a label'],
    ['type counter\n<labels>\n__a x\n</labels>', 'cannot be the name of a label'],
    ['type histogram\nkey n\n<labels>\nle x\n</labels>', 'label "le"'],
    ['type counter\n<labels>\na $.x[\n</labels>', 'x['],
    ['type counter\ninitialized true\n<labels>\na $.x\n</labels>', 'needs <initlabels>'],
    [
      'type counter\ninitialized true\n<labels>\na x\n</labels>\n<initlabels>\na y\n</initlabels>',
      'can only set labels that depend on events',
    ],
    [
      'type counter\ninitialized true\n<labels>\na $.x\n</labels>\n<initlabels>\na ${y}\n</initlabels>',
      'plain values only',
    ],
  ])('%s', (lines, message) => {
    expect(() => open(metric(lines))).toThrow(message)
  })

  it('a name that cannot be', () => {
    expect(() => open('<metric>\nname a-b\ntype counter\ndesc x\n</metric>')).toThrow(
      'bad metric name',
    )
  })

  it('a name of two types', () => {
    const both = `${metric('type counter')}\n${metric('type gauge\nkey n')}`
    expect(() => open(both)).toThrow('metric m is a counter, not a gauge')
  })
})
