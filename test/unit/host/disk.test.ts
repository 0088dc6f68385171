import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Disk } from '../../../src/core/host.ts'
import { createNodeDisk } from '../../../src/host/node-disk.ts'
import { createMemoryDisk, diskError } from '../../support/memory-disk.ts'

/** The real disk, and the one that tests use in its place, do the same. */
const disks: { name: string; create: () => { disk: Disk; root: string; end: () => void } }[] = [
  {
    name: 'node disk',
    create() {
      const root = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
      return { disk: createNodeDisk(), root, end: () => rmSync(root, { recursive: true }) }
    },
  },
  {
    name: 'memory disk',
    create() {
      const disk = createMemoryDisk()
      disk.put('/store/keep', '')
      return { disk, root: '/store', end: () => undefined }
    },
  },
]

const bytes = (text: string) => new TextEncoder().encode(text)

describe.each(disks)('$name', ({ create }) => {
  let disk: Disk
  let root: string
  let end: () => void
  beforeEach(() => {
    ;({ disk, root, end } = create())
  })
  afterEach(() => end())

  const at = (name: string) => `${root}/${name}`
  const textOf = async (name: string) => Buffer.from(await disk.readFile(at(name))).toString()

  async function write(name: string, text: string): Promise<void> {
    const handle = await disk.open(at(name), { write: true, create: true, truncate: true })
    await handle.write(bytes(text))
    await handle.close()
  }

  it('writes in order, in pieces and at places', async () => {
    const handle = await disk.open(at('f'), { read: true, write: true, create: true }, 0o600)
    await handle.write(bytes('hello '))
    await handle.writev([bytes('wo'), bytes(''), bytes('rld')])
    await handle.write(bytes('J'), 0)
    await handle.sync()
    expect((await handle.stat()).sizeBytes).toBe(11)
    const into = new Uint8Array(20)
    expect(await handle.read(into, 6)).toBe(5)
    expect(Buffer.from(into.subarray(0, 5)).toString()).toBe('world')
    expect(await handle.read(into, 50)).toBe(0)
    await handle.truncate(5)
    await handle.close()
    expect(await textOf('f')).toBe('Jello')
    expect(Buffer.from(disk.readFileSync(at('f'))).toString()).toBe('Jello')
  })

  it('appends behind what is there', async () => {
    await write('f', 'one ')
    const handle = await disk.open(at('f'), { append: true, create: true })
    await handle.write(bytes('two'))
    await handle.write(bytes(' three'))
    await handle.close()
    expect(await textOf('f')).toBe('one two three')
  })

  it('writes thousands of pieces', async () => {
    const handle = await disk.open(at('f'), { write: true, create: true })
    await handle.writev(Array.from({ length: 3_000 }, (_, n) => bytes(`${n % 10}`)))
    await handle.close()
    expect((await textOf('f')).length).toBe(3_000)
  })

  it('says what is there', async () => {
    await disk.mkdir(at('a/b/c'))
    await disk.mkdir(at('a/b/c'))
    await write('a/b/f', 'text')
    await disk.symlink('f', at('a/b/link'))
    expect((await disk.readdir(at('a/b'))).sort()).toEqual(['c', 'f', 'link'])
    expect([...disk.readdirSync(at('a/b'))].sort()).toEqual(['c', 'f', 'link'])
    expect(await disk.stat(at('a/b/f'))).toMatchObject({ kind: 'file', sizeBytes: 4 })
    expect(await disk.stat(at('a/b/link'))).toMatchObject({ kind: 'symlink' })
    expect(disk.statSync(at('a/b'))).toMatchObject({ kind: 'directory' })
    expect(await disk.stat(at('none'))).toBeUndefined()
    expect(disk.statSync(at('a/b/f/below'))).toBeUndefined()
    expect(await disk.readlink(at('a/b/link'))).toBe('f')
    expect(await textOf('a/b/link')).toBe('text')
    expect((await disk.realpath(at('a/b/link'))).endsWith('/a/b/f')).toBe(true)
  })

  it('moves and removes', async () => {
    await disk.mkdir(at('d'))
    await write('d/one', '1')
    await write('two', '2')
    await disk.rename(at('d/one'), at('two'))
    expect(await textOf('two')).toBe('1')
    await disk.chmod(at('two'), 0o400)
    await disk.unlink(at('two'))
    await disk.rmdir(at('d'))
    expect(await disk.stat(at('d'))).toBeUndefined()
  })

  const errors: [string, string, () => Promise<unknown>][] = [
    ['opening what is not there', 'ENOENT', () => disk.open(at('none'), { read: true })],
    [
      'creating without a folder',
      'ENOENT',
      () => disk.open(at('x/y'), { write: true, create: true }),
    ],
    ['reading what is not there', 'ENOENT', () => disk.readFile(at('none'))],
    ['removing what is not there', 'ENOENT', () => disk.unlink(at('none'))],
    ['resolving what is not there', 'ENOENT', () => disk.realpath(at('none'))],
    [
      'opening what must be new',
      'EEXIST',
      async () => {
        await write('f', '')
        return disk.open(at('f'), { write: true, create: true, exclusive: true })
      },
    ],
    [
      'following a link that must be none',
      'ELOOP',
      async () => {
        await write('f', '')
        await disk.symlink('f', at('l'))
        return disk.open(at('l'), { write: true, create: true, noFollow: true })
      },
    ],
    [
      'a folder that is not empty',
      'ENOTEMPTY',
      async () => {
        await disk.mkdir(at('d/e'))
        return disk.rmdir(at('d'))
      },
    ],
    [
      'linking over something',
      'EEXIST',
      async () => {
        await write('f', '')
        return disk.symlink('x', at('f'))
      },
    ],
    [
      'a folder in place of a file',
      'EEXIST',
      async () => {
        await write('f', '')
        return disk.mkdir(at('f'))
      },
    ],
    [
      'a file in place of a folder',
      'ENOTDIR',
      async () => {
        await write('f', '')
        return disk.readdir(at('f'))
      },
    ],
  ]
  it.each(errors)('fails at %s with %s', async (_what, code, run) => {
    await expect(run()).rejects.toMatchObject({ code })
  })

  it('knows what a path leads to, and what is open whatever its name is', async () => {
    await write('f', 'four')
    await disk.symlink('f', at('l'))
    const target = await disk.target(at('l'))
    expect(target).toMatchObject({ kind: 'file', sizeBytes: 4 })
    const handle = await disk.open(at('l'), { read: true, nonBlocking: true })
    await disk.rename(at('f'), at('g'))
    expect(await handle.target()).toMatchObject({ inode: target?.inode, sizeBytes: 4 })
    expect(await disk.target(at('l'))).toBeUndefined()
    expect(await disk.target(at('g/x'))).toBeUndefined()
    expect(await disk.target(at('.'))).toMatchObject({ kind: 'directory' })
    await handle.close()
  })

  it('tells of changes of a file, until that is not wanted any more', async () => {
    await write('f', '')
    let told: () => void = () => undefined
    let count = 0
    const watch = disk.watch(at('f'), () => {
      count += 1
      told()
    })
    const change = (run: () => Promise<void>) =>
      new Promise<void>((resolve, reject) => {
        told = resolve
        run().catch(reject)
      })
    await change(() => write('f', 'x'))
    await change(() => disk.rename(at('f'), at('g')))
    watch.close()
    const before = count
    await write('g', 'y')
    await new Promise((resolve) => setImmediate(resolve))
    expect(count).toBe(before)
    expect(() => disk.watch(at('none'), () => undefined)).toThrow('ENOENT')
  })

  it('knows where a file could be written', async () => {
    await write('f', '')
    expect(await disk.writable(at('f'))).toBe(true)
    expect(await disk.writable(at('new/deep/file'))).toBe(true)
    expect(await disk.writable(at('f/below'))).toBe(false)
  })
})

describe('faults of the memory disk', () => {
  it('come where they are put', async () => {
    const disk = createMemoryDisk()
    disk.fault = (operation, path) => {
      if (operation === 'handle.sync') throw diskError('EIO', path)
    }
    const handle = await disk.open('/f', { write: true, create: true })
    await handle.write(bytes('abc'))
    await expect(handle.sync()).rejects.toMatchObject({ code: 'EIO' })
    disk.capacityBytes = 5
    await expect(handle.write(bytes('def'))).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(disk.texts()).toEqual({ '/f': 'abc' })
  })
})
