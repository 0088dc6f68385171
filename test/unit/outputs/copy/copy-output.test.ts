import { describe, expect, test } from 'vitest'
import { CopyOutput, type Store } from '../../../../src/outputs/copy/copy-output.ts'
import { createRecordingLog } from '../../../support/fake-host.ts'
import { createVirtualClock } from '../../../support/virtual-clock.ts'
import { batchOf } from '../../routing/batches.ts'
import { refusingOutput, slowOutput, spyOutput } from '../spies.ts'

function copyOf(...stores: (Partial<Store> & Pick<Store, 'output'>)[]) {
  const log = createRecordingLog()
  const copy = new CopyOutput({
    stores: stores.map((store, index) => ({
      name: `store${index}`,
      ignoreError: false,
      ignoreIfPrevSuccess: false,
      ...store,
    })),
    log,
    clock: createVirtualClock(),
  })
  return { copy, log }
}

describe('copy', () => {
  test('gives each batch to every store, in order', () => {
    const [a, b] = [spyOutput(), spyOutput()]
    const { copy } = copyOf({ output: a }, { output: b })
    expect(copy.emit(batchOf('x'))).toBeUndefined()
    copy.emit(batchOf('y'))
    expect([a.taken, b.taken]).toEqual([
      ['x:146', 'y:146'],
      ['x:146', 'y:146'],
    ])
  })

  test('a store that refuses ends the copy, unless its error is ignored (b-copy-ignore-error)', () => {
    const last = spyOutput()
    const refused = copyOf({ output: refusingOutput() }, { output: last })
    expect(() => refused.copy.emit(batchOf('c1'))).toThrow('no room')
    expect(last.taken).toEqual([])

    const ignored = copyOf({ output: refusingOutput(), ignoreError: true }, { output: last })
    for (let i = 0; i < 3; i++) expect(ignored.copy.emit(batchOf('c0'))).toBeUndefined()
    expect(last.taken).toHaveLength(3)
    expect(ignored.log.messages('error')).toEqual(['ignore emit error in store0'])
  })

  test('ignore_if_prev_success: only where the store before it did not take the batch', () => {
    const [backup, third] = [spyOutput(), spyOutput()]
    let full = false
    const first = spyOutput(() => {
      if (full) throw new Error('full')
    })
    const { copy } = copyOf(
      { output: first, ignoreError: true },
      { output: backup, ignoreIfPrevSuccess: true },
      { output: third },
    )
    copy.emit(batchOf('a'))
    full = true
    copy.emit(batchOf('b'))
    expect([backup.taken, third.taken]).toEqual([['b:146'], ['a:146', 'b:146']])
  })

  test('a store that pushes back holds up no other, and the source waits for it', async () => {
    const slow = slowOutput()
    const fast = spyOutput()
    const { copy } = copyOf({ output: slow.output }, { output: fast })
    const taken = copy.emit(batchOf('a'))
    expect(fast.taken).toEqual(['a:146'])
    let settled = false
    const watched = (taken as Promise<void>).then(() => {
      settled = true
    })
    await Promise.resolve()
    expect(settled).toBe(false)
    slow.settle[0]!.resolve()
    await watched
  })

  test('waits for all that push back, then rejects with the error of one', async () => {
    const [one, two] = [slowOutput(), slowOutput()]
    const { copy } = copyOf({ output: one.output }, { output: two.output })
    const taken = copy.emit(batchOf('a')) as Promise<void>
    one.settle[0]!.reject(new Error('gone'))
    two.settle[0]!.resolve()
    await expect(taken).rejects.toThrow('gone')
  })

  test('a late refusal is ignored where errors are', async () => {
    const slow = slowOutput()
    const { copy, log } = copyOf({ output: slow.output, ignoreError: true })
    const taken = copy.emit(batchOf('a')) as Promise<void>
    slow.settle[0]!.reject(new Error('gone'))
    await expect(taken).resolves.toBeUndefined()
    expect(log.messages('error')).toEqual(['ignore emit error in store0'])
  })

  test('after a late refusal the backup gets the batch, though its bytes were only borrowed', async () => {
    const slow = slowOutput()
    const backup = spyOutput()
    const { copy } = copyOf(
      { output: slow.output, ignoreError: true },
      { output: backup, ignoreIfPrevSuccess: true },
    )
    const batch = batchOf('a')
    const taken = copy.emit(batch) as Promise<void>
    batch.packed.fill(0)
    expect(backup.taken).toEqual([])
    slow.settle[0]!.reject(new Error('gone'))
    await taken
    expect(backup.taken).toEqual(['a:146'])
  })

  test('an exception behind a store that pushes back leaves no rejection unhandled', async () => {
    const slow = slowOutput()
    const { copy } = copyOf({ output: slow.output }, { output: refusingOutput() })
    expect(() => copy.emit(batchOf('a'))).toThrow('no room')
    slow.settle[0]!.reject(new Error('late'))
    await new Promise((resolve) => setImmediate(resolve))
  })

  test('starts, flushes and stops its stores; what had started is stopped if one cannot', async () => {
    const [a, b] = [spyOutput(), spyOutput()]
    const { copy } = copyOf({ output: a }, { output: b })
    await copy.start()
    await copy.flush()
    await copy.stop(AbortSignal.abort())
    expect([a.lives, b.lives]).toEqual([
      ['start', 'flush', 'stop'],
      ['start', 'flush', 'stop'],
    ])

    const bad = { ...spyOutput(), start: () => Promise.reject(new Error('no')) }
    const c = spyOutput()
    await expect(copyOf({ output: c }, { output: bad }).copy.start()).rejects.toThrow('no')
    expect(c.lives).toEqual(['start', 'stop'])
  })
})
