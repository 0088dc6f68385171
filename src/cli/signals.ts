import type { Logger } from '../core/log.ts'

export type SignalHandlers = Readonly<Partial<Record<NodeJS.Signals, () => void>>>

/** Listens to signals until what it returns is called. */
export function obey(handlers: SignalHandlers): () => void {
  const entries = Object.entries(handlers) as [NodeJS.Signals, () => void][]
  for (const [signal, handler] of entries) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of entries) process.off(signal, handler)
  }
}

/**
 * Makes handlers whose work is done one after the other: a reload in the middle of a flush, or of a stop, would find a
 * graph that is not there. What fails is logged; nothing is begun before `after` has settled, nor once `stopping` says so.
 */
export function workInTurn(
  log: Pick<Logger, 'error'>,
  { stopping, after }: { stopping: () => boolean; after?: Promise<void> },
) {
  let last = after ?? Promise.resolve()
  return (what: string, work: () => Promise<void>) => () => {
    last = last.then(async () => {
      if (stopping()) return
      try {
        await work()
      } catch (error) {
        log.error(`${what} failed`, { error })
      }
    })
  }
}
