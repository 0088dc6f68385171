import { PermanentError, RetryableError } from '../../src/core/errors.ts'
import type { Clock } from '../../src/core/host.ts'
import type { Chunk, WriteResult } from '../../src/core/output.ts'
import type { Chance } from './chance.ts'
import { idsOf } from './events.ts'

/** What a destination is like for a while. */
export const moods = [
  'healthy',
  'slow',
  'down',
  'flapping',
  'later',
  'refusing',
  'picky',
  'forgetful',
  'hanging',
] as const
export type Mood = (typeof moods)[number]

export interface Arrival {
  readonly chunk: string
  readonly ids: readonly number[]
  /** The destination has them, and the sender was told otherwise, or nothing. */
  readonly unknown: boolean
  /** Of the process: 0, and one more after each kill or start. */
  readonly life: number
}

/**
 * A destination, which outlives the processes that write to it: what arrived there is the truth that the books are held
 * against.
 */
export class Destination {
  readonly name: string
  mood: Mood = 'healthy'
  life = 0
  readonly arrivals: Arrival[] = []
  /** Events of chunks that arrived and were partly not wanted. */
  readonly turnedAway = new Set<number>()
  /** Highest number of writes at once. */
  mostAtOnce = 0
  #now = 0
  readonly #chance: Chance

  constructor(name: string, chance: Chance) {
    this.name = name
    this.#chance = chance
  }

  async write(chunk: Chunk, signal: AbortSignal, clock: Clock): Promise<WriteResult | undefined> {
    const text = Buffer.concat(await chunk.read()).toString()
    const ids = idsOf(text)
    if (ids.length !== chunk.count || Buffer.byteLength(text) !== chunk.sizeBytes) {
      throw new Error(`bug: chunk ${chunk.id} says ${chunk.count} events and has ${ids.length}`)
    }
    this.#now += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#now)
    try {
      return await this.#take(chunk.id, ids, { signal, clock })
    } finally {
      this.#now -= 1
    }
  }

  async #take(
    chunk: string,
    ids: readonly number[],
    { signal, clock }: { signal: AbortSignal; clock: Clock },
  ): Promise<WriteResult | undefined> {
    const { life } = this
    const arrive = (taken: readonly number[], unknown: boolean) =>
      void this.arrivals.push({ chunk, ids: taken, unknown, life })
    const chance = this.#chance
    switch (this.mood) {
      case 'healthy':
        await passed(chance.below(3) * 5, signal, clock)
        break
      case 'slow':
        await passed(200 + chance.below(5000), signal, clock)
        break
      case 'down':
        await passed(chance.below(2) * 20, signal, clock)
        throw new Error('connection refused')
      case 'flapping':
        await passed(chance.below(300), signal, clock)
        if (chance.often(50)) throw new Error('connection reset')
        break
      case 'later':
        if (chance.often(70)) {
          throw new RetryableError('busy', 'come back', { retryAfterMs: chance.below(4000) })
        }
        break
      case 'refusing':
        if (chance.often(50)) throw new PermanentError('refused', 'this will never do')
        break
      case 'picky': {
        if (chance.often(50)) break
        arrive(ids.slice(1), false)
        this.turnedAway.add(ids[0] as number)
        return { refused: { reason: 'picky', events: 1 } }
      }
      case 'forgetful':
        await passed(chance.below(2) * 50, signal, clock)
        if (chance.often(50)) break
        arrive(ids, true)
        throw new Error('the answer was lost')
      case 'hanging':
        await passed(Number.POSITIVE_INFINITY, signal, clock)
        break
    }
    arrive(ids, false)
    return undefined
  }
}

/** Rejects when the signal aborts. */
function passed(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  if (signal.aborted) return Promise.reject(new Error('aborted'))
  if (ms === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const aborted = () => {
      timer?.cancel()
      reject(new Error('aborted'))
    }
    const timer = Number.isFinite(ms)
      ? clock.after(ms, () => {
          signal.removeEventListener('abort', aborted)
          resolve()
        })
      : undefined
    signal.addEventListener('abort', aborted, { once: true })
  })
}
