import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ChunkChange } from '../../../src/buffer/store.ts'
import { diskError } from '../../support/memory-disk.ts'
import { directory, fileStore, liveHost, metadata } from './file-store-support.ts'

const line = (n: number) => `{"n":${n},"message":"the same words again and again"}\n`
const text = Array.from({ length: 200 }, (_, n) => line(n)).join('')

async function sealed(options: Parameters<typeof fileStore>[1] = {}) {
  const host = liveHost()
  const store = fileStore(host, { codec: 'gzip', ...options })
  await store.open()
  const changes: ChunkChange[] = []
  const chunk = store.create(metadata, (change) => changes.push(change))
  chunk.append(Buffer.from(text), 200)
  await chunk.commit()
  await chunk.seal()
  return { host, store, chunk, changes, path: `${directory}/buffer.q${chunk.id}.log` }
}

const filesIn = (host: ReturnType<typeof liveHost>) =>
  host.disk.paths().filter((path) => path.startsWith(`${directory}/`) && !path.endsWith('/'))

type Chunk = Awaited<ReturnType<typeof sealed>>['chunk']
const textOf = async (chunk: Chunk) => Buffer.concat(await chunk.read()).toString()

describe('a chunk that is queued, with compress', () => {
  it('is smaller on disk, and the same for whoever reads it', async () => {
    const { host, chunk, changes, path } = await sealed()
    const bytes = Buffer.from(await host.disk.readFile(path))
    expect(gunzipSync(bytes).toString()).toBe(text)
    expect(filesIn(host)).toEqual([path, `${path}.meta`])
    expect(chunk).toMatchObject({ sizeBytes: text.length, count: 200, heldBytes: bytes.length })
    expect(changes).toEqual([
      { bytes: bytes.length - text.length, events: 0, reason: 'compressed' },
    ])
    expect(await textOf(chunk)).toBe(text)
    await chunk.remove()
    expect(filesIn(host)).toEqual([])
  })

  it('is delivered by the next run, which needs no compress for it', async () => {
    const { host, store, chunk, path } = await sealed()
    await store.close()
    const [found] = await fileStore(host).open()
    expect(found?.chunk).toMatchObject({ id: chunk.id, metadata, count: 200 })
    expect(found?.chunk.sizeBytes).toBe(text.length)
    await found?.chunk.prepare?.()
    expect(await textOf(found!.chunk)).toBe(text)
    expect(host.disk.paths()).toContain(path)
  })

  it('stays as it is where that is smaller', async () => {
    const host = liveHost()
    const store = fileStore(host, { codec: 'gzip' })
    await store.open()
    const chunk = store.create(metadata)
    chunk.append(Buffer.from('{}\n'), 1)
    await chunk.commit()
    await chunk.seal()
    expect(host.disk.texts()[`${directory}/buffer.q${chunk.id}.log`]).toBe('{}\n')
    expect(host.disk.paths().filter((one) => one.includes('.new'))).toEqual([])
  })

  it('with a bit turned is left out as a whole, counted, and kept aside', async () => {
    const { host, store, chunk, path } = await sealed()
    await store.close()
    const bytes = Buffer.from(await host.disk.readFile(path))
    bytes[0] = 0x1e
    host.disk.put(path, bytes)
    const [found] = await fileStore(host).open()
    const changes: ChunkChange[] = []
    found!.chunk.changed = (change) => changes.push(change)
    await found?.chunk.prepare?.()
    expect(found?.chunk).toMatchObject({ sizeBytes: 0, count: 0, heldBytes: 0 })
    expect(changes).toEqual([{ bytes: -bytes.length, events: -200, reason: 'damaged' }])
    const kept = `/store/backup/worker0/out/${chunk.id}.0.log`
    expect(Buffer.from(await host.disk.readFile(kept))).toEqual(bytes)
  })

  it('of an earlier run: damaged parts are found before, and do not get into it', async () => {
    const host = liveHost()
    const first = fileStore(host)
    await first.open()
    const chunk = first.create(metadata)
    for (let commit = 0; commit < 3; commit += 1) {
      chunk.append(Buffer.from(text), 200)
      await chunk.commit()
    }
    await first.close()
    const staged = `${directory}/buffer.b${chunk.id}.log`
    const bytes = Buffer.from(await host.disk.readFile(staged))
    bytes[text.length + 50] = 0x21
    host.disk.put(staged, bytes)
    const [found] = await fileStore(host, { codec: 'gzip' }).open()
    expect(found?.state).toBe('staged')
    await found!.chunk.seal()
    await found!.chunk.prepare?.()
    expect(found?.chunk.count).toBe(400)
    expect(await textOf(found!.chunk)).toBe(text + text)
  })

  it('a power failure that left names without bytes: the staged files are taken', async () => {
    const { host, store, chunk, path } = await sealed()
    await store.close()
    const meta = await host.disk.readFile(`${path}.meta`)
    host.disk.put(path, gzipSync(text).fill(0, 30))
    host.disk.put(`${path}.meta`, meta)
    const staged = `${directory}/buffer.b${chunk.id}.log`
    host.disk.put(staged, text)
    const other = await sealed({ codec: undefined })
    host.disk.put(`${staged}.meta`, await other.host.disk.readFile(`${other.path}.meta`))
    const found = await fileStore(host).open()
    expect(found).toHaveLength(1)
    expect(await textOf(found[0]!.chunk)).toBe(text)
    expect(host.log.messages('warn').join()).toContain('is there twice')
  })

  it('where there is no room for another file, it is queued as it is', async () => {
    const host = liveHost()
    const store = fileStore(host, { codec: 'gzip' })
    await store.open()
    const chunk = store.create(metadata)
    chunk.append(Buffer.from(text), 200)
    await chunk.commit()
    host.disk.fault = (operation, path) => {
      if (operation === 'handle.write' && path.includes('.new')) throw diskError('ENOSPC', path)
    }
    await chunk.seal()
    expect(host.disk.texts()[`${directory}/buffer.q${chunk.id}.log`]).toBe(text)
    expect(host.disk.paths().filter((one) => one.includes('.new'))).toEqual([])
    expect(await textOf(chunk)).toBe(text)
  })
})
