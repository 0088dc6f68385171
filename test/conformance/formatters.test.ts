import { describe, expect, it } from 'vitest'
import type { BoundPlugin } from '../../src/config/schema.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { Formatter } from '../../src/core/formatter.ts'
import { EventTime, type MsgMap, type MsgValue, RawString } from '../../src/core/value.ts'
import { formatters } from '../../src/formatters/index.ts'
import { packEvents } from '../../src/plugin.ts'
import { createTestContext } from '../support/plugin-context.ts'
import { boundOf, kernel, namesOf } from './world.ts'

/** What every formatter does; see src/core/formatter.ts. A formatter without a row here fails. */

const rows: Readonly<Record<string, string>> = {
  csv: 'fields a,b',
  hash: '',
  json: '',
  ltsv: '',
  msgpack: '',
  out_file: '',
  single_value: 'message_key a',
  stdout: '',
  tsv: 'keys a,b',
}

function formatterOf(name: string): Formatter {
  const text = `<match **>\n@type stdout\n<format>\n@type ${name}\n${rows[name]}\n</format>\n</match>`
  const bound = boundOf(text).root.stages[0]!.params.format as BoundPlugin
  const definition = formatters.find((one) => one.name === bound.type)
  const { context } = createTestContext({
    kernel,
    createFormatter: (inner) =>
      formatters.find((one) => one.name === inner.type)!.create(inner.params as never, context),
  })
  return definition!.create(bound.params as never, context)
}

const records: readonly MsgMap[] = [
  new Map<MsgValue, MsgValue>([
    ['a', 'x'],
    ['b', 1],
  ]),
  new Map(),
  new Map<MsgValue, MsgValue>([
    ['a', null],
    ['b', new Map<MsgValue, MsgValue>([['deep', ['€', 1.5, true]]])],
  ]),
  new Map<MsgValue, MsgValue>([
    ['a', 'tab\tline\nquote"\u0000'],
    ['b', 'y'.repeat(5_000)],
  ]),
  new Map<MsgValue, MsgValue>([
    [5, 'key that is no text'],
    ['a', new RawString(Uint8Array.of(0xff, 0xfe))],
    ['__proto__', Number.NaN],
  ]),
]

function batchOf(times: number): Batch {
  const events = Array.from({ length: times }, (_, n) => ({
    time: new EventTime(1_700_000_000 + n, n),
    record: records[n % records.length]!,
  }))
  return packEvents('t.a', events)
}

function format(formatter: Formatter, batch: Batch, maxPieceBytes: number) {
  const pieces: { bytes: Buffer; count: number }[] = []
  formatter.format(batch, maxPieceBytes, (bytes, count) => {
    pieces.push({ bytes: Buffer.from(bytes), count })
  })
  return pieces
}

it('every formatter has a row', () => {
  expect(Object.keys(rows).sort()).toEqual(namesOf('formatter').sort())
})

describe.each(Object.keys(rows))('formatter %s', (name) => {
  it.each([1, 7, 100, 4_096, 65_536])('the same bytes in pieces of up to %d', (most) => {
    const formatter = formatterOf(name)
    const batch = batchOf(25)
    const whole = format(formatter, batch, 1_000_000)
    const pieces = format(formatter, batch, most)
    expect(Buffer.concat(pieces.map(({ bytes }) => bytes))).toEqual(
      Buffer.concat(whole.map(({ bytes }) => bytes)),
    )
    for (const { bytes, count } of pieces) {
      if (count > 1) expect(bytes.length).toBeLessThanOrEqual(most)
    }
  })

  it('counts every event once, and formats the same again', () => {
    const formatter = formatterOf(name)
    const batch = batchOf(12)
    const before = Buffer.from(batch.packed)
    const pieces = format(formatter, batch, 200)
    expect(pieces.reduce((sum, { count }) => sum + count, 0)).toBe(12)
    expect(format(formatter, batch, 200)).toEqual(pieces)
    expect(Buffer.from(batch.packed)).toEqual(before)
  })

  it('one event more, and one end of line each, as stdout writes them', () => {
    const lines = formatterOf(name).asLines?.()
    if (lines === undefined) return
    const one = Buffer.concat(format(lines, batchOf(1), 1_000).map(({ bytes }) => bytes))
    expect(one.at(-1)).toBe(0x0a)
    expect(one.at(-2)).not.toBe(0x0a)
  })
})
