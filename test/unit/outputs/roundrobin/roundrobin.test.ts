import { describe, expect, test } from 'vitest'
import { RoundRobinOutput } from '../../../../src/outputs/roundrobin/index.ts'
import { batchOf } from '../../routing/batches.ts'
import { refusingOutput, spyOutput } from '../spies.ts'

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
