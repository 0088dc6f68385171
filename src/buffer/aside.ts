import type { Logger } from '../core/log.ts'
import type { Chunk, Sink, WriteResult } from '../core/output.ts'
import type { Backup, BackupReason } from './backup.ts'
import { endedCode } from './backup-end.ts'
import type { Held } from './held.ts'

/** Where chunks, or parts of them, go that their sink does not take: the secondary, or else the backup directory. */
export interface Aside {
  readonly secondary: Sink | undefined
  readonly backup: Backup
  readonly log: Logger
}

/** `delivered`: by the secondary. The others are reasons by which the events are counted as dropped. */
export interface AsideResult {
  readonly how: 'delivered' | 'backed_up' | 'rejected'
  readonly lost?: WriteResult['refused']
}

/** A full disk may have room again; anything else about a directory that cannot be written stays so. */
const passingCodes = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', endedCode])

/** For what the sink refused for good. Rejects where the backup's disk is full: to be tried again. */
export async function putAside(
  aside: Aside,
  of: { held: Held; chunk: Chunk; error: Error; signal: AbortSignal },
): Promise<AsideResult> {
  const { secondary, log } = aside
  const { held, chunk, error, signal } = of
  if (secondary !== undefined) {
    log.warn('got unrecoverable error in primary. Skip retry and flush chunk to secondary', {
      chunk: chunk.id,
      records: chunk.count,
      error,
    })
    try {
      const result = await secondary.write(chunk, signal)
      return { how: 'delivered', lost: result?.refused }
    } catch (failure) {
      log.error('got an error in secondary', { chunk: chunk.id, error: failure })
    }
  }
  const words = 'the destination refused events for good'
  try {
    const kept = await keep(aside, { held, chunk, error, words })
    return { how: kept ? 'backed_up' : 'rejected' }
  } catch (failure) {
    if (passingCodes.has((failure as { code?: string }).code ?? '')) throw failure
    const told = { chunk: chunk.id, records: chunk.count, error, because: failure }
    log.error(`${words}, and they cannot be kept: they are dropped`, told)
    return { how: 'rejected' }
  }
}

/** For a chunk that was retried in vain. `stays`: it cannot be kept now, so that it is better tried again. */
export async function giveUpToBackup(
  aside: Pick<Aside, 'backup' | 'log'>,
  of: { held: Held; error: Error },
): Promise<'backed_up' | 'retries_exhausted' | 'stays'> {
  const { held, error } = of
  try {
    const chunk = (await held.division?.remainder()) ?? held.stored
    const words = 'a chunk was retried in vain'
    return (await keep(aside, { held, chunk, error, words })) ? 'backed_up' : 'retries_exhausted'
  } catch (failure) {
    if ((failure as { code?: string }).code === endedCode) return 'stays'
    const told = { chunk: held.stored.id, because: failure }
    aside.log.error('a chunk that was retried in vain cannot be kept aside: it stays queued', told)
    return 'stays'
  }
}

async function keep(
  { backup, log }: Pick<Aside, 'backup' | 'log'>,
  of: { held: Held; chunk: Chunk; error: Error; words: string },
): Promise<boolean> {
  const { held, chunk, error, words } = of
  const path = await backup.keep(chunk, reasonOf(held, error))
  const told = { chunk: chunk.id, records: chunk.count, error }
  if (path === undefined) log.error(`${words}: dropped`, told)
  else log.error(`${words}: kept in the backup directory`, { ...told, path })
  return path !== undefined
}

function reasonOf(held: Held, error: Error): BackupReason {
  const refused = held.division?.refusals()
  return {
    code: (error as { code?: string }).code ?? 'error',
    reason: error.message,
    refused: refused?.length === 0 ? undefined : refused,
    path: held.stored.path,
  }
}
