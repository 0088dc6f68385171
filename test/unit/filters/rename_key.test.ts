import { describe, expect, it } from 'vitest'
import type { Batch } from '../../../src/core/batch.ts'
import { ConfigErrors } from '../../../src/core/errors.ts'
import { renameKeyFilter } from '../../../src/filters/rename_key/index.ts'
import { renameKeyOutput } from '../../../src/outputs/rename_key/index.ts'
import { batchOf, eventsOf, recordOf } from '../../support/batches.ts'
import { bindText, createTestContext } from '../../support/plugin-context.ts'

function createFilter(lines: string) {
  const failed: string[] = []
  const { context } = createTestContext({
    emitError: (batch, error) => failed.push(`${batch.tag} ${batch.count} ${error.message}`),
  })
  const filter = renameKeyFilter.create(bindText(renameKeyFilter, lines).params as never, context)
  return { filter, failed }
}

describe('rename_key', () => {
  const record = { $url: 'u', level2: { $1: 'one', list: [{ $a: 1 }, 'text', [{ $b: 2 }]] } }
  it.each<[string, string, object, object]>([
    [
      'renames, inside of maps too',
      'rename_rule1 ^\\$(.+) x$${md[1]}\nrename_rule2 ^l(.{3})l(\\d+) ${md[1]}_${md[2]}',
      record,
      { x$url: 'u', eve_2: { x$1: 'one', list: [{ x$a: 1 }, 'text', [{ $b: 2 }]] } },
    ],
    [
      'renames at the top level only',
      'deep_rename false\nrename_rule1 ^\\$(.+) x$${md[1]}',
      record,
      { x$url: 'u', level2: record.level2 },
    ],
    [
      'takes the first rule that holds',
      'rename_rule2 b two\nrename_rule1 a one',
      { ab: 1, b: 2 },
      { one: 1, two: 2 },
    ],
    [
      'gives ${md[0]} and groups that are not there',
      'rename_rule1 ^(k)(x)? <${md[0]}${md[2]}${md[7]}>',
      { ky: 1 },
      { '<k>': 1 },
    ],
    ['a key may have blanks', 'rename_rule1 ^a$ new key', { a: 1 }, { 'new key': 1 }],
    [
      'replaces everywhere in the key',
      'replace_rule1 \\. _',
      { 'a.b.c': { 'd.e': 1 } },
      { a_b_c: { d_e: 1 } },
    ],
    ['takes away', 'replace_rule1 ^\\$', { $a: 1 }, { a: 1 }],
    [
      'replaces with groups',
      'replace_rule1 (\\w)-(\\w) ${md[2]}\\1',
      { 'a-b c-d': 1 },
      { 'ba bc': 1 },
    ],
    [
      'renames first, then replaces',
      'rename_rule1 ^a$ b.c\nreplace_rule1 \\. /',
      { a: 1 },
      { 'b/c': 1 },
    ],
    [
      'of two that meet, the first place and the last value count',
      'rename_rule1 ^(a|c)$ k',
      { a: 1, b: 2, c: 3 },
      { k: 3, b: 2 },
    ],
  ])('%s', (_, lines, given, wanted) => {
    const { filter } = createFilter(lines)
    const out = eventsOf(filter.apply(batchOf('t', [given, { other: 1 }])))
    expect(out.map(([time, fields]) => [time, [...fields]])).toEqual([
      [1_700_000_000, [...recordOf(wanted)]],
      [1_700_000_001, [['other', 1]]],
    ])
  })

  it('leaves keys that are no text', () => {
    const { filter } = createFilter('rename_rule1 . x')
    const out = eventsOf(filter.apply(batchOf('t', [new Map<never, never>([[5, 1]] as never)])))
    expect(out[0]?.[1]).toEqual(new Map([[5, 1]]))
  })

  it('reports an event whose key no expression is tried on', () => {
    const { filter, failed } = createFilter('rename_rule1 ^(x+x+)+y$ z')
    const out = filter.apply(batchOf('t', [{ ['x'.repeat(70_000)]: 1 }, { a: 1 }]))
    expect(failed.length + eventsOf(out).length).toBe(2)
  })

  it.each([
    ['', 'No rename or replace rules'],
    ['rename_rule1 a', 'Failed to parse: a'],
    ['rename_rule1 a b\nrename_rule2 a c', 'Duplicated rules for key a'],
    ['rename_rule1 ( b', 'invalid regexp'],
  ])('refuses %j', (lines, message) => {
    let text = ''
    try {
      createFilter(lines)
    } catch (error) {
      text = error instanceof ConfigErrors ? error.errors.map(String).join() : String(error)
    }
    expect(text).toContain(message)
  })
})

describe('rename_key output', () => {
  it.each([
    ['', 'a.b', 'a.b.key_renamed'],
    ['remove_tag_prefix a\nappend_tag new', 'a.b', 'b.new'],
    ['remove_tag_prefix a.b\nappend_tag new', 'a.b', 'new'],
    ['remove_tag_prefix x', 'a.b', 'a.b.key_renamed'],
  ])('with %j: %s goes on as %s', async (lines, tag, wanted) => {
    const { context, emitted } = createTestContext()
    const bound = bindText(renameKeyOutput, `rename_rule1 ^a$ b\n${lines}`)
    const output = renameKeyOutput.create!(bound.params as never, context)
    await output.emit(batchOf(tag, [{ a: 1 }, { c: 2 }]))
    expect(emitted.map((batch) => batch.tag)).toEqual([wanted])
    expect(eventsOf(emitted[0]).map(([, record]) => [...record])).toEqual([[['b', 1]], [['c', 2]]])
  })

  it('stands being led back to while it is at work', () => {
    const seen: unknown[] = []
    const router = {
      emit(batch: Batch): void {
        if (batch.tag.split('.').length < 4) void output.emit({ ...batch, tag: batch.tag })
        seen.push(eventsOf(batch).map(([, record]) => [...record.keys()]))
      },
    }
    const { context } = createTestContext({ router })
    const bound = bindText(renameKeyOutput, 'rename_rule1 ^(a+)$ ${md[1]}a\nappend_tag x')
    const output = renameKeyOutput.create!(bound.params as never, context)
    void output.emit(batchOf('t', [{ a: 1 }]))
    expect(seen).toEqual([[['aaaa']], [['aaa']], [['aa']]])
  })
})
