import { describe, expect, test } from 'vitest'
import { NullOutput, nullOutput } from '../../../../src/outputs/null/index.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { batchOf } from '../../routing/batches.ts'

function setUp(neverFlush: boolean) {
  const host = createFakeHost()
  return { host, output: new NullOutput(neverFlush, { host, id: 'n', type: 'null' }) }
}

describe('null', () => {
  test('takes everything, and its books close', async () => {
    const { host, output } = setUp(false)
    await output.start()
    output.emit(batchOf('a', 3))
    output.emit(batchOf('b', 4))
    expect(output.statistics()).toMatchObject({
      emittedEvents: 7,
      deliveredEvents: 7,
      bufferedEvents: 0,
      emitCount: 2,
    })
    const labels = { plugin_id: 'n', type: 'null' }
    expect(host.metrics.value('sluice_output_delivered_events_total', labels)).toBe(7)
  })

  test('never_flush refuses', () => {
    const { output } = setUp(true)
    expect(() => output.emit(batchOf('a'))).toThrow('failed to flush')
    expect(output.statistics()).toMatchObject({ emittedEvents: 0, errorCount: 1 })
  })

  test('as a sink it takes the packed bytes as they are', async () => {
    const sink = nullOutput.createSink!({ neverFlush: false } as never, {} as never)
    const batch = batchOf('a', 2)
    const pieces: [Uint8Array, number][] = []
    sink.formatter.format(batch, 1, (bytes, count) => pieces.push([bytes, count]))
    expect(pieces).toEqual([[batch.packed, 2]])
    await sink.write({} as never, AbortSignal.abort())
    const never = nullOutput.createSink!({ neverFlush: true } as never, {} as never)
    await expect(never.write({} as never, AbortSignal.abort())).rejects.toThrow('failed to flush')
  })
})
