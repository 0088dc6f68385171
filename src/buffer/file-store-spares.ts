import { posix } from 'node:path'
import type { Clock, Disk, Random, Timer } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { createChunkIds } from './chunk-ids.ts'
import type { BufferPlace } from './file-store-names.ts'

/**
 * Files of delivered chunks, kept for a while for the next chunks: writing over what the operating system has in its memory
 * costs a third of writing to a new file (docs/decisions/0018). The chunk that gets one owns none of the bytes in it: see file-store.ts.
 */
export interface SpareFiles {
  /** Gives the file of a delivered chunk another name. False: it is where it was. */
  keep(path: string, sizeBytes: number): Promise<boolean>
  /** One that nobody else gets. */
  take(): SpareFile | undefined
  /** Removes all of them, because the room is needed. */
  clear(): Promise<unknown>
  /** The same, and keeps none any more. */
  close(): Promise<void>
}

export interface SpareFile {
  readonly path: string
  readonly sizeBytes: number
}

/** Of all spare files of a buffer. */
const roomBytes = 64 * 1024 * 1024
const filesLimit = 8
/** A buffer that has needed none for so long does not keep them. */
const idleMs = 5_000

const end = '.spare'

function beginOf({ prefix, suffix }: Pick<BufferPlace, 'prefix' | 'suffix'>): string {
  return `.sluice-${prefix}${suffix}.`
}

/** Whether a file in a buffer's directory is one that a process has left. */
function isSpareName(place: Pick<BufferPlace, 'prefix' | 'suffix'>, name: string): boolean {
  const begin = beginOf(place)
  return (
    name.startsWith(begin) &&
    name.endsWith(end) &&
    /^[0-9a-f]{32}$/.test(name.slice(begin.length, -end.length))
  )
}

interface Outside {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
}

export function createSpareFiles({ disk, clock, random }: Outside, place: BufferPlace): SpareFiles {
  const begin = beginOf(place)
  // Nobody else's: while a configuration is reloaded, the buffer's next store may be there beside this one.
  const nextId = createChunkIds(random)
  let files: SpareFile[] = []
  /** That are being renamed. */
  let coming = 0
  let comingBytes = 0
  let closed = false
  let timer: Timer | undefined
  let clearing: Promise<unknown> = Promise.resolve()

  const clear = () => {
    const all = files
    files = []
    timer?.cancel()
    timer = undefined
    // One that stays is removed by the next start.
    const removed = all.map(({ path }) => disk.unlink(path))
    clearing = Promise.allSettled([clearing, ...removed])
    return clearing
  }
  const restart = () => {
    timer?.cancel()
    timer = clock.after(idleMs, () => void clear())
  }

  return {
    async keep(path, sizeBytes) {
      const heldBytes = files.reduce((sum, file) => sum + file.sizeBytes, comingBytes)
      const full = files.length + coming >= filesLimit || heldBytes + sizeBytes > roomBytes
      if (closed || full) return false
      const spare = posix.join(place.directory, `${begin}${nextId()}${end}`)
      coming += 1
      comingBytes += sizeBytes
      try {
        await disk.rename(path, spare)
      } catch {
        return false
      } finally {
        coming -= 1
        comingBytes -= sizeBytes
      }
      files.push({ path: spare, sizeBytes })
      if (closed) await clear()
      else restart()
      return true
    },
    take: () => files.pop(),
    clear,
    async close() {
      closed = true
      await clear()
    },
  }
}

/** Removes what a process has left that was killed. */
export async function removeLeftSpares(
  { disk, log }: { readonly disk: Disk; readonly log: Logger },
  place: BufferPlace,
): Promise<void> {
  const { directory, alsoDirectory } = place
  for (const each of alsoDirectory === undefined ? [directory] : [directory, alsoDirectory]) {
    try {
      const names = (await disk.readdir(each)).filter((name) => isSpareName(place, name))
      for (const name of names) await disk.unlink(posix.join(each, name))
    } catch (error) {
      log.warn('a spare file of the buffer could not be removed', { path: each, error })
    }
  }
}
