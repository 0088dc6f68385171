import { describe, expect, it } from 'vitest'
import type { Formatter } from '../../../src/core/formatter.ts'
import { stdoutFilter } from '../../../src/filters/stdout/index.ts'
import { eachEntry } from '../../../src/msgpack/entries.ts'
import { batchOf } from '../../support/batches.ts'
import { boundParams } from '../../support/bound-params.ts'
import { createFakeHost } from '../../support/fake-host.ts'

/** `TAG: hex of the record`, a line each. */
const hexFormatter: Formatter = {
  format(batch, _, piece) {
    eachEntry(batch.packed, (_, timeEnd, end) => {
      const hex = Buffer.from(batch.packed.subarray(timeEnd, end)).toString('hex')
      piece(Buffer.from(`${batch.tag}: ${hex}\n`), 1)
    })
  },
}

function create(values: Readonly<Record<string, unknown>> = {}) {
  const host = createFakeHost()
  const context = {
    host,
    id: 'stdout_0',
    type: 'stdout',
    system: { workerId: 3 },
    createFormatter: () => hexFormatter,
  }
  const params = boundParams(stdoutFilter.shape, { format: {}, ...values })
  return { filter: stdoutFilter.create(params, context as never), host }
}

const unprinted = 'sluice_filter_unprinted_events_total'

describe('the stdout filter', () => {
  it('prints events and hands the batch on', () => {
    const { filter, host } = create()
    const batch = batchOf('t', [{ a: 1 }, {}])
    expect(filter.apply(batch)).toBe(batch)
    expect(host.stdout.text()).toBe('t: 81a16101\nt: 80\n')
  })

  it('prints what <inject> adds, and hands on the batch without it', () => {
    const { filter, host } = create({ inject: { tagKey: 'tag', timeType: 'float' } })
    const batch = batchOf('t', [{ a: 1 }])
    expect(filter.apply(batch)).toBe(batch)
    expect(host.stdout.text()).toBe('t: 82a16101a3746167a174\n')
  })

  it('goes on without printing while nobody reads, and counts', async () => {
    const { filter, host } = create()
    const batch = batchOf('t', [{}, {}])
    host.stdout.stalled = true
    filter.apply(batch)
    const written = host.stdout.writes
    expect(filter.apply(batch)).toBe(batch)
    expect(host.stdout.writes).toBe(written)
    expect(host.metrics.value(unprinted, { plugin_id: 'stdout_0' })).toBe(2)
    host.stdout.stalled = false
    await new Promise((resolve) => setImmediate(resolve))
    filter.apply(batch)
    expect(host.stdout.writes).toBe(written + 2)
  })

  it('survives that standard output is gone', async () => {
    const { filter, host } = create()
    host.stdout.error = new Error('EPIPE')
    const batch = batchOf('t', [{}])
    expect(filter.apply(batch)).toBe(batch)
    await new Promise((resolve) => setImmediate(resolve))
    expect(filter.apply(batch)).toBe(batch)
  })
})
