import { describe, expect, it } from 'vitest'
import type { Batch } from '../../../src/core/batch.ts'
import { ConfigError, ConfigErrors } from '../../../src/core/errors.ts'
import { RawString } from '../../../src/core/value.ts'
import { recordModifierFilter } from '../../../src/filters/record_modifier/index.ts'
import { recordModifierOutput } from '../../../src/outputs/record_modifier/index.ts'
import { batchOf, eventsOf, recordOf } from '../../support/batches.ts'
import { bindText, createTestContext } from '../../support/plugin-context.ts'

function create(lines: string) {
  const failed: string[] = []
  const { context } = createTestContext({
    emitError: (batch, error) => failed.push(`${batch.tag} ${batch.count} ${error.message}`),
  })
  const bound = bindText(recordModifierFilter, lines)
  return { filter: recordModifierFilter.create(bound.params as never, context), failed }
}

const run = (lines: string, record: object) => [
  ...(eventsOf(create(lines).filter.apply(batchOf('a.b', [record])))[0]?.[1] ?? []),
]

describe('record_modifier', () => {
  it.each<[string, string, object, object]>([
    [
      'sets texts as they are',
      '<record>\nfoo bar \\n\n</record>',
      { a: 1 },
      { a: 1, foo: 'bar \\n' },
    ],
    [
      'sets what expressions give',
      '<record>\ntag ${tag}\nx ${tag_parts[0]}-${tag_parts[1]}-foo\nn ${record["k"].to_i + 1}\ndeep foo:${record["d"]["k"]}\n</record>',
      { k: '1', d: { k: 'v' } },
      { k: '1', d: { k: 'v' }, tag: 'a.b', x: 'a-b-foo', n: 2, deep: 'foo:v' },
    ],
    [
      'sees what was set before',
      '<record>\na 2\nb ${record["a"]}\n</record>',
      { a: 1 },
      { a: '2', b: '2' },
    ],
    [
      'formats the time',
      '<record>\nt ${Time.at(time).utc.strftime("%F")}\nraw ${time}\n</record>',
      {},
      { t: '2023-11-14', raw: 1_700_000_000 },
    ],
    [
      'removes fields',
      'remove_keys k1,$.d.x\n<record>\nd2 ${record["d"]}\n</record>',
      { k1: 1, k2: 2, d: { x: 1, y: 2 } },
      { k2: 2, d: { y: 2 }, d2: { x: 1, y: 2 } },
    ],
    [
      'removes what it set, as with a dummy',
      'remove_keys _d_\n<record>\n_d_ ${record["x"]}\n</record>',
      { x: 1 },
      { x: 1 },
    ],
    [
      'keeps only what is listed, in that order',
      'whitelist_keys c, a\n<record>\nn new\n</record>',
      { a: 1, b: 2, c: 3 },
      { c: 3, a: 1, n: 'new' },
    ],
    [
      'replaces in fields',
      '<replace>\nkey k1\nexpression /^(?<start>.+).{2}(?<end>.+)$/\nreplace \\k<start>ors\\k<end>\n</replace>\n<replace>\nkey k2\nexpression /^(.{1}).{2}(.{1})$/\nreplace \\1ors\\2\n</replace>',
      { k1: 'hoge', k2: 'hoge', k3: 'bar' },
      { k1: 'horse', k2: 'horse', k3: 'bar' },
    ],
    [
      'replaces in what it sets, everywhere',
      '<record>\nk a-b-c\n</record>\n<replace>\nkey k\nexpression /-/\nreplace _\n</replace>',
      {},
      { k: 'a_b_c' },
    ],
    [
      'replaces in what it keeps',
      'whitelist_keys k\n<replace>\nkey k\nexpression /a/\nreplace b\n</replace>',
      { k: 'aa', x: 1 },
      { k: 'bb' },
    ],
    [
      'replaces nothing where nothing is found, or null',
      '<replace>\nkey k\nexpression /z/\nreplace b\n</replace>\n<replace>\nkey n\nexpression /z/\nreplace b\n</replace>',
      { k: 'aa', n: null },
      { k: 'aa', n: null },
    ],
    ['leaves the bytes with char_encoding alone', 'char_encoding utf-8', { a: 'é' }, { a: 'é' }],
  ])('%s', (_, lines, record, wanted) => {
    expect(run(lines, record)).toEqual([...recordOf(wanted)])
  })

  it('makes UTF-8 of texts of another encoding, wherever they stand', () => {
    const sjis = new RawString(Uint8Array.of(0x93, 0xfa, 0x96, 0x7b))
    const record = new Map<string, unknown>([
      ['a', sjis],
      ['list', [sjis, 1]],
      ['m', new Map([['k', sjis]])],
    ])
    const out = run('char_encoding shift_jis:utf-8', record)
    expect(out).toEqual([...recordOf({ a: '日本', list: ['日本', 1], m: { k: '日本' } })])
  })

  it('of a key that is there twice the first place counts', () => {
    const { filter } = create('<record>\na new\n</record>')
    const one = batchOf('t', [{ a: 1, b: 2 }])
    // The key b becomes a second a.
    const packed = one.packed.slice()
    packed[packed.lastIndexOf(0x62)] = 0x61
    expect([...(eventsOf(filter.apply({ ...one, packed }))[0]?.[1] ?? [])]).toEqual([['a', 'new']])
  })

  it('reports the events that it fails for, and no others', () => {
    const lines =
      '<record>\nu ${record["a"].upcase}\n</record>\n<replace>\nkey n\nexpression /x/\nreplace y\n</replace>'
    const { filter, failed } = create(lines)
    const out = eventsOf(filter.apply(batchOf('t', [{ a: 'x' }, {}, { a: 'y', n: 5 }])))
    expect(out).toHaveLength(1)
    expect(failed).toEqual([
      "t 1 undefined method 'upcase' for nil",
      't 1 only texts can be replaced in',
    ])
  })

  it.each([
    ['remove_keys a\nwhitelist_keys b', 'exclusive'],
    ['prepare_value require "x"', 'no Ruby is run'],
    ['char_encoding klingon', 'unknown encoding name - klingon'],
    ['char_encoding utf-8:euc-jp', 'cannot be converted to euc-jp'],
    ['<record>\na ${Foo.bar}\n</record>', '`Foo` is not known'],
    ['<record>\na ${if record.has_key?("f"); nil; end}\n</record>', 'is not known here'],
    ['<record>\na ${tag_prefix[0]}\n</record>', '`tag_prefix` is not known'],
    ['<replace>\nkey a\nreplace b\n</replace>', "'expression' parameter is required"],
  ])('refuses %j', (lines, message) => {
    let text = ''
    try {
      create(lines)
    } catch (error) {
      expect(error instanceof ConfigError || error instanceof ConfigErrors).toBe(true)
      text = error instanceof ConfigErrors ? error.errors.map(String).join() : String(error)
    }
    expect(text).toContain(message)
  })
})

