import { beforeEach, describe, expect, it } from 'vitest'
import { PositionFile } from '../../../../src/sources/tail/position-file.ts'
import { createMemoryDisk, diskError, type MemoryDisk } from '../../../support/memory-disk.ts'

const path = '/var/run/pos'
let disk: MemoryDisk
let warned: string[]

beforeEach(() => {
  disk = createMemoryDisk()
  warned = []
})

function open(options: { byInode?: boolean; paths?: string[]; inodes?: bigint[] } = {}) {
  return PositionFile.open(
    {
      path,
      disk,
      fileMode: 0o640,
      dirMode: 0o750,
      byInode: options.byInode ?? false,
      warn: (message) => void warned.push(message),
    },
    { paths: new Set(options.paths), inodes: new Set(options.inodes) },
  )
}

const line = (file: string, position: string, inode: string) =>
  `${file}\t${position.padStart(16, '0')}\t${inode.padStart(16, '0')}\n`
const text = () => disk.texts()[path]
const none = 'f'.repeat(16)

describe('pos_file', () => {
  it('is made with its directory and permissions', async () => {
    const file = await open()
    expect(text()).toBe('')
    expect([disk.modeOf(path), disk.modeOf('/var/run')]).toEqual([0o640, 0o750])
    await file.close()
  })

  it('has a line a file, whose numbers are written over in place', async () => {
    const file = await open()
    const a = file.entry('/a', 1n)
    const b = file.entry('/é', 2n)
    await file.flush()
    expect(text()).toBe(line('/a', '0', '0') + line('/é', '0', '0'))
    b.set(0xfedcba9876543210n, 2 ** 40)
    a.set(1n, 255)
    expect(file.entry('/a', 1n)).toBe(a)
    await file.flush()
    expect(text()).toBe(line('/a', 'ff', '1') + line('/é', '10000000000', 'fedcba9876543210'))
    file.unwatch('/a')
    a.set(1n, 300)
    await file.close()
    expect(text()).toBe(line('/a', none, '1') + line('/é', '10000000000', 'fedcba9876543210'))
  })

  it('is read as Fluentd writes it; what is gone, unwatched or broken is taken out', async () => {
    disk.put(
      path,
      [
        line('/kept', 'A', 'B'),
        line('/gone', '1', '1'),
        line('/unwatched', none, '2'),
        line('/twice', '1', '3'),
        'nonsense\n',
        line('/huge', 'fffffffffffffff0', '4'),
        line('/twice', '2', '3'),
        '/short\t5\t6\n',
      ].join(''),
    )
    const paths = ['/kept', '/unwatched', '/twice', '/huge', '/short']
    const file = await open({ paths })
    expect(text()).toBe(
      line('/kept', 'a', 'b') + line('/twice', '2', '3') + line('/short', '5', '6'),
    )
    expect(warned).toEqual([
      'Unparsable line in pos_file',
      'Unparsable line in pos_file',
      'a file stands twice in pos_file: the latter counts',
    ])
    const kept = file.entry('/kept', 11n)
    expect([kept.inode, kept.position]).toEqual([11n, 10])
    await file.close()
  })

  it('knows files by their inodes, where that is wished', async () => {
    disk.put(path, line('/a', '1', '7') + line('/a', '2', '8') + line('/b', '3', '9'))
    const file = await open({ byInode: true, inodes: [7n, 8n] })
    expect(file.entry('/renamed', 8n).position).toBe(2)
    file.unwatchOthers(new Set([8n]))
    await file.close()
    expect(text()).toBe(line('/a', none, '7') + line('/a', '2', '8'))
  })

  it('compacts while it is written to', async () => {
    const file = await open()
    const entries = ['/a', '/b', '/c'].map((name) => file.entry(name, 1n))
    await file.flush()
    file.unwatch('/a')
    entries[1]!.set(1n, 1)
    const compacted = file.compact()
    entries[2]!.set(1n, 2)
    const late = file.entry('/d', 1n)
    file.unwatch('/b')
    await compacted
    late.set(1n, 3)
    await file.close()
    const found = text()!.split('\n')
    expect(found).toContain(line('/c', '2', '1').trimEnd())
    expect(found).toContain(line('/d', '3', '1').trimEnd())
    expect(found.some((one) => one.startsWith('/a'))).toBe(false)
    expect(found.filter((one) => one.startsWith('/b')).join()).not.toContain('0001\t')
  })

  it.each(['open', 'handle.write', 'handle.sync', 'rename'] as const)(
    'is rewritten in place where it cannot be replaced (%s)',
    async (failing) => {
      disk.put(path, line('/gone', '1', '1') + line('/a', '2', '2'))
      disk.fault = (operation, at) => {
        if (operation === failing && at === `${path}.new`) throw diskError('EACCES', at)
      }
      const file = await open({ paths: ['/a'] })
      expect(text()).toBe(line('/a', '2', '2'))
      expect(warned).toEqual(['the pos_file is rewritten in place'])
      file.entry('/a', 2n).set(2n, 3)
      await file.close()
      expect(text()).toBe(line('/a', '3', '2'))
    },
  )

  it('tries again what could not be written', async () => {
    const file = await open()
    const a = file.entry('/a', 1n)
    await file.flush()
    disk.fault = (operation, at) => {
      if (operation === 'handle.writevNow') throw diskError('ENOSPC', at)
    }
    a.set(1n, 5)
    await file.flush()
    file.entry('/b', 2n).set(2n, 6)
    await file.flush()
    expect(text()).toBe(line('/a', '0', '0'))
    disk.fault = undefined
    await file.flush()
    expect(text()).toBe(line('/a', '5', '1') + line('/b', '6', '2'))
    expect(warned.length).toBeGreaterThan(0)
    await file.close()
  })

  it('stays where a link leads', async () => {
    disk.put('/real/pos', line('/gone', '1', '1'))
    await disk.mkdir('/var/run')
    await disk.symlink('/real/pos', path)
    await (await open()).close()
    expect(disk.texts()['/real/pos']).toBe('')
    expect(await disk.readlink(path)).toBe('/real/pos')
  })

  it('does not start on what cannot be read or written', async () => {
    disk.fault = (operation, at) => {
      if (operation === 'readFile') throw diskError('EIO', at)
    }
    await expect(open()).rejects.toThrow('EIO')
  })
})
