import { describe, expect, it } from 'vitest'
import { Balancer, roundOf, type Weighted } from '../../../../src/outputs/forward/balancer.ts'
import { createSeededRandom } from '../../../support/fake-host.ts'

interface Server extends Weighted {
  readonly name: string
}

/** `a:60`, `s:60:standby`, `d:60:down`. */
function servers(...texts: string[]): (Server & { available: boolean })[] {
  return texts.map((text) => {
    const [name = '', weight, ...flags] = text.split(':')
    return {
      name,
      weight: Number(weight),
      standby: flags.includes('standby'),
      available: !flags.includes('down'),
    }
  })
}

const unit = () => createSeededRandom(1).unit

/** How often each has its turn. */
function turns(round: readonly Server[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { name } of round) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

describe('a round', () => {
  it.each<[string, string[], Record<string, number>]>([
    ['equal weights', ['a:60', 'b:60'], { a: 6, b: 6 }],
    ['by weight', ['a:60', 'b:20'], { a: 9, b: 3 }],
    ['a weight of 0 gets nothing', ['a:60', 'b:0'], { a: 12 }],
    ['all of weight 0 are equal', ['a:0', 'b:0'], { a: 6, b: 6 }],
    ['standby servers wait', ['a:60', 's:60:standby'], { a: 6 }],
    ['a lost server is replaced', ['a:60:down', 'b:60', 's:60:standby'], { a: 6, b: 6, s: 6 }],
    [
      'by as many as make up for its weight',
      ['a:60:down', 's:40:standby', 't:40:standby', 'u:40:standby'],
      { a: 6, s: 4, t: 4 },
    ],
    [
      'not by one that is lost itself',
      ['a:60:down', 's:60:standby:down', 't:60:standby'],
      { a: 6, t: 6 },
    ],
    ['nobody', [], {}],
  ])('%s', (_name, given, expected) => {
    expect(turns(roundOf(servers(...given), unit()))).toEqual(expected)
  })

  it('is bounded whatever the weights', () => {
    const counts = turns(roundOf(servers('a:2147483647', 'b:1', 'c:1000000007'), unit()))
    expect(counts.b).toBe(1)
    expect(counts.a! + counts.c!).toBeLessThan(5000)
    expect(counts.a! / counts.c!).toBeCloseTo(2.147, 1)
  })

  it('is shuffled, and the same for the same seed', () => {
    const order = roundOf(servers('a:60', 'b:60', 'c:60'), unit()).map(({ name }) => name)
    expect(order).toEqual(roundOf(servers('a:60', 'b:60', 'c:60'), unit()).map((s) => s.name))
    expect(order.join('')).not.toBe('abcabcabcabcabcabc')
  })
})

describe('candidates', () => {
  it('start with another server by weight, and name each once', () => {
    const balancer = new Balancer<Server>(unit())
    balancer.rebuild(servers('a:60', 'b:20'))
    const first: string[] = []
    for (let i = 0; i < 24; i++) {
      const names = balancer.candidates().map(({ name }) => name)
      expect([...names].sort()).toEqual(['a', 'b'])
      first.push(names[0]!)
    }
    expect(first.filter((name) => name === 'a')).toHaveLength(18)
  })

  it('leave out servers that are not available, also before the next rebuild', () => {
    const balancer = new Balancer<Server>(unit())
    const all = servers('a:60', 'b:60', 's:60:standby')
    balancer.rebuild(all)
    all[0]!.available = false
    expect(balancer.candidates().map(({ name }) => name)).toEqual(['b', 's'])
    all[1]!.available = false
    all[2]!.available = false
    expect(balancer.candidates()).toEqual([])
  })
})
