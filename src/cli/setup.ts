import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultConfig } from '../default-config.ts'

/** `--setup DIR`: the embedded configuration as DIR/fluent.conf, unless there is one. The exit code. */
export function setup(directory: string): number {
  const path = join(directory, 'fluent.conf')
  try {
    mkdirSync(directory, { recursive: true })
    writeFileSync(path, defaultConfig, { flag: 'wx' })
    process.stdout.write(`Installed ${path}.\n`)
    return 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      process.stdout.write(`${path} already exists.\n`)
      return 0
    }
    process.stderr.write(`sluice: cannot write ${path}: ${(error as Error).message}\n`)
    return 1
  }
}
