import { describe, expect, it } from 'vitest'
import type { SystemConfig } from '../../../src/config/index.ts'
import { ConfigErrors } from '../../../src/core/errors.ts'
import { checkRootDir, makeRootDir } from '../../../src/routing/root-dir.ts'
import { createMemoryDisk } from '../../support/memory-disk.ts'

const system = (rootDir: string | undefined) => ({ rootDir }) as SystemConfig

describe('root_dir', () => {
  it('is made, with all above it, and may be there already', async () => {
    const disk = createMemoryDisk()
    await checkRootDir(system('/var/sluice/root'), disk)
    expect(await disk.stat('/var/sluice/root')).toBeUndefined()
    await makeRootDir(system('/var/sluice/root'), disk)
    await makeRootDir(system('/var/sluice/root'), disk)
    expect((await disk.stat('/var/sluice/root'))?.kind).toBe('directory')
  })

  it('may be left out', async () => {
    await expect(makeRootDir(system(undefined), createMemoryDisk())).resolves.toBeUndefined()
  })

  it('cannot be a file', async () => {
    const disk = createMemoryDisk()
    await disk.mkdir('/var')
    const file = await disk.open('/var/file', { write: true, create: true })
    await file.close()
    for (const attempt of [checkRootDir, makeRootDir]) {
      const error = await attempt(system('/var/file'), disk).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ConfigErrors)
      expect((error as ConfigErrors).errors[0]!.message).toBe(
        'non directory entry exists: /var/file',
      )
    }
  })
})
