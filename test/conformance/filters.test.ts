import { describe, expect, it } from 'vitest'
import type { BoundPlugin } from '../../src/config/schema.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { Filter } from '../../src/core/filter.ts'
import { EventTime, type MsgMap, type MsgValue, RawString } from '../../src/core/value.ts'
import { formatters } from '../../src/formatters/index.ts'
import { decodeBatch } from '../../src/msgpack/entries.ts'
import { parsers } from '../../src/parsers/index.ts'
import { packEvents } from '../../src/plugin.ts'
import { createFakeHost } from '../support/fake-host.ts'
import { createTestContext } from '../support/plugin-context.ts'
import { appOf, boundOf, kernel, namesOf, tracesOf } from './world.ts'

/** What every filter does; see src/core/filter.ts. A filter without a row here fails. */

/** The least that each can be given; `keeps`: what it takes goes on or is reported, nothing is dropped on purpose. */
const rows: Readonly<Record<string, { lines: string; keeps: boolean }>> = {
  concat: { lines: 'key m\nmultiline_start_regexp /^start/', keeps: false },
  grep: { lines: '<regexp>\nkey m\npattern /a/\n</regexp>', keeps: false },
  parser: { lines: 'key_name m\n<parse>\n@type json\n</parse>', keeps: false },
  prometheus: {
    lines: '<metric>\nname n\ntype counter\ndesc d\n<labels>\nm ${m}\n</labels>\n</metric>',
    keeps: true,
  },
  record_modifier: {
    lines: 'remove_keys n\n<record>\nnew ${record["m"]}\n</record>',
    keeps: true,
  },
  record_transformer: { lines: '<record>\nnew ${record["m"]}\n</record>', keeps: true },
  rename_key: { lines: 'rename_rule1 ^m$ other', keeps: true },
  stdout: { lines: '', keeps: true },
}

const configOf = (name: string) =>
  `<filter **>\n@type ${name}\n${rows[name]?.lines}\n</filter>\n<match **>\n@type null\n</match>`

function filterOf(name: string) {
  const bound = boundOf(configOf(name)).root.stages[0] as BoundPlugin
  const reported: number[] = []
  const { context } = createTestContext({
    kernel,
    emitError: (batch) => void reported.push(batch.count),
    createParser: (inner) =>
      parsers.find((one) => one.name === inner.type)!.create(inner.params as never, context),
    createFormatter: (inner) =>
      formatters.find((one) => one.name === inner.type)!.create(inner.params as never, context),
  })
  const definition = bound.definition as unknown as { create(a: unknown, b: unknown): Filter }
  return { filter: definition.create(bound.params, context), reported }
}

const map = (...pairs: [MsgValue, MsgValue][]): MsgMap => new Map(pairs)
let nested: MsgValue = 1
for (let depth = 0; depth < 50; depth++) nested = [nested]
const hostile: readonly MsgMap[] = [
  map(['m', 'a'], ['n', 1]),
  map(),
  map(['m', null]),
  map(['m', new RawString(Uint8Array.of(0xff, 0xfe))]),
  map(['__proto__', map(['x', 1])], ['constructor', 'c'], ['m', '{"__proto__":1}']),
  map([5, 'a'], [map(), 'b'], ['m', nested]),
  map(['m', 'start'.padEnd(100_000, 'a')]),
  map(['m', Number.NaN], ['n', 2n ** 63n]),
  map(['m', '{"a":1}'], ['m2', true]),
]

function batchOf(records: readonly MsgMap[]): Batch {
  const events = records.map((record, n) => ({ time: new EventTime(1_700_000_000, n), record }))
  return packEvents('t.a', events)
}

it('every filter has a row', () => {
  expect(Object.keys(rows).sort()).toEqual(namesOf('filter').sort())
})

describe.each(Object.entries(rows))('filter %s', (name, { keeps }) => {
  it('creation does nothing that can be seen', () => {
    const host = createFakeHost()
    const before = tracesOf(host)
    appOf(configOf(name), host)
    expect(tracesOf(host)).toEqual(before)
  })

  it.each([
    ['all at once', [hostile]],
    ['one by one', hostile.map((record) => [record])],
  ])(
    'takes whatever records there are, %s, and changes no bytes that it is given',
    (_how, parts) => {
      const { filter, reported } = filterOf(name)
      let gone = 0
      for (const records of parts) {
        const batch = batchOf(records)
        const before = Buffer.from(batch.packed)
        const out = filter.apply(batch)
        expect(Buffer.from(batch.packed)).toEqual(before)
        if (out === undefined) continue
        expect(out.tag).toBe('t.a')
        expect(out.count).toBeGreaterThan(0)
        expect(decodeBatch({ ...out, packed: out.packed.slice() })).toHaveLength(out.count)
        gone += out.count
      }
      const { heldEvents = 0, joinedEvents = 0, passedEvents = 0 } = filter.ledger ?? {}
      const known = gone + heldEvents + joinedEvents + passedEvents
      const errors = reported.reduce((sum, count) => sum + count, 0)
      expect(known).toBeLessThanOrEqual(hostile.length)
      if (keeps) expect(known + errors).toBe(hostile.length)
    },
  )

  it('can be stopped at once, and twice', async () => {
    const { filter } = filterOf(name)
    filter.apply(batchOf(hostile))
    await filter.stop?.(AbortSignal.abort())
    await filter.stop?.(AbortSignal.abort())
    expect(filter.ledger?.heldEvents ?? 0).toBe(0)
  })
})
