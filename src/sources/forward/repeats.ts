import type { PluginContext } from '../../config/define.ts'
import type { ListenAddress } from '../../core/host.ts'
import { RepeatJournal } from './repeat-journal.ts'
import { type RepeatLimits, RepeatMemory } from './repeat-memory.ts'

export interface RepeatSettings {
  readonly limits: RepeatLimits
  /** undefined: below root_dir, if there is one. */
  readonly path: string | undefined
}

/** What one source knows of the messages that came: in memory, and over a restart where it has a directory for that. */
export class Repeats {
  readonly memory: RepeatMemory
  /** Of the journal; undefined: a restart forgets. */
  readonly path: string | undefined
  readonly #context: PluginContext
  readonly #entries: number
  #journal: RepeatJournal | undefined

  constructor(settings: RepeatSettings, context: PluginContext, address: ListenAddress) {
    this.#context = context
    this.#entries = settings.limits.entries
    this.path = settings.path ?? pathInRoot(context, address)
    this.memory = new RepeatMemory(context.host, settings.limits)
  }

  /** Remembers what an earlier run did. A directory that cannot be used is said, and does without. */
  async open(): Promise<void> {
    if (this.path === undefined) return
    const { host, log } = this.#context
    const { disk, clock } = host
    const failed = (error: unknown) =>
      log.warn('repeats of these messages will not be known after a restart', {
        path: this.path,
        error,
      })
    try {
      const options = { limit: this.#entries, failed }
      const { journal, messages } = await RepeatJournal.open(disk, this.path, options)
      this.#journal = journal
      this.memory.onSafe = (safe) => this.#journal?.add(safe, clock.wallMs())
      const nowMs = clock.wallMs()
      for (const message of messages) {
        this.memory.restore(message, Math.max(0, nowMs - message.atMs))
      }
    } catch (error) {
      failed(error)
    }
  }

  /** Before acks leave: what they are for is written. */
  flush(): void {
    this.#journal?.flush()
  }

  async close(): Promise<void> {
    const journal = this.#journal
    this.#journal = undefined
    await journal?.close()
  }
}

/** A made @id changes with the order of the file; the port does not. */
function pathInRoot(context: PluginContext, address: ListenAddress): string | undefined {
  const { rootDir, workerId } = context.system
  if (rootDir === undefined) return undefined
  const place =
    address.kind === 'tcp'
      ? `forward_${address.port}`
      : `forward_${address.path}`.replace(/\//g, '_')
  return `${rootDir}/worker${workerId}/${context.idWritten === true ? context.id : place}/repeats`
}
