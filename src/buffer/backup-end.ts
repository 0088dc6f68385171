import type { Clock } from '../core/host.ts'
import type { Backup } from './backup.ts'

/** `code` of the error that a backup rejects with once its output has ended: the chunk stays where it is. */
export const endedCode = 'output_ended'

/** A backup that comes to its end with its output: what is being written is finished, and nothing else is begun. */
export interface EndingBackup extends Backup {
  /** Settles when nothing is written any more, and whoever asked for it has been told. */
  end(): Promise<void>
}

export function endingBackup(backup: Backup, clock: Clock): EndingBackup {
  const running = new Set<Promise<unknown>>()
  let ended = false
  return {
    async keep(chunk, why) {
      if (ended) throw Object.assign(new Error('the output has ended'), { code: endedCode })
      const kept = backup.keep(chunk, why)
      running.add(kept)
      try {
        return await kept
      } finally {
        running.delete(kept)
      }
    },
    async end() {
      ended = true
      if (running.size === 0) return
      await Promise.allSettled(running)
      await new Promise<void>((resolve) => clock.soon(resolve))
    },
  }
}
