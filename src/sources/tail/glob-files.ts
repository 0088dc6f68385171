import { expandBraces, hasGlob, matches } from '../../config/glob.ts'
import { configLimits } from '../../config/limits.ts'
import type { Disk } from '../../core/host.ts'

/**
 * Paths that a pattern fits (Ruby's Dir.glob), sorted. What cannot be listed has nothing in it. `**` does not enter
 * links, other parts do. Rejects with RangeError where the pattern covers too many names.
 */
export async function globFiles(pattern: string, disk: Disk): Promise<readonly string[]> {
  const walk = new Walk(disk)
  for (const one of expandBraces(pattern)) {
    const parts = one.split('/').filter((part) => part !== '')
    await walk.enter(parts, one.startsWith('/') ? '/' : '')
  }
  return [...walk.found].sort()
}

class Walk {
  readonly found = new Set<string>()
  readonly #disk: Disk
  #looked = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async enter(parts: readonly string[], base: string): Promise<void> {
    const [part, ...rest] = parts
    if (part === undefined) return
    if (part === '**' && rest.length > 0) {
      await this.#descend(parts, rest, base)
      return
    }
    for (const name of await this.#names(part, base)) {
      const path = join(base, name)
      if (rest.length > 0) await this.enter(rest, path)
      else this.found.add(path)
    }
  }

  async #descend(parts: readonly string[], rest: readonly string[], base: string): Promise<void> {
    await this.enter(rest, base)
    for (const name of await this.#list(base)) {
      if (name.startsWith('.')) continue
      const path = join(base, name)
      if (await this.#isDirectory(path)) await this.enter(parts, path)
    }
  }

  /** A plain part leads on by itself; what comes of it shows at the end. */
  async #names(part: string, base: string): Promise<readonly string[]> {
    if (hasGlob(part) || part.includes('\\')) {
      return (await this.#list(base)).filter((name) => matches(part, name))
    }
    return (await this.#exists(join(base, part))) ? [part] : []
  }

  async #list(path: string): Promise<readonly string[]> {
    try {
      const names = await this.#disk.readdir(path === '' ? '.' : path)
      this.#looked += names.length
      if (this.#looked > configLimits.globEntries) {
        throw new RangeError('the pattern covers too many files')
      }
      return names
    } catch (error) {
      if (error instanceof RangeError) throw error
      return [] // No directory, or none that may be read.
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      return (await this.#disk.target(path)) !== undefined
    } catch {
      return false // What may not be looked at is not there for us.
    }
  }

  async #isDirectory(path: string): Promise<boolean> {
    try {
      return (await this.#disk.stat(path))?.kind === 'directory'
    } catch {
      return false // As above.
    }
  }
}

function join(base: string, name: string): string {
  return base === '' || base.endsWith('/') ? base + name : `${base}/${name}`
}
