import type { PluginContext } from '../../config/define.ts'
import type { FileHandle, FileTarget, Timer } from '../../core/host.ts'
import type { FollowedFile, Source } from '../../core/source.ts'
import { FileTail } from './file-tail.ts'
import { Groups, unlimited } from './groups.ts'
import { LineReader } from './line-reader.ts'
import { Multiline } from './multiline.ts'
import { type FollowerWorld, PathFollower } from './path-follower.ts'
import { type FoundFiles, Paths } from './paths.ts'
import { MemoryEntry, type PositionEntry, PositionFile } from './position-file.ts'
import { type FileQuotas, Quota } from './quota.ts'
import { findRotatedAway, type RotatedFile } from './rotated-away.ts'
import { sayUnusual, settingsOf, type TailParams, type TailSettings } from './settings.ts'
import { Surroundings } from './surroundings.ts'
import { Watches } from './watches.ts'

/** What Fluentd gives to reading what is left at the end. */
const shutdownMs = 5000

export class TailSource implements Source {
  readonly claims: readonly string[]
  readonly #params: TailParams
  readonly #context: PluginContext
  readonly #settings: TailSettings
  readonly #paths: Paths
  readonly #groups: Groups | undefined
  readonly #shared: Surroundings
  readonly #watches: Watches
  readonly #world: FollowerWorld
  readonly #followers = new Map<string, PathFollower>()
  readonly #retiring = new Map<string, PathFollower>()
  readonly #quotas = new Map<string, FileQuotas>()
  /** Paths that the last refresh did not find. */
  #missing = new Set<string>()
  #positions: PositionFile | undefined
  /** In place of a pos_file. */
  readonly #memory = new Map<string, MemoryEntry>()
  /** The first look for files: what is there was there before us. */
  #startup = true
  #refreshing: Promise<void> | undefined
  readonly #timers = new Map<string, Timer>()
  #stopped: Promise<void> | undefined

