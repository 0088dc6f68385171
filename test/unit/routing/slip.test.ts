import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../src/core/batch.ts'
import { emitKept, HeldReceipts, Slip } from '../../../src/routing/slip.ts'
import { batchOf } from './batches.ts'

const batch = batchOf('t')

/** How a slip ended: undefined while it is open. */
function ended(slip: Slip): { arrived: boolean | undefined } {
  const end = { arrived: undefined as boolean | undefined }
  slip.end((arrived) => {
    end.arrived = arrived
  })
  return end
}

describe('a slip', () => {
  test('is done at once where nothing is expected', () => {
    expect(ended(new Slip('kept')).arrived).toBe(true)
  })

  test('is done when all are told, and has arrived where all have', () => {
    for (const second of [true, false]) {
      const slip = new Slip('delivered')
      const tells = [slip.expect(), slip.expect()]
      tells[0]?.(true)
      tells[0]?.(true)
      const end = ended(slip)
      expect(end.arrived).toBeUndefined()
      tells[1]?.(second)
      expect(end.arrived).toBe(second)
    }
  })

  test('waits for what is held, but who comes afterwards does not', () => {
    const slip = new Slip('delivered')
    const release = slip.hold()
    const after: boolean[] = []
    slip.afterwards((arrived) => after.push(arrived))
    const end = ended(slip)
    slip.afterwards((arrived) => after.push(arrived))
    expect([end.arrived, after]).toEqual([undefined, [true, true]])
    release(true)
    expect(end.arrived).toBe(true)
  })

  test('that fails says so to who comes afterwards', () => {
    const slip = new Slip('delivered')
    const tell = slip.expect()
    let after: boolean | undefined
    slip.afterwards((arrived) => {
      after = arrived
    })
    slip.fail()
    expect(after).toBeUndefined()
    tell(true)
    expect(after).toBe(false)
  })
})

describe('emitKept', () => {
  const outcome = async (emit: (batch: Batch) => void | Promise<void>) => {
    try {
      const taken = emitKept({ emit }, batch)
      return taken === undefined ? 'at once' : await taken.then(() => 'later')
    } catch (error) {
      return (error as Error).message
    }
  }

  test('is settled where an output waits for nothing', async () => {
    expect(await outcome(() => undefined)).toBe('at once')
    expect(await outcome(async () => undefined)).toBe('later')
  })

  test('settles when the output has told', async () => {
    const tells: ((arrived: boolean) => void)[] = []
    const expecting = ({ receipt }: Batch) => void tells.push(receipt!.expect())
    const [good, bad] = [outcome(expecting), outcome(expecting)]
    tells[0]?.(true)
    tells[1]?.(false)
    expect(await good).toBe('later')
    expect(await bad).toBe('the events were lost on their way to an output')
  })

  test('hands refusals on', async () => {
    const refusal = new Error('full')
    expect(
      await outcome(() => {
        throw refusal
      }),
    ).toBe('full')
    expect(await outcome(() => Promise.reject(refusal))).toBe('full')
  })
})

describe('receipts of what is held', () => {
  test('follow the batch that it goes on with', () => {
    const [first, next] = [new Slip('delivered'), new Slip('delivered')]
    const held = new HeldReceipts()
    held.add(first)
    held.add(first)
    const end = ended(first)
    expect(end.arrived).toBeUndefined()
    held.goWith(next)
    const tell = next.expect()
    next.end()
    expect(end.arrived).toBeUndefined()
    tell(true)
    expect(end.arrived).toBe(true)
  })

  test('two batches that complete something of each other wait for outputs only', () => {
    const [a, b] = [new Slip('delivered'), new Slip('delivered')]
    const [ofA, ofB] = [new HeldReceipts(), new HeldReceipts()]
    ofA.add(a)
    ofB.add(b)
    ofA.goWith(b)
    ofB.goWith(a)
    const ends = [ended(a), ended(b)]
    expect(ends.map((end) => end.arrived)).toEqual([true, true])
  })

  test('of a source that waits for less are not kept', () => {
    const slip = new Slip('kept')
    new HeldReceipts().add(slip)
    expect(slip.isQuiet).toBe(true)
  })

  test('in a batch of its own: until that is delivered', () => {
    const slip = new Slip('delivered')
    const held = new HeldReceipts()
    held.add(slip)
    const end = ended(slip)
    let tell: ((arrived: boolean) => void) | undefined
    const emit = ({ receipt }: Batch) => {
      tell = receipt?.expect()
    }
    held.emit({ emit }, batch)
    expect(end.arrived).toBeUndefined()
    tell?.(true)
    expect(end.arrived).toBe(true)
  })

  test.each([
    () => {
      throw new Error('full')
    },
    () => Promise.reject(new Error('full')),
  ])('in a batch of its own that is refused: not arrived', async (emit) => {
    const slip = new Slip('delivered')
    const held = new HeldReceipts()
    held.add(slip)
    const end = ended(slip)
    await expect((async () => await held.emit({ emit }, batch))()).rejects.toThrow('full')
    expect(end.arrived).toBe(false)
  })
})
