import { describe, expect, it } from 'vitest'
import type { StoredChunk } from '../../../src/buffer/store.ts'
import { scan } from '../../../src/cli/buffer-scan.ts'
import type { FakeHost } from '../../support/fake-host.ts'
import { diskError } from '../../support/memory-disk.ts'
import { directory, fileStore, liveHost, metadata } from './file-store-support.ts'

const textOf = async (chunk: StoredChunk) => Buffer.concat(await chunk.read()).toString()
const namesIn = (host: FakeHost) => host.disk.readdir(directory)
const sparesIn = async (host: FakeHost) =>
  (await namesIn(host)).filter((name) => name.endsWith('.spare'))

async function opened(options: Parameters<typeof fileStore>[1] = {}) {
  const host = liveHost()
  const store = fileStore(host, { reusesFiles: true, ...options })
  await store.open()
  const filled = async (...texts: readonly string[]) => {
    const chunk = store.create(metadata)
    for (const text of texts) {
      chunk.append(Buffer.from(text), 1)
      await chunk.commit()
    }
    return chunk
  }
  const delivered = async (text: string) => {
    const chunk = await filled(text)
    await chunk.seal()
    await chunk.remove()
  }
  return { host, store, filled, delivered }
}

describe('a delivered chunk’s file', () => {
  it('becomes the next one’s, whose events are only its own', async () => {
    const { host, filled, delivered } = await opened()
    await delivered('an older event\n')
    expect(await namesIn(host)).toEqual([
      expect.stringMatching(/^\.sluice-buffer\.log\.[0-9a-f]{32}\.spare$/),
    ])
    const next = await filled('one\n', 'two\n')
    const staged = `${directory}/buffer.b${next.id}.log`
    expect(host.disk.texts()[staged]).toBe('one\ntwo\n event\n')
    expect(await textOf(next)).toBe('one\ntwo\n')
    await next.seal()
    expect(host.disk.texts()[`${directory}/buffer.q${next.id}.log`]).toBe('one\ntwo\n')
    expect(await sparesIn(host)).toEqual([])
  })

  it('leaves nothing in a chunk that a killed process had staged', async () => {
    const { host, filled, delivered } = await opened()
    await delivered('an older event\n')
    await delivered('another\n')
    const next = await filled('one\n')
    await delivered('a third one\n')
    const [found, ...others] = await fileStore(host, { reusesFiles: true }).open()
    expect(others).toEqual([])
    expect(found).toMatchObject({ state: 'staged', chunk: { id: next.id, count: 1, sizeBytes: 4 } })
    expect(await textOf(found!.chunk)).toBe('one\n')
    expect(await namesIn(host)).toEqual([`buffer.b${next.id}.log`, `buffer.b${next.id}.log.meta`])
    expect(host.disk.paths().filter((path) => path.startsWith('/store'))).toEqual([])
  })

  it('is not there any more when the process has ended, nor its bytes in others', async () => {
    const { host, store, filled, delivered } = await opened()
    const other = await filled('another\n')
    await delivered('an older event\n')
    const next = await filled('one\n')
    await other.remove()
    expect(await sparesIn(host)).toHaveLength(1)
    await store.close()
    const path = `${directory}/buffer.b${next.id}.log`
    expect(await namesIn(host)).toEqual([`buffer.b${next.id}.log`, `buffer.b${next.id}.log.meta`])
    expect(host.disk.texts()[path]).toBe('one\n')
  })

  it('is removed when none is needed for five seconds', async () => {
    const { host, delivered } = await opened()
    await delivered('one\n')
    await host.clock.advance(4_999)
    expect(await sparesIn(host)).toHaveLength(1)
    await host.clock.advance(1)
    expect(await sparesIn(host)).toEqual([])
  })

  it('is one of eight at most', async () => {
    const { host, filled } = await opened()
    const chunks = await Promise.all(Array.from({ length: 12 }, (_, i) => filled(`${i}\n`)))
    await Promise.all(chunks.map((chunk) => chunk.remove()))
    expect(await namesIn(host)).toHaveLength(8)
  })

  it('gives its room back when the disk is full', async () => {
    const { host, filled, delivered } = await opened()
    const other = await filled('other\n')
    await delivered('an older event\n')
    host.disk.fault = (operation, path) => {
      if (/writev/.test(operation)) throw diskError('ENOSPC', path)
    }
    other.append(Buffer.from('more\n'), 1)
    await expect(other.commit()).rejects.toThrow('could not be written')
    host.disk.fault = undefined
    expect(await sparesIn(host)).toEqual([])
  })

  it('is removed where it cannot be renamed', async () => {
    const { host, delivered } = await opened()
    host.disk.fault = (operation, path) => {
      if (operation === 'rename' && path.includes('.q')) throw diskError('EXDEV', path)
    }
    await delivered('one\n')
    expect(await namesIn(host)).toEqual([])
  })

  it('that somebody has removed is made anew', async () => {
    const { host, filled, delivered } = await opened()
    await delivered('an older event\n')
    const [spare] = await sparesIn(host)
    await host.disk.unlink(`${directory}/${spare}`)
    const next = await filled('one\n')
    expect(host.disk.texts()[`${directory}/buffer.b${next.id}.log`]).toBe('one\n')
  })

  it.each<[string, Parameters<typeof fileStore>[1]]>([
    ['with fsync seal', { fsync: 'seal' }],
    ['with fsync ack', { fsync: 'ack' }],
    ['where that is not asked for', { reusesFiles: false }],
  ])('is removed %s', async (_why, options) => {
    const { host, delivered } = await opened(options)
    await delivered('one\n')
    expect(await namesIn(host)).toEqual([])
  })

  it('of an earlier run is removed: it may have other rights', async () => {
    const { host, filled } = await opened()
    await filled('one\n')
    const [found] = await fileStore(host, { reusesFiles: true }).open()
    await found?.chunk.seal()
    await found?.chunk.remove()
    expect(await namesIn(host)).toEqual([])
  })
})