  constructor(params: TailParams, context: PluginContext) {
    const { host, log } = context
    this.#params = params
    this.#context = context
    this.#settings = settingsOf(params, host.clock)
    this.claims = params.posFile === undefined ? [] : [`file:${params.posFile}`]
    this.#paths = new Paths(
      {
        paths: this.#settings.paths,
        excluded: params.excludePath,
        policy: params.globPolicy,
        zone: this.#settings.zone,
        youngerThanMs:
          params.limitRecentlyModified === undefined
            ? undefined
            : params.limitRecentlyModified * 1000,
        sayUnreadableOnce: params.ignoreRepeatedPermissionError,
      },
      { host, log },
    )
    this.#groups = params.group === undefined ? undefined : new Groups(params.group)
    this.#shared = new Surroundings({ params, settings: this.#settings, context })
    this.#watches = new Watches({
      disk: host.disk,
      clock: host.clock,
      log,
      enabled: params.enableStatWatcher,
      timer: params.enableWatchTimer,
      changed: (path) => void this.#look(path),
    })
    this.#world = this.#createWorld()
  }

  async start(): Promise<void> {
    const { log } = this.#context
    sayUnusual(this.#params, log)
    const found = await this.#paths.find(this.#followers)
    await this.#openPositions(found)
    this.#shared.register(() => this.#followers.size)
    if (!this.#params.skipRefreshOnStartup) await this.#refresh(found)
    this.#every('refresh', this.#params.refreshInterval, () => this.#refresh())
    this.#every('look', 1, () => this.#lookAtAll())
    const compaction = this.#params.posFileCompactionInterval
    if (compaction !== undefined) {
      this.#every('compact', compaction, async () => {
        log.info('Clean up the pos file')
        await this.#positions?.compact()
      })
    }
  }

  files(): readonly FollowedFile[] {
    return [...this.#followers.values()].flatMap(({ path, current }) => {
      if (current === undefined) return []
      return [{ path, inode: current.inode, position: current.entry.position }]
    })
  }

  counts(): Readonly<Record<string, number>> {
    const { opened, closed, rotated, throttled } = this.#shared.counts
    return {
      opened_file_count: opened,
      closed_file_count: closed,
      rotated_file_count: rotated,
      throttled_log_count: throttled,
      tracked_file_count: this.#followers.size,
    }
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline)
    return this.#stopped
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#watches.closeAll()
    await this.#refreshing
    const { clock } = this.#context.host
    const overdue = new AbortController()
    const timer = clock.after(shutdownMs, () => overdue.abort())
    const signal = AbortSignal.any([deadline, overdue.signal])
    const all = [...this.#followers.values(), ...this.#retiring.values()]
    await Promise.all(all.map((follower) => follower.stop(signal)))
    timer.cancel()
    await this.#positions?.close()
    this.#shared.forget()
  }

  async #openPositions({ known }: FoundFiles): Promise<void> {
    const { posFile, followInodes } = this.#params
    if (posFile === undefined) return
    const { host, system } = this.#context
    this.#positions = await PositionFile.open(
      {
        path: posFile,
        disk: host.disk,
        fileMode: system.filePermission ?? 0o644,
        dirMode: system.dirPermission ?? 0o755,
        byInode: followInodes,
        warn: (message, fields) => this.#shared.warn(message, fields),
      },
      {
        paths: new Set(known.keys()),
        inodes: new Set([...known.values()].map(({ inode }) => inode)),
      },
    )
  }

  /** Runs again `seconds` after it was done. */
  #every(name: string, seconds: number, run: () => Promise<void>): void {
    const arm = () => {
      const timer = this.#context.host.clock.after(seconds * 1000, () => {
        void run().finally(() => {
          if (this.#stopped === undefined) arm()
        })
      })
      this.#timers.set(name, timer)
    }
    arm()
  }

  async #lookAtAll(): Promise<void> {
    const due = [...this.#followers.keys()].filter((path) => this.#watches.isDue(path))
    await Promise.all(due.map((path) => this.#look(path)))
    await this.#positions?.flush()
  }

  async #look(path: string): Promise<void> {
    try {
      await this.#followers.get(path)?.look()
    } catch (error) {
      this.#shared.warn('a file could not be looked at', { path, error })
    }
  }

  /** Finds files that are new, and lets go those that are not to be followed any more. */
  #refresh(found?: FoundFiles): Promise<void> {
    this.#refreshing ??= this.#refreshOnce(found)
      .catch((error: unknown) => this.#shared.warn('files could not be looked for', { error }))
      .finally(() => {
        this.#refreshing = undefined
      })
    return this.#refreshing
  }

  async #refreshOnce(found?: FoundFiles): Promise<void> {
    const { targets, known } = found ?? (await this.#paths.find(this.#followers))
    if (this.#stopped !== undefined) return
    const missing = new Set<string>()
    for (const follower of [...this.#followers.values()]) {
      const { path } = follower
      if (targets.has(path)) continue
      // In the moment of a rotation there is no file: it may be back at once.
      if (!known.has(path) && !this.#missing.has(path)) missing.add(path)
      else this.#retire(follower, known.has(path))
    }
    this.#missing = missing
    if (this.#params.followInodes) this.#unwatchGone(known)
    const added: Promise<void>[] = []
    for (const [path, target] of targets) {
      if (this.#followers.has(path) || this.#retiring.has(path)) continue
      if (this.#params.followInodes && this.#isFollowed(target.inode)) continue
      added.push(this.#follow(path))
    }
    await Promise.all(added)
    this.#startup = false
  }

  async #follow(path: string): Promise<void> {
    const fromHead = !this.#startup || this.#params.readFromHead
    this.#quotas.set(path, {
      bytes:
        this.#settings.bytesPerSecond === Number.POSITIVE_INFINITY
          ? unlimited()
          : new Quota(() => this.#settings.bytesPerSecond, 1000),
      lines: this.#groups?.join(path) ?? unlimited(),
    })
    const follower = new PathFollower(path, { fromHead, world: this.#world })
    this.#followers.set(path, follower)
    await this.#look(path)
  }

  /** `isThere`: it is only too old, and goes on from where it stood when it changes. */
  #retire(follower: PathFollower, isThere: boolean): void {
    const { path } = follower
    this.#followers.delete(path)
    this.#retiring.set(path, follower)
    this.#watches.close(path)
    follower.retire(() => {
      this.#retiring.delete(path)
      this.#groups?.leave(path)
      this.#quotas.delete(path)
      if (!isThere && !this.#params.followInodes) this.#positions?.unwatch(path)
    })
  }

  #unwatchGone(known: ReadonlyMap<string, FileTarget>): void {
    const inodes = new Set([...known.values()].map(({ inode }) => inode))
    for (const { current } of this.#followers.values()) {
      if (current !== undefined) inodes.add(current.inode)
    }
    this.#positions?.unwatchOthers(inodes)
  }

  #isFollowed(inode: bigint): boolean {
    const all = [...this.#followers.values(), ...this.#retiring.values()]
    return all.some((follower) => follower.tails.some((tail) => tail.inode === inode))
  }

  #entry(path: string, inode: bigint): PositionEntry {
    if (this.#positions !== undefined) return this.#positions.entry(path, inode)
    // Without a pos_file what was read of the path is known as long as we run.
    let entry = this.#memory.get(path)
    if (entry === undefined) {
      entry = new MemoryEntry()
      this.#memory.set(path, entry)
    }
    return entry
  }

  #createWorld(): FollowerWorld {
    const { host, log } = this.#context
    const { followInodes, openOnEveryUpdate, rotateWait } = this.#params
    return {
      followInodes,
      openOnEveryUpdate,
      rotateWaitMs: openOnEveryUpdate ? 0 : rotateWait * 1000,
      after: (delayMs, run) => host.clock.after(delayMs, run),
      look: (path) => this.#target(path),
      open: (path) => this.#open(path),
      rotatedAway: (path, last) => this.#rotatedAway(path, last),
      isFollowed: (inode) => this.#isFollowed(inode),
      entry: (path, inode) => this.#entry(path, inode),
      tail: (options) => this.#tail(options),
      watch: (path) => this.#watches.open(path),
      sayRotation: (path, waits) => {
        this.#shared.counts.rotated += 1
        log.info(
          waits
            ? `detected rotation of ${path}; waiting ${rotateWait} seconds`
            : `detected rotation of ${path}`,
        )
      },
      sayLost: (path) =>
        this.#shared.warn('too many rotated files wait to be read: one may be missed', { path }),
    }
  }

  async #target(path: string): Promise<FileTarget | undefined> {
    try {
      const target = await this.#context.host.disk.target(path)
      if (target?.kind === 'file') return target
      // What is watched is no longer what the path leads to.
      this.#watches.close(path)
      return undefined
    } catch (error) {
      // As if it were not there: a directory on the way may be closed to us, for a while.
      this.#shared.warn('a file could not be looked at', { path, error })
      return undefined
    }
  }

  async #rotatedAway(path: string, last: PositionEntry): Promise<RotatedFile | undefined> {
    const { disk } = this.#context.host
    const { eol } = this.#settings.codec
    const isFollowed = (other: string) => this.#followers.has(other)
    try {
      const found = await findRotatedAway({ path, last, eol, disk, isFollowed })
      if (found === undefined) return undefined
      this.#shared.counts.opened += 1
      this.#context.log.info(`${path} was rotated to ${found.path}: it is read to its end first`)
      return found
    } catch (error) {
      this.#shared.warn('a file that was rotated away could not be looked for', { path, error })
      return undefined
    }
  }

  async #open(path: string): Promise<FileHandle | undefined> {
    try {
      const handle = await this.#context.host.disk.open(path, { read: true, nonBlocking: true })
      this.#shared.counts.opened += 1
      return handle
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== 'ENOENT') this.#shared.warn('a file could not be opened', { path, error })
      return undefined
    }
  }

  #tail(options: Parameters<FollowerWorld['tail']>[0]): FileTail {
    const { path } = options
    const settings = this.#settings
    const shared = this.#shared
    const params = this.#params
    this.#context.log.info(`following tail of ${path}`)
    const multiline = settings.isMultiline
      ? new Multiline({
          firstLine: settings.firstLine,
          parser: shared.parser,
          emitUnmatched: params.emitUnmatchedLines,
          reports: shared,
        })
      : undefined
    const lines = new LineReader({
      codec: settings.codec,
      events: shared.events,
      multiline,
      maxLineBytes: settings.maxLineBytes,
      reports: shared,
    })
    return new FileTail({
      ...options,
      open: () => this.#open(path),
      keepOpen: !params.openOnEveryUpdate,
      lines,
      multiline,
      quotas: this.#quotas.get(path) ?? { bytes: unlimited(), lines: unlimited() },
      shared,
    })
  }
}
