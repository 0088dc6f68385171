import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../src/core/batch.ts'
import type { Receipt } from '../../../src/core/receipt.ts'
import { concatFilter } from '../../../src/filters/concat/index.ts'
import { detectExceptionsOutput } from '../../../src/outputs/detect_exceptions/index.ts'
import { recordModifierOutput } from '../../../src/outputs/record_modifier/index.ts'
import { renameKeyOutput } from '../../../src/outputs/rename_key/index.ts'
import { rewriteTagFilterOutput } from '../../../src/outputs/rewrite_tag_filter/index.ts'
import { Slip } from '../../../src/routing/slip.ts'
import { batchOf } from '../../support/batches.ts'
import { bindText, createTestContext } from '../../support/plugin-context.ts'

/** Outputs that send events on hand the receipt on; what holds events holds it. */

/** What the next outputs were handed, and told nobody of yet. */
function next() {
  const tells: ((arrived: boolean) => void)[] = []
  const receipts: (Receipt | undefined)[] = []
  const emit = ({ receipt }: Batch) => {
    receipts.push(receipt)
    if (receipt !== undefined) tells.push(receipt.expect())
  }
  const arrive = () => {
    for (const tell of tells.splice(0)) tell(true)
  }
  return { emit, receipts, arrive }
}

function emitting(receipt: Slip, emit: (batch: Batch) => unknown, tag: string, record: object) {
  const end = { arrived: undefined as boolean | undefined }
  emit({ ...batchOf(tag, [record]), receipt })
  receipt.end((arrived) => {
    end.arrived = arrived
  })
  return end
}

const delivered = () => new Slip('delivered')

describe('an output that sends events on hands the receipt on', () => {
  test.each([
    [rewriteTagFilterOutput, '<rule>\nkey n\npattern /./\ntag new\n</rule>'],
    [rewriteTagFilterOutput, 'emit_mode record\n<rule>\nkey n\npattern /./\ntag new\n</rule>'],
    [recordModifierOutput, 'tag new'],
    [renameKeyOutput, 'rename_rule1 ^n$ m'],
    [detectExceptionsOutput, 'remove_tag_prefix t'],
  ] as const)('%#', (definition, lines) => {
    const out = next()
    const { context } = createTestContext({ router: out })
    const output = definition.create!(bindText(definition, lines).params as never, context)
    const receipt = delivered()
    const end = emitting(receipt, (batch) => output.emit(batch), 't.x', { n: '1', log: 'x' })
    expect(out.receipts).toEqual([receipt])
    expect(end.arrived).toBeUndefined()
    out.arrive()
    expect(end.arrived).toBe(true)
  })
})

describe('held for others: delivered when these are', () => {
  test('lines of a trace', () => {
    const out = next()
    const { context } = createTestContext({ router: out })
    const params = bindText(detectExceptionsOutput, 'remove_tag_prefix t').params
    const output = detectExceptionsOutput.create!(params as never, context)
    const lines = ['java.lang.RuntimeException: x', '\tat a.b.C.d(C.java:50)', 'all is well']
    const ends = lines.map((log) => emitting(delivered(), (b) => output.emit(b), 't.x', { log }))
    expect(ends.map((end) => end.arrived)).toEqual([undefined, undefined, undefined])
    out.arrive()
    expect(ends.map((end) => end.arrived)).toEqual([true, true, true])
  })

  test('lines of a trace that nothing follows', async () => {
    const out = next()
    const { context } = createTestContext({ router: out })
    const params = bindText(detectExceptionsOutput, 'remove_tag_prefix t').params
    const output = detectExceptionsOutput.create!(params as never, context)
    const log = 'java.lang.RuntimeException: x'
    const end = emitting(delivered(), (batch) => output.emit(batch), 't.x', { log })
    await output.stop(new AbortController().signal)
    expect(end.arrived).toBeUndefined()
    out.arrive()
    expect(end.arrived).toBe(true)
  })

  test('parts that a filter joins', () => {
    const { context } = createTestContext()
    const params = bindText(concatFilter, 'key message\nn_lines 2').params
    const filter = concatFilter.create(params as never, context)
    const out = next()
    const through = (batch: Batch) => {
      const left = filter.apply(batch)
      if (left !== undefined) out.emit({ ...left, receipt: batch.receipt })
    }
    const ends = ['a', 'b'].map((message) => emitting(delivered(), through, 't', { message }))
    expect(out.receipts).toHaveLength(1)
    expect(ends.map((end) => end.arrived)).toEqual([undefined, undefined])
    out.arrive()
    expect(ends.map((end) => end.arrived)).toEqual([true, true])
  })

  test('parts that are given out to a label', async () => {
    const out = next()
    const { context } = createTestContext({ route: () => out })
    const params = bindText(concatFilter, 'key message\nn_lines 2\ntimeout_label @LATE').params
    const filter = concatFilter.create(params as never, context)
    const apply = (batch: Batch) => filter.apply(batch)
    const end = emitting(delivered(), apply, 't', { message: 'a' })
    await filter.stop?.(new AbortController().signal)
    expect(end.arrived).toBeUndefined()
    out.arrive()
    expect(end.arrived).toBe(true)
  })
})
