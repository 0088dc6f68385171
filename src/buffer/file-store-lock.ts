import { posix } from 'node:path'
import { type DiskLock, LockedError } from '../core/disk-lock.ts'
import type { Disk } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { BufferPlace } from './file-store-names.ts'

/**
 * One process at a time has a buffer's files: two would deliver each chunk twice, and take away what the other one writes to.
 * Buffers with other names in the same directory do not disturb each other.
 */
export function lockPathOf(
  { prefix, suffix }: Pick<BufferPlace, 'prefix' | 'suffix'>,
  directory: string,
): string {
  return posix.join(directory, `.sluice-${prefix}${suffix}.lock`)
}

/** Whether a file in a buffer's directory is such a lock. */
export function isLockName(name: string): boolean {
  return name.startsWith('.sluice-') && name.endsWith('.lock')
}

/** Locks a buffer's directories. Rejects where another process has one of them; all else is only warned of. */
export async function lockPlace(
  { disk, log }: { readonly disk: Disk; readonly log: Logger },
  place: BufferPlace,
): Promise<DiskLock> {
  const locks: DiskLock[] = []
  const release = async () => {
    await Promise.all(locks.map((lock) => lock.release()))
  }
  const { directory, alsoDirectory } = place
  for (const each of alsoDirectory === undefined ? [directory] : [directory, alsoDirectory]) {
    try {
      const lock = await disk.lock?.(lockPathOf(place, each))
      if (lock !== undefined) locks.push(lock)
    } catch (error) {
      if (error instanceof LockedError) {
        await release()
        throw new Error(inUse(each, error))
      }
      log.warn('the buffer’s directory cannot be locked: make sure that no other process uses it', {
        path: each,
        error,
      })
    }
  }
  return { release }
}

function inUse(directory: string, { holderPid }: LockedError): string {
  const who = holderPid === undefined ? 'another process' : `the process ${holderPid}`
  return `the buffer directory ${directory} is in use by ${who}: stop it, or give this one another path`
}
