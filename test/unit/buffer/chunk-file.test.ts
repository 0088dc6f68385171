import { describe, expect, it } from 'vitest'
import { createChunkFiles } from '../../../src/buffer/chunk-file.ts'
import { createMemoryDisk, diskError } from '../../support/memory-disk.ts'

function files() {
  const disk = createMemoryDisk()
  const made = createChunkFiles({ disk, fileMode: 0o644, directoryMode: 0o755, alone: true })
  return { disk, files: made }
}

const append = (one: ReturnType<typeof files>, text: string) =>
  one.files.append('/out/log', [Buffer.from(text)], { noFollow: false })

describe('a file that is appended to', () => {
  it('of which a torn end could not be cut off is cut at the end', async () => {
    const one = files()
    await append(one, 'whole\n')
    one.disk.fault = (operation, path, bytes) => {
      const error = diskError('EIO', path)
      if (operation === 'handle.writev') return { keepBytes: (bytes as number) >> 1, error }
      if (operation === 'handle.truncate') throw error
    }
    await expect(append(one, 'torn\n')).rejects.toThrow('EIO')
    await expect(one.files.cutTorn()).rejects.toThrow('EIO')
    expect(one.disk.texts()['/out/log']).toBe('whole\nto')
    one.disk.fault = undefined
    await one.files.cutTorn()
    expect(one.disk.texts()['/out/log']).toBe('whole\n')
    await append(one, 'more\n')
    await one.files.cutTorn()
    expect(one.disk.texts()['/out/log']).toBe('whole\nmore\n')
  })
})
