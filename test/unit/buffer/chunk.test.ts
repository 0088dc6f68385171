import { describe, expect, it } from 'vitest'
import { type ChunkEvent, type ChunkState, nextState } from '../../../src/buffer/chunk.ts'

describe('the life of a chunk', () => {
  const states: ChunkState[] = ['unstaged', 'staged', 'queued', 'in_flight', 'closed']
  const events: ChunkEvent[] = ['stage', 'enqueue', 'take', 'put_back', 'close']
  const possible: Record<string, ChunkState> = {
    'unstaged stage': 'staged',
    'unstaged enqueue': 'queued',
    'unstaged close': 'closed',
    'staged enqueue': 'queued',
    'staged close': 'closed',
    'queued take': 'in_flight',
    'queued close': 'closed',
    'in_flight put_back': 'queued',
    'in_flight close': 'closed',
  }

  it.each(states.flatMap((state) => events.map((event) => [state, event] as const)))(
    '%s, %s',
    (state, event) => {
      const next = possible[`${state} ${event}`]
      if (next === undefined) expect(() => nextState(state, event)).toThrow(/bug/)
      else expect(nextState(state, event)).toBe(next)
    },
  )
})
