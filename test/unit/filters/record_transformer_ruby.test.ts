import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/errors.ts'
import { recordTransformerFilter } from '../../../src/filters/record_transformer/index.ts'
import { batchOf, eventsOf, recordOf } from '../../support/batches.ts'
import { bindText, createTestContext } from '../../support/plugin-context.ts'

function create(lines: string) {
  const failed: string[] = []
  const { context, fake } = createTestContext({
    emitError: (batch, error) => failed.push(`${batch.tag} ${batch.count} ${error.message}`),
  })
  const bound = bindText(recordTransformerFilter, `enable_ruby true\n${lines}`)
  const filter = recordTransformerFilter.create(bound.params as never, context)
  return { filter, failed, fake }
}

const run = (lines: string, record: object, tag = 'a.b.c') => [
  ...(eventsOf(create(lines).filter.apply(batchOf(tag, [record])))[0]?.[1] ?? []),
]

describe('record_transformer with enable_ruby', () => {
  it.each<[string, string, object, object]>([
    [
      'an average',
      '<record>\navg ${record["total"] / record["count"]}\n</record>',
      { total: 9, count: 2 },
      { total: 9, count: 2, avg: 4 },
    ],
    [
      'parts of the tag',
      '<record>\ns ${tag_suffix[1]}\nl ${tag_parts.last}\nx a-${tag_parts[0].upcase}\n</record>',
      {},
      { s: 'b.c', l: 'c', x: 'a-A' },
    ],
    [
      'a nested field, a default, a choice',
      '<record>\napp ${record.dig("k8s", "app") || "none"}\nbad ${record["code"].to_i >= 500 ? true : false}\n</record>',
      { code: '503' },
      { code: '503', app: 'none', bad: true },
    ],
    [
      'JSON with expressions in it',
      '<record>\nm {"a":"${record[\'x\'] + 1}","${tag}":["${tag}-1"]}\n</record>',
      { x: 1 },
      { x: 1, m: { a: 2, 'a.b.c': ['a.b.c-1'] } },
    ],
    ['keys', '<record>\n${tag_parts[0]}_key ${1 + 1}\n</record>', {}, { a_key: 2 }],
    [
      'a field in its place',
      '<record>\nlevel ${record["level"].downcase}\n</record>',
      { level: 'WARN', m: 1 },
      { level: 'warn', m: 1 },
    ],
    [
      'the old record, whatever is set',
      '<record>\na ${record["a"] + 1}\nb ${record["a"]}\n</record>',
      { a: 1 },
      { a: 2, b: 1 },
    ],
    [
      'text without auto_typecast',
      'auto_typecast false\n<record>\na ${1 + 1}\n</record>',
      {},
      { a: '2' },
    ],
    [
      'a renewed record',
      'renew_record true\nkeep_keys x\n<record>\na ${record["y"]}\n</record>',
      { x: 1, y: 2 },
      { x: 1, a: 2 },
    ],
    [
      'removed fields',
      'remove_keys x,$.k.a\n<record>\ny ${record["x"]}\n</record>',
      { x: 1, k: { a: 1, b: 2 } },
      { k: { b: 2 }, y: 1 },
    ],
    [
      'the time',
      "<record>\nt ${time.utc.strftime('%FT%TZ')}\n</record>",
      {},
      { t: '2023-11-14T22:13:20Z' },
    ],
    ['the host', '<record>\nh ${hostname.split(".").first}\n</record>', {}, { h: 'sluice' }],
  ])('sets %s', (_, lines, record, wanted) => {
    expect(run(lines, record)).toEqual([...recordOf(wanted)])
  })

  it('reports the events that an expression fails for, and no others', () => {
    const { filter, failed } = create('<record>\na ${record["a"].upcase}\n</record>')
    const out = eventsOf(filter.apply(batchOf('t', [{ a: 'x' }, { b: 1 }, { a: 'y' }])))
    expect(out.map(([, record]) => record.get('a'))).toEqual(['X', 'Y'])
    expect(failed).toEqual(["t 1 undefined method 'upcase' for nil"])
  })

  it('sees each tag', () => {
    const { filter } = create('<record>\nt ${tag_parts[-1]}\n</record>')
    for (const tag of ['a.b', 'a.c', 'a.b']) {
      const [[, record] = []] = eventsOf(filter.apply(batchOf(tag, [{}])))
      expect(record?.get('t')).toBe(tag.slice(-1))
    }
  })

  it('does not nest deeper than an event may be', () => {
    let deep: object = {}
    for (let i = 0; i < 60; i++) deep = { d: deep }
    const { filter, failed } = create('<record>\nm {"a":{"b":"${record}"}}\n</record>')
    expect(filter.apply(batchOf('t', [deep]))).toBeUndefined()
    expect(failed[0]).toContain('nested')
  })

  it('refuses what needs Ruby, with its place', () => {
    let error: unknown
    try {
      create('<record>\nok ${tag}\nbad ${record["a"].map { |x| x }}\n</record>')
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({
      message: expect.stringContaining('the method `map` is not known here'),
      position: { line: 6, column: 'bad ${record["a"].'.length + 1, length: 3 },
      hint: expect.stringContaining('blocks are not run'),
    })
  })
})
