import { posix } from 'node:path'
import type { PluginContext } from '../config/define.ts'
import { modeOf } from '../config/index.ts'
import { positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Timer } from '../core/host.ts'
import type { StorageParams } from './section.ts'

const defaultFileMode = 0o644
const defaultDirMode = 0o755
/** A file that is larger was not written by a plugin that counts. */
const fileLimitBytes = 1024 * 1024

/**
 * Values by name, in a JSON file as Fluentd's `storage_local` writes and reads it. `section` undefined: as if it stood
 * there with the usage alone, which is where Fluentd's plugins keep their things then.
 *
 * The file is written beside itself and then moved, so that it is whole at any time.
 */
export class LocalStorage {
  readonly #context: PluginContext
  readonly #params: StorageParams | undefined
  readonly #usage: string
  #values = new Map<string, unknown>()
  #path: string | undefined
  #dirty = false
  #timer: Timer | undefined
  /** Saves happen one after the other. */
  #saving: Promise<void> = Promise.resolve()

  /** Throws ConfigError where it is to be persistent and has no place. */
  constructor(
    params: StorageParams | undefined,
    options: { usage: string; context: PluginContext },
  ) {
    this.#params = params
    this.#context = options.context
    this.#usage = params === undefined ? options.usage : params.usage
    if (params?.persistent === true && params.path === undefined && this.#inRoot() === undefined) {
      throw new ConfigError("Plugin @id or path for <storage> required when 'persistent' is true", {
        position: positionOf(params, 'persistent'),
        hint: 'add a path, or an @id and root_dir in <system>',
      })
    }
  }

  /** Whether each change is to be saved before it shows. */
  get persistent(): boolean {
    return this.#params?.persistent === true && this.#path !== undefined
  }

  /** Reads what was saved. Rejects with ConfigError where that cannot be read, or will not be written. */
  async open(): Promise<void> {
    this.#path = await this.#place()
    if (this.#path === undefined) {
      const { log } = this.#context
      if (this.#params !== undefined) {
        log.warn('both of @id and path of <storage> are missing: nothing outlives the process')
      }
      return
    }
    const { disk } = this.#context.host
    try {
      await disk.mkdir(posix.dirname(this.#path), modeOf(this.#params?.dirMode) ?? defaultDirMode)
      await this.#load(this.#path)
    } catch (error) {
      if (error instanceof ConfigError) throw error
      throw this.#wrong(`cannot be used: ${(error as Error).message}`)
    }
    if (!(await disk.writable(this.#path))) throw this.#wrong('cannot be written')
    if (this.#params?.autosave !== false && !this.persistent) this.#later()
  }

  async #place(): Promise<string | undefined> {
    const path = this.#params?.path
    if (path === undefined) return this.#inRoot()
    const { disk } = this.#context.host
    const { workerId, workers } = this.#context.system
    const there = await disk.target(path)
    const isFile = there === undefined ? path.endsWith('.json') : there.kind !== 'directory'
    if (!isFile) return posix.join(path, `worker${workerId}`, 'storage.json')
    if (workers <= 1) return path
    throw new ConfigError('one file cannot be the storage of several workers', {
      position: positionOf(this.#params as object, 'path'),
      hint: 'name a directory (each worker has its folder there), or put the plugin into <worker 0>',
    })
  }

  #inRoot(): string | undefined {
    const { idWritten, id, system } = this.#context
    if (system.rootDir === undefined || idWritten !== true) return undefined
    const name = this.#usage === '' ? 'storage.json' : `storage.${this.#usage}.json`
    return posix.join(system.rootDir, `worker${system.workerId}`, id, name)
  }

  async #load(path: string): Promise<void> {
    const { disk } = this.#context.host
    const there = await disk.target(path)
    if (there === undefined) return
    if (there.kind !== 'file') throw this.#wrong('is no file')
    if (there.sizeBytes > fileLimitBytes)
      throw this.#wrong(`is larger than ${fileLimitBytes} bytes`)
    const text = Buffer.from(await disk.readFile(path)).toString()
    if (text === '') {
      this.#context.log.warn('the storage file is empty: it is taken for a new one', { path })
      return
    }
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#wrong('holds no JSON object')
    }
    this.#values = new Map(Object.entries(value))
  }

  #wrong(why: string): ConfigError {
    const params = this.#params
    return new ConfigError(`plugin storage '${this.#path}' ${why}`, {
      position: params === undefined ? undefined : positionOf(params, 'path'),
    })
  }

  get(name: string): unknown {
    return this.#values.get(name)
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, value)
    this.#dirty = true
  }

  /** Settles when what was set so far is in the file, or could not be written, which is logged: it is tried again. */
  save(): Promise<void> {
    const path = this.#path
    if (path === undefined) return Promise.resolve()
    this.#saving = this.#saving.then(() => this.#write(path))
    return this.#saving
  }

  async #write(path: string): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    const { disk } = this.#context.host
    const values = Object.fromEntries(this.#values)
    const text = JSON.stringify(values, undefined, this.#params?.prettyPrint === true ? 2 : 0)
    const beside = `${path}.tmp`
    try {
      const mode = modeOf(this.#params?.mode) ?? defaultFileMode
      const flags = { write: true, create: true, truncate: true, noFollow: true }
      const handle = await disk.open(beside, flags, mode)
      try {
        await handle.write(Buffer.from(text), 0)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await disk.rename(beside, path)
    } catch (error) {
      this.#dirty = true
      this.#context.log.error('failed to save data of a plugin storage', { path, error })
    }
  }

  #later(): void {
    const everyMs = (this.#params?.autosaveInterval ?? 10) * 1000
    this.#timer = this.#context.host.clock.after(everyMs, () => {
      void this.save()
      this.#later()
    })
  }

  /** Saves, unless the section says that it shall not. Safe without `open`. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#params?.saveAtShutdown !== false) await this.save()
    await this.#saving
  }
}
