/**
 * The life of a chunk, apart from where its bytes are:
 *
 *   unstaged ──stage──▶ staged ──enqueue──▶ queued ──take──▶ in_flight ──close──▶ closed
 *       └──────────enqueue─────────────────▶ ▲ └───close──▶      │ ▲
 *                                            └────put_back───────┘
 *
 * staged takes events; from queued on nothing in it changes, so that a retry sends the same bytes. A chunk is closed
 * when it was delivered or dropped, and then holds nothing.
 */
export type ChunkState = 'unstaged' | 'staged' | 'queued' | 'in_flight' | 'closed'
export type ChunkEvent = 'stage' | 'enqueue' | 'take' | 'put_back' | 'close'

const transitions: Readonly<Record<ChunkState, Readonly<Partial<Record<ChunkEvent, ChunkState>>>>> =
  {
    unstaged: { stage: 'staged', enqueue: 'queued', close: 'closed' },
    staged: { enqueue: 'queued', close: 'closed' },
    queued: { take: 'in_flight', close: 'closed' },
    in_flight: { put_back: 'queued', close: 'closed' },
    closed: {},
  }

/** The state that follows. Throws where the event cannot happen in this state: a bug of the caller. */
export function nextState(state: ChunkState, event: ChunkEvent): ChunkState {
  const next = transitions[state][event]
  if (next === undefined) throw new Error(`bug: a ${state} chunk cannot ${event}`)
  return next
}
