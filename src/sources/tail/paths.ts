import type { Disk, FileTarget, Host } from '../../core/host.ts'
import type { Logger } from '../../core/log.ts'
import type { Zone } from '../../kernel/types.ts'
import { formatTime } from '../../time/format-time.ts'
import { compileStrftime, type TimeStep } from '../../time/strftime.ts'
import { globFiles } from './glob-files.ts'

export type GlobPolicy = 'backward_compatible' | 'extended' | 'always'

/** Whether a path is a pattern. */
export function usesGlob(path: string, policy: GlobPolicy): boolean {
  if (path.includes('*')) return true
  if (policy === 'backward_compatible') return false
  return hasExtendedGlob(path) || (policy === 'always' && hasBraces(path))
}

export function hasExtendedGlob(path: string): boolean {
  return path.includes('*') || path.includes('?') || /\[.*\]/.test(path)
}

export function hasBraces(path: string): boolean {
  return /\{.*,.*\}/.test(path)
}

export interface PathSettings {
  readonly paths: readonly string[]
  readonly excluded: readonly string[]
  readonly policy: GlobPolicy
  readonly zone: Zone
  /** limit_recently_modified; undefined: of any age. */
  readonly youngerThanMs: number | undefined
  readonly sayUnreadableOnce: boolean
}

/** What is there: `targets` are to be followed; `known` are these and those that are too old for it. */
export interface FoundFiles {
  readonly targets: ReadonlyMap<string, FileTarget>
  readonly known: ReadonlyMap<string, FileTarget>
}

interface Template {
  readonly steps: readonly TimeStep[]
}

/** The files that the configuration's paths lead to now. */
export class Paths {
  readonly #settings: PathSettings
  readonly #disk: Disk
  readonly #log: Logger
  readonly #wallMs: () => number
  readonly #paths: readonly Template[]
  readonly #excluded: readonly Template[]
  /** Unreadable files that were said. */
  #said = new Set<string>()

  constructor(settings: PathSettings, context: { host: Host; log: Logger }) {
    this.#settings = settings
    this.#disk = context.host.disk
    this.#log = context.log
    this.#wallMs = () => context.host.clock.wallMs()
    const compile = (path: string) => ({ steps: compileStrftime(path) })
    this.#paths = settings.paths.map(compile)
    this.#excluded = settings.excluded.map(compile)
  }

  /** Rejects with RangeError where a pattern covers too much. `followed`: paths known to be readable. */
  async find(followed: { has(path: string): boolean }): Promise<FoundFiles> {
    const nowMs = this.#wallMs()
    const targets = new Map<string, FileTarget>()
    const known = new Map<string, FileTarget>()
    const excluded = new Set<string>()
    for (const template of this.#excluded) {
      const path = this.#text(template, nowMs)
      for (const one of await this.#expand(path)) excluded.add(one)
    }
    const said = new Set<string>()
    for (const template of this.#paths) {
      const pattern = this.#text(template, nowMs)
      const isPattern = usesGlob(pattern, this.#settings.policy)
      for (const path of await this.#expand(pattern)) {
        if (excluded.has(path) || known.has(path)) continue
        const target = await this.#look(path, said)
        if (target === undefined || !this.#isLog(path, target)) continue
        known.set(path, target)
        if (isPattern && this.#isOld(target, nowMs)) continue
        if (isPattern && !followed.has(path) && !(await this.#readable(path, said))) continue
        targets.set(path, target)
      }
    }
    this.#said = said
    return { targets, known }
  }

  #text({ steps }: Template, nowMs: number): string {
    const seconds = Math.floor(nowMs / 1000)
    const nanoseconds = Math.floor((nowMs - seconds * 1000) * 1e6)
    return formatTime(steps, this.#settings.zone, seconds, nanoseconds)
  }

  async #expand(path: string): Promise<readonly string[]> {
    return usesGlob(path, this.#settings.policy) ? globFiles(path, this.#disk) : [path]
  }

  async #look(path: string, said: Set<string>): Promise<FileTarget | undefined> {
    try {
      return await this.#disk.target(path)
    } catch (error) {
      // A directory on the way lacks the permission to be passed through, or worse.
      this.#sayUnreadable(path, error, said)
      return undefined
    }
  }

  #sayUnreadable(path: string, error: unknown, said: Set<string>): void {
    said.add(path)
    if (this.#settings.sayUnreadableOnce && this.#said.has(path)) return
    this.#log.warn(`${path} unreadable. It is excluded and would be examined next time.`, { error })
  }

  #isLog(path: string, target: FileTarget): boolean {
    if (target.kind === 'directory') return false
    if (target.kind !== 'file') {
      this.#log.debug('no regular file: passed over', { path })
      return false
    }
    // It would be two lines, or other columns, of the pos_file.
    if (!/[\t\n]/.test(path)) return true
    this.#log.warn('a file with a tab or newline in its name is passed over', { path })
    return false
  }

  #isOld(target: FileTarget, nowMs: number): boolean {
    const { youngerThanMs } = this.#settings
    return youngerThanMs !== undefined && target.modifiedMs < nowMs - youngerThanMs
  }

  async #readable(path: string, said: Set<string>): Promise<boolean> {
    try {
      const handle = await this.#disk.open(path, { read: true, nonBlocking: true })
      await handle.close()
      return true
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== 'ENOENT') this.#sayUnreadable(path, error, said)
      return false
    }
  }
}
