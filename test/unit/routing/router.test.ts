import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../src/core/batch.ts'
import type { Consumer } from '../../../src/core/consumer.ts'
import { DecisionCache } from '../../../src/routing/decision-cache.ts'
import { compilePattern } from '../../../src/routing/pattern.ts'
import { Router, type Rule } from '../../../src/routing/router.ts'
import { Slip } from '../../../src/routing/slip.ts'
import { batchOf } from './batches.ts'

function spy() {
  const tags: string[] = []
  return { tags, emit: (batch: Batch) => void tags.push(batch.tag) }
}

const match = (pattern: string, output: Consumer): Rule => ({
  pattern: compilePattern(pattern),
  output,
})
const filter = (pattern: string, apply: (batch: Batch) => Batch | undefined): Rule => ({
  pattern: compilePattern(pattern),
  filter: { apply, inUse: false, oneByOne: false },
})

function routerOf(rules: Rule[], options: Partial<ConstructorParameters<typeof Router>[0]> = {}) {
  const unmatched = spy()
  const router = new Router({ unmatched, ...options })
  router.setRules(rules)
  return { router, unmatched }
}

describe('Router', () => {
  test('the first match wins, in the order of the file', () => {
    const [a, b, rest] = [spy(), spy(), spy()]
    const { router } = routerOf([
      match('a.b', a),
      match('a.**', b),
      match('a.c', a),
      match('**', rest),
    ])
    for (const tag of ['a.b', 'a.c', 'a', 'z', 'a.c']) router.emit(batchOf(tag))
    expect([a.tags, b.tags, rest.tags]).toEqual([['a.b'], ['a.c', 'a', 'a.c'], ['z']])
  })

  test('a receipt comes along, whatever filters make of the batch', () => {
    const receipt = new Slip('kept')
    const seen: unknown[] = []
    const out = { emit: (batch: Batch) => void seen.push(batch.receipt) }
    const { router } = routerOf([
      filter('a', ({ tag, packed, count }) => ({ tag, packed, count })),
      filter('b', (batch) => batch),
      match('**', out),
    ])
    for (const tag of ['a', 'b', 'c']) router.emit({ ...batchOf(tag), receipt })
    expect(seen).toEqual([receipt, receipt, receipt])
  })

  test('filters before the match are applied in order, those behind it are not', () => {
    const trail: string[] = []
    const mark = (name: string) => (batch: Batch) => {
      trail.push(`${name} ${batch.tag}`)
      return batch
    }
    const out = spy()
    const { router } = routerOf([
      filter('**', mark('1')),
      filter('a.**', mark('2')),
      match('a.**', out),
      filter('**', mark('3')),
      match('**', out),
    ])
    for (const tag of ['a.b', 'z']) router.emit(batchOf(tag))
    expect(trail).toEqual(['1 a.b', '2 a.b', '1 z', '3 z'])
  })

  test('each filter gets what the one before it gave; nothing left goes nowhere', () => {
    const out: Batch[] = []
    const changed = batchOf('t', 2)
    const { router } = routerOf([
      filter('t', () => changed),
      filter('t', (batch) => (batch === changed ? batch : undefined)),
      filter('dropped', () => undefined),
      match('**', { emit: (batch) => void out.push(batch) }),
    ])
    router.emit(batchOf('t'))
    router.emit(batchOf('dropped'))
    expect(out).toEqual([changed])
  })

  test('what no match wants goes through its filters to unmatched', () => {
    let filtered = 0
    const { router, unmatched } = routerOf([
      filter('**', (batch) => {
        filtered++
        return batch
      }),
      match('a', spy()),
    ])
    router.emit(batchOf('b'))
    expect([filtered, unmatched.tags]).toEqual([1, ['b']])
  })

  test("the output's promise is what the source gets", async () => {
    let settle = (): void => undefined
    const promise = new Promise<void>((resolve) => {
      settle = resolve
    })
    const { router } = routerOf([match('**', { emit: () => promise })])
    expect(router.emit(batchOf('a'))).toBe(promise)
    settle()
    await promise
  })

  test('an exception of the output is thrown, or given to `failed` with the filtered batch', () => {
    const refusing: Consumer = {
      emit: () => {
        throw new Error('full')
      },
    }
    expect(() => routerOf([match('**', refusing)]).router.emit(batchOf('a'))).toThrow('full')

    const seen: [Batch, unknown][] = []
    const filtered = batchOf('a', 5)
    const { router } = routerOf([filter('**', () => filtered), match('**', refusing)], {
      failed: (batch, error) => void seen.push([batch, error]),
    })
    router.emit(batchOf('a'))
    expect(seen).toEqual([[filtered, new Error('full')]])
  })

  test('a tag is compared with the patterns once', () => {
    let compared = 0
    const counting: Rule = {
      pattern: {
        text: '**',
        matches: () => {
          compared++
          return true
        },
      },
      output: spy(),
    }
    const { router } = routerOf([counting])
    for (let i = 0; i < 10; i++) router.emit(batchOf('a'))
    expect(compared).toBe(1)
  })

  test('a batch that comes back to a filter in use waits: the filter writes over what it gave', async () => {
    const buffer = new Uint8Array(3)
    const reusing = filter('**', (batch) => {
      buffer.set(batch.packed)
      return { ...batch, packed: buffer }
    })
    const seen: number[] = []
    const batch = (marker: number) => ({ tag: 't', packed: Uint8Array.of(marker, 0, 0), count: 1 })
    const { router } = routerOf([
      reusing,
      match('**', {
        emit(outer) {
          const back = outer.packed[0] === 1 ? router.emit(batch(2)) : undefined
          seen.push(outer.packed[0]!)
          return back
        },
      }),
    ])
    const taken = router.emit(batch(1))
    expect(seen).toEqual([1])
    await taken
    expect(seen).toEqual([1, 2])
    expect(router.emit(batch(3))).toBeUndefined()
  })

  test('matches() asks for a match, not for a filter', () => {
    const { router } = routerOf([filter('**', (b) => b), match('fluent.{warn,error}', spy())])
    expect(['fluent.info', 'fluent.warn'].map((tag) => router.matches(tag))).toEqual([false, true])
  })
})

describe('DecisionCache', () => {
  test('is bounded in entries, and keeps what is in use', () => {
    const cache = new DecisionCache<number>({ entries: 10 })
    for (let i = 0; i < 1000; i++) {
      cache.set(`tag${i}`, i)
      if (i >= 3) expect(cache.get('tag3')).toBe(3)
      expect(cache.size).toBeLessThanOrEqual(20)
    }
    expect(cache.get('tag4')).toBeUndefined()
    expect(cache.get('tag999')).toBe(999)
  })

  test('is bounded in characters; a tag that is too long is not kept', () => {
    const cache = new DecisionCache<number>({ chars: 100 })
    cache.set('x'.repeat(101), 1)
    expect(cache.size).toBe(0)
    for (let i = 0; i < 100; i++) cache.set(`${i}`.padStart(40, '_'), i)
    expect(cache.size).toBeLessThanOrEqual(4)
  })
})
