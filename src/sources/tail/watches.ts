import type { Clock, Disk, FileWatch, Timer } from '../../core/host.ts'
import type { Logger } from '../../core/log.ts'

/**
 * A file is looked at so long after the system has told of a change: what is written meanwhile, line by line, is read
 * at once.
 */
const gatherMs = 10

export interface WatchesOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Logger
  /** enable_stat_watcher */
  readonly enabled: boolean
  /** enable_watch_timer: files are looked at every second in any case. */
  readonly timer: boolean
  changed(path: string): void
}

/** Has the system tell of changes, where it can and may. */
export class Watches {
  readonly #options: WatchesOptions
  readonly #watches = new Map<string, FileWatch>()
  readonly #timers = new Map<string, Timer>()
  #said = false
  #closed = false

  constructor(options: WatchesOptions) {
    this.#options = options
  }

  /** Watches the file that the path leads to now. */
  open(path: string): void {
    if (!this.#options.enabled || this.#closed) return
    this.close(path)
    try {
      this.#watches.set(
        path,
        this.#options.disk.watch(path, () => this.#tell(path)),
      )
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT' || this.#said) return
      this.#said = true
      this.#options.log.warn('the system does not tell of changes: files are looked at instead', {
        path,
        error,
      })
    }
  }

  /** Whether the file is to be looked at without being told. */
  isDue(path: string): boolean {
    return this.#options.timer || !this.#watches.has(path)
  }

  close(path: string): void {
    this.#watches.get(path)?.close()
    this.#watches.delete(path)
    this.#timers.get(path)?.cancel()
    this.#timers.delete(path)
  }

  closeAll(): void {
    this.#closed = true
    for (const path of [...this.#watches.keys()]) this.close(path)
  }

  #tell(path: string): void {
    if (this.#closed || this.#timers.has(path)) return
    const timer = this.#options.clock.after(gatherMs, () => {
      this.#timers.delete(path)
      this.#options.changed(path)
    })
    this.#timers.set(path, timer)
  }
}
