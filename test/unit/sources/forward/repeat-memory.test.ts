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

function memory(limits: { entries?: number; totalBytes?: number; ageMs?: number } = {}) {
  const { clock } = createFakeHost()
  const made = new RepeatMemory(clock, {
    entries: 3,
    totalBytes: 1_000_000,
    ageMs: 1000,
    ...limits,
  })
  const add = (...keys: string[]) => {
    for (const key of keys) {
      const passage = made.passage({})
      made.add({ key, bytes: 1, crc: 1 }, passage)
      passage.makeSafe()
    }
  }
  const knows = (key: string) => made.find({ key, bytes: 1, crc: 1 }, {}) !== undefined
  return { made, clock, add, known: () => [...'abcdefgh'].filter(knows).join('') }
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

  it('has a limit in bytes', () => {
    const { add, known } = memory({ entries: 100, totalBytes: 2 * 162 })
    add('a', 'b', 'c')
    expect(known()).toBe('bc')
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