describe('the next store of the buffer, while this one is at its end', () => {
  it('has spare files of its own', async () => {
    const { host, filled } = await opened()
    const other = await filled('other\n')
    const next = fileStore(host, { reusesFiles: true })
    await next.open()
    await other.remove()
    const chunk = next.create(metadata)
    chunk.append(Buffer.from('one\n'), 1)
    await chunk.commit()
    expect(await sparesIn(host)).toHaveLength(1)
    await chunk.remove()
    expect(await sparesIn(host)).toHaveLength(2)
  })
})

describe('a chunk in a file that another one had', () => {
  it('stays staged while the old bytes cannot be cut off, and its events are its own', async () => {
    const { host, filled, delivered } = await opened()
    await delivered('an older event\n')
    const next = await filled('one\n')
    host.disk.fault = (operation, path) => {
      if (operation === 'handle.truncate') throw diskError('EIO', path)
    }
    await next.seal()
    host.disk.fault = undefined
    expect(await namesIn(host)).toContain(`buffer.b${next.id}.log`)
    expect(await textOf(next)).toBe('one\n')
    const [found] = await fileStore(host).open()
    expect(await textOf(found!.chunk)).toBe('one\n')
  })

  it('has its record written when its events are, not beside them', async () => {
    const { host, filled, delivered } = await opened()
    await delivered('an older event, longer than the next\n')
    const order: string[] = []
    host.disk.fault = (operation, path) => {
      if (operation === 'handle.writevNow') throw new Error('not now')
      if (operation === 'handle.writev') order.push('events')
      if (operation === 'handle.write' && path.endsWith('.meta')) order.push('meta')
      return undefined
    }
    const chunk = await filled('one\n')
    chunk.append(Buffer.from('two\n'), 1)
    await chunk.commit()
    expect(order).toEqual(['meta', 'events', 'meta', 'events', 'meta'])
  })

  it('is shown by `sluice buffer ls` with its own bytes', async () => {
    const { host, filled, delivered } = await opened()
    await delivered('an older event\n')
    await filled('one\n')
    const found = await scan(host.disk, { directory }, (_path, error) => {
      throw error
    })
    expect(found).toMatchObject([{ state: 'staged', bytes: 4, events: 1 }])
  })
})
