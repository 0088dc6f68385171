import { describe, expect, it } from 'vitest'
import { EventTime, type MsgMap, type MsgValue } from '../../../src/core/value.ts'
import { formatters } from '../../../src/formatters/index.ts'
import { boundParams } from '../../support/bound-params.ts'
import { createTestContext } from '../../support/plugin-context.ts'
import { pack, testKernel } from '../kernel/format-helpers.ts'

const kernel = testKernel()
const record: MsgMap = new Map<MsgValue, MsgValue>([['message', 'm']])

function format(type: string, values: Readonly<Record<string, unknown>>): string {
  const definition = formatters.find(({ name }) => name === type)!
  const { context } = createTestContext({ kernel })
  const formatter = definition.create(boundParams(definition.shape, values), context)
  const pieces: Uint8Array[] = []
  const batch = { tag: 't', ...pack([[new EventTime(1_700_000_000, 5), record]]) }
  formatter.format(batch, 100_000, (bytes) => void pieces.push(new Uint8Array(bytes)))
  return Buffer.concat(pieces).toString('latin1')
}

describe('time_format_fallbacks', () => {
  // Writing has one format: the list only makes `mixed` complete, as in Fluentd.
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['csv', { fields: ['message'] }],
    ['hash', {}],
    ['json', {}],
    ['ltsv', {}],
    ['msgpack', {}],
    ['out_file', {}],
    ['single_value', {}],
    ['stdout', {}],
    ['tsv', { keys: ['message'] }],
  ])('%s: mixed needs them, and writes as float does', (type, values) => {
    const mixed = { ...values, time_type: 'mixed' }
    expect(() => format(type, mixed)).toThrow('time_format and time_format_fallbacks is empty')
    const given = format(type, { ...mixed, time_format_fallbacks: ['%Y', 'unixtime'] })
    expect(given).toBe(format(type, { ...values, time_type: 'float' }))
    expect(given).toContain('m')
  })
})