describe('record_modifier output', () => {
  function createOutput(lines: string) {
    const failed: string[] = []
    const { context, emitted } = createTestContext({
      emitError: (batch, error) => failed.push(`${batch.tag} ${error.message}`),
    })
    const bound = bindText(recordModifierOutput, lines)
    return { output: recordModifierOutput.create!(bound.params as never, context), emitted, failed }
  }
  const told = (batches: readonly Batch[]) =>
    batches.map(
      (b) =>
        `${b.tag}: ${eventsOf(b)
          .map(([, r]) => JSON.stringify([...r]))
          .join(' ')}`,
    )

  it('gives all events one tag', async () => {
    const { output, emitted } = createOutput('tag new.tag\n<record>\nx y\n</record>\nremove_keys n')
    await output.emit(batchOf('old', [{ n: 1 }, { n: 2 }]))
    expect(told(emitted)).toEqual(['new.tag: [["x","y"]] [["x","y"]]'])
  })

  it('gives each event the tag that its new record makes', async () => {
    const { output, emitted } = createOutput(
      'tag foo.${record["f"]}.${tag_parts[0]}\n<record>\nf ${record["f"].downcase}\n</record>',
    )
    await output.emit(batchOf('old', [{ f: 'A' }, { f: 'B' }, { f: 'A' }]))
    expect(told(emitted)).toEqual(['foo.a.old: [["f","a"]] [["f","a"]]', 'foo.b.old: [["f","b"]]'])
  })

  it('reports an event whose tag would be none', async () => {
    const { output, emitted, failed } = createOutput('tag t.${record["f"]}')
    await output.emit(batchOf('old', [{ f: 'a\nb' }, { f: 'x'.repeat(2000) }, { f: 'c' }]))
    expect(emitted.map(({ tag }) => tag)).toEqual(['t.c'])
    expect(failed).toHaveLength(2)
  })
})
