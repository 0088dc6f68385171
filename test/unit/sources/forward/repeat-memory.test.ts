import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { RunStep } from '../../../../src/kernel/types.ts'
import type { AckQueue } from '../../../../src/sources/forward/ack-queue.ts'
import type { Delivery } from '../../../../src/sources/forward/delivery.ts'
import type { Passage } from '../../../../src/sources/forward/passage.ts'
import { RepeatGuard } from '../../../../src/sources/forward/repeat-guard.ts'
import { RepeatMemory } from '../../../../src/sources/forward/repeat-memory.ts'
import { createFakeHost } from '../../../support/fake-host.ts'

function memory(limits: { entries?: number; ageMs?: number } = {}) {
  const host = createFakeHost()
  const { clock } = host
  const made = new RepeatMemory(host, {
    entries: 3,
    ageMs: 1000,
    ...limits,
  })
  /** As the guard does with what came. */
  const setOut = (key: string, crc = 1, owner = made.newOwner()) => {
    const passage = made.passage(owner)
    made.add(made.hash(key), 1, crc, passage, () => key)
    return passage
  }
  const find = (key: string, crc = 1, owner = 0) => made.find(made.hash(key), 1, crc, owner)
  const add = (...keys: string[]) => {
    for (const key of keys) setOut(key).makeSafe()
  }
  const knows = (key: string) => find(key) !== undefined
  return { made, clock, add, setOut, find, known: () => [...'abcdefgh'].filter(knows).join('') }
}

describe('what is remembered of messages', () => {
  it('is the last ones', () => {
    const { add, known } = memory()
    add('a', 'b', 'c', 'd')
    expect(known()).toBe('bcd')
    add('e', 'f', 'g', 'h')
    expect(known()).toBe('fgh')
  })

  it('begins anew with one that comes again', () => {
    const { made, add, known } = memory()
    add('a', 'b', 'c', 'a', 'd')
    expect(known()).toBe('acd')
    add('c', 'c', 'c', 'e')
    expect(known()).toBe('cde')
    expect(made.size).toBe(3)
  })

  it('is what is under way too, and no more when that has failed', () => {
    const { made, known, setOut } = memory()
    const passages = ['a', 'b'].map((key) => setOut(key))
    expect(known()).toBe('ab')
    passages[0]?.makeSafe()
    passages[1]?.fail()
    expect([known(), made.size]).toEqual(['a', 1])
    const late = setOut('c')
    for (const key of ['d', 'e', 'f']) setOut(key)
    expect(known()).toBe('def')
    // It was forgotten on its way.
    late.makeSafe()
    expect([known(), made.size]).toEqual(['def', 3])
  })

  it('knows one that is under way by its events too, and leaves the key to the later one', () => {
    const { setOut, find } = memory()
    const first = setOut('a', 1, 1)
    expect(find('a', 1, 2)).toBe(first)
    expect(find('a', 2, 2)).toBeUndefined()
    const second = setOut('a', 2, 1)
    first.makeSafe()
    expect(find('a', 2, 2)).toBe(second)
    second.makeSafe()
    expect(find('a', 2, 2)?.safe).toBe(true)
    expect(find('a', 2, 1)).toBeUndefined()
    expect(find('a', 1, 2)).toBeUndefined()
  })

  it('tells what is safe, with its key, to who asks', () => {
    const { made, setOut } = memory()
    const told: unknown[] = []
    made.onSafe = (messages) => told.push(...messages)
    setOut('a').makeSafe()
    setOut('b').fail()
    expect(told).toEqual([{ key: 'a', bytes: 1, crc: 1 }])
  })

  it('is forgotten with time, and then filled again', async () => {
    const { made, clock, add, known } = memory()
    add('a', 'b')
    await clock.advance(1001)
    expect(known()).toBe('')
    add('c')
    expect([known(), made.size]).toEqual(['c', 1])
    add('d', 'e', 'f')
    expect(known()).toBe('def')
  })

  it('does not keep the connection that it came on', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const { made } = memory()
    const connection = (() => {
      const delivery = {
        take: (_step: RunStep, passage?: Passage) => void passage?.makeSafe(),
      } as unknown as Delivery
      const guard = new RepeatGuard({
        delivery,
        memory: made,
        acks: {} as AckQueue,
        reports: {} as never,
        address: '192.0.2.1',
      })
      guard.take({
        kind: 'run',
        tag: Buffer.from('t'),
        partial: false,
        identity: { ack: Buffer.from('x'), bytes: 1, crc: 1 },
        acks: Buffer.from('x'),
      } as unknown as RunStep)
      return new WeakRef(delivery)
    })()
    expect(made.size).toBe(1)
    // A WeakRef holds on until the work that made it is over.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    expect(connection.deref()).toBeUndefined()
  })
})
