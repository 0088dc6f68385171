import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../../src/core/batch.ts'
import { RoundRobinOutput } from '../../../../src/outputs/roundrobin/index.ts'
import { batchOf } from '../../routing/batches.ts'
import { refusingOutput, slowOutput, spyOutput } from '../spies.ts'

describe('roundrobin', () => {
  test.each([
    [[1, 1, 1], '012012012'],
    [[3, 1], '00100010'],
    [[1, 2], '101101'],
    [[5], '00000'],
    [[0, 1], '1111'],
    [[4, 2], '010010'],
  ])('weights %j: %s', (weights, order) => {
    let served = ''
    const stores = weights.map((weight, index) => ({
      weight,
      output: spyOutput(() => {
        served += index
      }),
    }))
    const output = new RoundRobinOutput(stores)
    for (const _ of order) output.emit(batchOf('r'))
    expect(served).toBe(order)
  })

  test('over whole cycles each store gets its weight, however odd the weights', () => {
    const weights = [7, 1, 13, 4]
    const stores = weights.map((weight) => ({ weight, output: spyOutput() }))
    const output = new RoundRobinOutput(stores)
    for (let i = 0; i < 25 * 4; i++) output.emit(batchOf('r'))
    expect(stores.map((store) => store.output.taken.length)).toEqual(weights.map((w) => w * 4))
  })

  test('a batch of several is dealt out event by event, in as few parts as stores', () => {
    const stores = [3, 1, 0].map((weight) => ({ weight, output: spyOutput() }))
    const output = new RoundRobinOutput(stores)
    const parts: Batch[] = []
    for (const store of stores) {
      store.output.emit = (part) => {
        parts.push({ ...part, packed: part.packed.slice() })
      }
    }
    output.emit(batchOf('r', 10))
    expect(parts).toEqual([batchOf('r', 8), batchOf('r', 2)])
    output.emit(batchOf('r', 2))
    expect(parts.slice(2)).toEqual([batchOf('r', 1), batchOf('r', 1)])
  })

  test('waits for every store that pushes back', async () => {
    const [one, two] = [slowOutput(), slowOutput()]
    const output = new RoundRobinOutput([
      { weight: 1, output: one.output },
      { weight: 1, output: two.output },
    ])
    const taken = output.emit(batchOf('r', 2)) as Promise<void>
    two.settle[0]!.reject(new Error('gone'))
    one.settle[0]!.resolve()
    await expect(taken).rejects.toThrow('gone')
  })

  test('a store that refuses is passed on to nobody, as in Fluentd', () => {
    const other = spyOutput()
    const output = new RoundRobinOutput([
      { weight: 1, output: refusingOutput() },
      { weight: 1, output: other },
    ])
    expect(() => output.emit(batchOf('r'))).toThrow('no room')
    output.emit(batchOf('r'))
    expect(other.taken).toHaveLength(1)
  })
})
