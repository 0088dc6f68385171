import { modeOf, type SystemConfig } from '../config/index.ts'
import { positionOf } from '../config/schema.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Host } from '../core/host.ts'

type Disk = Pick<Host['disk'], 'stat' | 'realpath' | 'mkdir'>

const defaultDirectoryMode = 0o755

/** Rejects with ConfigErrors if <system> root_dir is there and is no directory. */
export async function checkRootDir(system: SystemConfig, disk: Disk): Promise<void> {
  const { rootDir } = system
  if (rootDir === undefined || (await disk.stat(rootDir)) === undefined) return
  if ((await disk.stat(await disk.realpath(rootDir)))?.kind === 'directory') return
  throw wrong(system, `non directory entry exists: ${rootDir}`)
}

/** Makes <system> root_dir. Rejects with ConfigErrors where it cannot be made. */
export async function makeRootDir(system: SystemConfig, disk: Disk): Promise<void> {
  const { rootDir } = system
  if (rootDir === undefined) return
  await checkRootDir(system, disk)
  try {
    await disk.mkdir(rootDir, modeOf(system.dirPermission) ?? defaultDirectoryMode)
  } catch (error) {
    throw wrong(system, `failed to create root directory: ${(error as Error).message}`)
  }
}

function wrong(system: SystemConfig, message: string): ConfigErrors {
  return new ConfigErrors([new ConfigError(message, { position: positionOf(system, 'rootDir') })])
}
