import { posix } from 'node:path'
import { PermanentError } from '../core/errors.ts'
import type { Disk } from '../core/host.ts'
import type { Chunk } from '../core/output.ts'
import type { Template } from './placeholders.ts'
import { checkPath, directoryOf, isBelow, ofTakenName, safePathValue } from './safe-path.ts'

/** Directories that were found to be where they should, remembered. */
const rememberedDirectories = 1024

/** Names of files made from chunks. */
export interface FilePaths {
  /**
   * The chunk's path, with its tag and fields made harmless. Rejects with PermanentError where it would be too long or
   * elsewhere, also by way of symbolic links.
   */
  pathOf(chunk: Pick<Chunk, 'id' | 'metadata'>): Promise<string>
}

export function createFilePaths(options: {
  readonly template: Template
  readonly disk: Disk
  readonly directoryMode: number
}): FilePaths {
  const { template, disk, directoryMode } = options
  const base = directoryOf(template.prefix)
  const known = new Set<string>()

  async function checkDirectory(directory: string): Promise<void> {
    if (known.has(directory)) return
    await disk.mkdir(directory, directoryMode).catch((error: unknown) => {
      throw ofTakenName(error, directory)
    })
    const real = await disk.realpath(directory)
    const realBase = await disk.realpath(base)
    if (real !== realBase && !isBelow(real, realBase)) {
      throw new PermanentError('unsafe_path', `${directory} leads out of ${base}`)
    }
    if (known.size >= rememberedDirectories) known.clear()
    known.add(directory)
  }

  return {
    async pathOf(chunk) {
      const path = template.expand(chunk, { harmless: safePathValue })
      if (!template.hasValues) return path
      checkPath(path, template.prefix)
      await checkDirectory(posix.dirname(path))
      return path
    },
  }
}
