import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeMeta, encodeMeta } from '../../../src/buffer/meta.ts'
import type { RecoveredChunk, StoredChunk } from '../../../src/buffer/store.ts'
import { createNodeDisk } from '../../../src/host/node-disk.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { directory, fileStore, liveHost, metadata } from './file-store-support.ts'

const id = '0123456789abcdef0123456789abcdef'
const hex = (text: string) => Buffer.from(text.replace(/ /g, ''), 'hex')

/** As Fluentd writes it: numbers in their smallest form, nothing behind the map. */
function fluentdMeta(tag: string | null, count: number): Uint8Array {
  const map = encode(
    new Map<string, never>(
      Object.entries({
        timekey: null,
        tag,
        variables: null,
        seq: 0,
        id: Buffer.from(id, 'hex'),
        s: count,
        c: 1_700_000_000,
        m: 1_700_000_001,
      }) as never,
    ) as never,
  )
  const head = Buffer.from([0xc1, 0, 0, 0, 0, 0])
  head.writeUInt32BE(map.length, 2)
  return Buffer.concat([head, map])
}

async function filled(texts: readonly string[]) {
  const host = liveHost()
  const store = fileStore(host)
  await store.open()
  const chunk = store.create(metadata)
  for (const text of texts) {
    chunk.append(Buffer.from(text), 1)
    await chunk.commit()
  }
  return { host, store, chunk, path: `${directory}/buffer.b${chunk.id}.log` }
}

const textOf = async (chunk: StoredChunk) => Buffer.concat(await chunk.read()).toString()

async function only(chunks: Promise<readonly RecoveredChunk[]>) {
  const [one, ...others] = await chunks
  expect(others).toEqual([])
  return one
}

describe('.meta', () => {
  it('is Fluentd’s, with numbers of full width', () => {
    const { bytes } = encodeMeta({
      metadata: { timekey: undefined, tag: 'a', variables: undefined },
      id,
      count: 2,
      createdSeconds: 3,
      modifiedSeconds: 4,
    })
    expect(Buffer.from(bytes).toString('hex')).toBe(
      hex(
        `c100 0000004a 88 a7 74696d656b6579 c0 a3 746167 a1 61 a9 7661726961626c6573 c0 a3 736571 00
         a2 6964 c410 ${id} a1 73 ce00000002 a1 63 ce00000003 a1 6d ce00000004`.replace(/\s/g, ''),
      ).toString('hex'),
    )
    expect(decodeMeta(bytes)).toMatchObject({ id, count: 2, createdSeconds: 3, modifiedSeconds: 4 })
  })

  it.each(['', 'c1', 'c100ffffffff80', 'c10000000001c1', 'c10000000002 80 80', '90'])(
    'reads nothing from %s',
    (bytes) => {
      expect(decodeMeta(hex(bytes))).toBeUndefined()
    },
  )

  it('reads old files, which are the bare map', () => {
    expect(decodeMeta(fluentdMeta('x', 7).subarray(6))).toMatchObject({ id, count: 7 })
  })
})

describe('layout', () => {
  it('is Fluentd’s: staged, queued, gone', async () => {
    const { host, chunk } = await filled(['one\n', 'two\n'])
    const named = (state: string) =>
      [`/buf/buffer.${state}${chunk.id}.log`, `/buf/buffer.${state}${chunk.id}.log.meta`] as const
    expect(host.disk.paths().filter((path) => !path.endsWith('/'))).toEqual(named('b'))
    expect(host.disk.texts()[named('b')[0]]).toBe('one\ntwo\n')
    await chunk.seal()
    expect(host.disk.paths().filter((path) => !path.endsWith('/'))).toEqual(named('q'))
    expect(decodeMeta(host.disk.bytesOf(named('q')[1]))).toMatchObject({ count: 2, metadata })
    await chunk.remove()
    expect(host.disk.paths()).toEqual(['/', '/buf/'])
  })

  it('of file_single escapes the tag, and keeps what the name cannot say', async () => {
    const host = liveHost()
    const store = fileStore(host, { single: true })
    await store.open()
    const tag = `../../etc/ü${'x'.repeat(300)}`
    const chunk = store.create({ timekey: 5, tag, variables: undefined })
    chunk.append(Buffer.from('x\n'), 1)
    await chunk.commit()
    const names = await host.disk.readdir('/buf')
    expect(names[0]).toMatch(/^fsb\.\.\.%2F\.\.%2Fetc%2F%C3%BCx+\.b[0-9a-f]{32}\.buf$/)
    expect(names.every((name) => name.length <= 255)).toBe(true)
    await store.close()
    const found = await only(fileStore(host, { single: true }).open())
    expect(found?.chunk.metadata).toMatchObject({ timekey: 5, tag })
  })
})

describe('recovery', () => {
  it('goes on with a staged chunk, and cuts what was not committed', async () => {
    const { host, chunk, path } = await filled(['one\n', 'two\n'])
    host.disk.put(path, `${host.disk.texts()[path]}thr`)
    const again = fileStore(host)
    const found = await only(again.open())
    expect(found?.state).toBe('staged')
    expect(found?.chunk).toMatchObject({ id: chunk.id, count: 2, sizeBytes: 8 })
    found?.chunk.append(Buffer.from('four\n'), 1)
    await found?.chunk.commit()
    await found?.chunk.seal()
    await found?.chunk.prepare?.()
    expect(await textOf(found!.chunk)).toBe('one\ntwo\nfour\n')
    const last = await only(fileStore(host).open())
    expect(last).toMatchObject({ state: 'queued', chunk: { count: 3, sizeBytes: 13 } })
  })

  it('adds nothing to a chunk that was counted, but not renamed, when the process ended', async () => {
    const { host, chunk, path } = await filled(['one\n', 'two\n'])
    host.disk.fault = (operation) => {
      if (operation === 'rename') throw new Error('the process is gone')
    }
    await chunk.seal()
    host.disk.fault = undefined
    expect(decodeMeta(host.disk.bytesOf(`${path}.meta`))).toMatchObject({ count: 2 })
    const found = await only(fileStore(host).open())
    expect(found).toMatchObject({ state: 'queued', chunk: { count: 2, sizeBytes: 8 } })
  })

  it('leaves out a range with a flipped bit, and keeps it aside with the reason', async () => {
    const { host, store, chunk, path } = await filled(['one\n', 'two\n', 'three\n'])
    await store.close()
    host.disk.put(path, 'one\ntwO\nthree\n')
    const found = await only(fileStore(host).open())
    const changes: unknown[] = []
    found!.chunk.changed = (change) => changes.push(change)
    await found?.chunk.prepare?.()
    expect(await textOf(found!.chunk)).toBe('one\nthree\n')
    expect(found?.chunk).toMatchObject({ count: 2, sizeBytes: 10 })
    expect(changes).toEqual([{ bytes: -4, events: -1, reason: 'damaged' }])
    const kept = `/store/backup/worker0/out/${chunk.id}.4.log`
    expect(host.disk.texts()[kept]).toBe('twO\n')
    expect(host.disk.texts()[`${kept}.reason`]).toContain('CRC-32')
    expect(decodeMeta(host.disk.bytesOf(`${kept}.meta`))).toMatchObject({ metadata })
  })

  it.each([0, 1, 2])('leaves out the range whose record %i cannot be read', async (place) => {
    const texts = ['one\n', 'two\n', 'three\n']
    const { host, path } = await filled(texts)
    const meta = Buffer.from(host.disk.bytesOf(`${path}.meta`))
    const at = meta.length - 28 * (3 - place)
    meta[at + 3] = (meta[at + 3] as number) ^ 1
    host.disk.put(`${path}.meta`, meta)
    const found = await only(fileStore(host).open())
    expect(found?.state).toBe('queued')
    await found?.chunk.prepare?.()
    expect(await textOf(found!.chunk)).toBe(texts.filter((_, i) => i !== place).join(''))
    expect(found?.chunk.count).toBe(2)
  })

  it('moves a chunk away whose .meta file is damaged, and delivers the others', async () => {
    const { host, store, path, chunk } = await filled(['one\n'])
    const other = store.create(metadata)
    other.append(Buffer.from('other\n'), 1)
    await other.commit()
    const meta = Buffer.from(host.disk.bytesOf(`${path}.meta`))
    const at = meta.indexOf('a.b')
    meta[at] = (meta[at] as number) ^ 1
    host.disk.put(`${path}.meta`, meta)
    const found = await only(fileStore(host).open())
    expect(found?.chunk.id).toBe(other.id)
    expect(host.disk.texts()[`/store/backup/worker0/out/${chunk.id}.log`]).toBe('one\n')
    expect(host.disk.texts()[path]).toBeUndefined()
  })

  it('puts a .meta file in place that the process did not get to rename', async () => {
    const { host, chunk } = await filled(['one\n'])
    await chunk.seal()
    const queued = `/buf/buffer.q${chunk.id}.log`
    await host.disk.rename(`${queued}.meta`, `/buf/buffer.b${chunk.id}.log.meta`)
    const found = await only(fileStore(host).open())
    expect(found).toMatchObject({ state: 'queued', chunk: { metadata, count: 1 } })
  })

  it('takes text that Fluentd left, up to the last whole line', async () => {
    const host = liveHost()
    const path = `/buf/buffer.b${id}.log`
    host.disk.put(path, 'one\ntwo\nthr')
    host.disk.put(`${path}.meta`, fluentdMeta('x.y', 2))
    const found = await only(fileStore(host).open())
    expect(found).toMatchObject({ state: 'queued', chunk: { id, count: 2 } })
    expect(found?.chunk.metadata.tag).toBe('x.y')
    expect(await textOf(found!.chunk)).toBe('one\ntwo\n')
    expect(host.disk.texts()[`/store/backup/worker0/out/${id}.8.log`]).toBe('thr')
    await found?.chunk.remove()
    expect(await host.disk.readdir('/buf')).toEqual([])
  })

  it('takes packed entries that Fluentd left, up to the last whole one', async () => {
    const host = liveHost()
    const entry = encode([1_700_000_000, new Map([['k', 'v'.repeat(300_000)]])])
    const path = `/buf/buffer.q${id}.log`
    host.disk.put(path, Buffer.concat([entry, entry, entry.subarray(0, 100_000)]))
    host.disk.put(`${path}.meta`, fluentdMeta('x', 3))
    const found = await only(fileStore(host).open())
    expect(found?.chunk).toMatchObject({ count: 2, sizeBytes: 2 * entry.length })
  })

  it('takes what Fluentd added to a chunk of ours', async () => {
    const { host, chunk, path } = await filled(['one\n'])
    const meta = Buffer.from(host.disk.bytesOf(`${path}.meta`))
    // Fluentd counts from the 0 it found, and writes `s` at each commit: here, by chance, what our record has.
    const { countAt } = encodeMeta({
      metadata,
      id: chunk.id,
      count: 0,
      createdSeconds: 0,
      modifiedSeconds: 0,
    })
    meta.writeUInt32BE(1, countAt)
    host.disk.put(`${path}.meta`, meta)
    host.disk.put(path, 'one\ntwo\n')
    const found = await only(fileStore(host).open())
    expect(await textOf(found!.chunk)).toBe('one\ntwo\n')
  })

  it('leaves links, and what is not its own, alone', async () => {
    const host = liveHost()
    host.disk.put('/etc/secret', 'x\n')
    host.disk.put('/buf/other.log', 'y\n')
    await host.disk.symlink('/etc/secret', `/buf/buffer.b${id}.log`)
    expect(await fileStore(host).open()).toEqual([])
    expect(host.disk.texts()).toEqual({ '/etc/secret': 'x\n', '/buf/other.log': 'y\n' })
  })
})

describe('a disk that is full', () => {
  it('refuses what does not fit, says so once, and takes events again later', async () => {
    const { host, chunk, path } = await filled(['one\n'])
    host.disk.capacityBytes = 0
    for (let i = 0; i < 3; i += 1) {
      chunk.append(Buffer.from('two\n'), 1)
      await expect(chunk.commit()).rejects.toThrow('could not be written')
    }
    expect(chunk).toMatchObject({ count: 1, sizeBytes: 4 })
    expect(host.disk.texts()[path]).toBe('one\n')
    host.disk.capacityBytes = Number.POSITIVE_INFINITY
    chunk.append(Buffer.from('three\n'), 1)
    await chunk.commit()
    expect(await textOf(chunk)).toBe('one\nthree\n')
    expect(host.log.messages('error')).toHaveLength(1)
    expect(host.log.messages('info')).toEqual(['the buffer can be written again'])
  })
})

describe('a real disk', () => {
  it('holds chunks over a restart, and reads them in pieces', async () => {
    const path = mkdtempSync(join(tmpdir(), 'buffer-'))
    const host = { ...liveHost(), disk: createNodeDisk() as never }
    const at = { locate: async () => ({ directory: path, prefix: 'buffer', suffix: '.log' }) }
    try {
      const store = fileStore(host, { ...at, fsync: 'ack' })
      await store.open()
      const chunk = store.create(metadata)
      const line = `${'x'.repeat(99_999)}\n`
      for (let i = 0; i < 30; i += 1) {
        chunk.append(Buffer.from(line), 1)
        await chunk.commit()
      }
      await store.close()
      const found = await only(fileStore(host, at).open())
      expect(found?.chunk).toMatchObject({ count: 30, sizeBytes: 3_000_000 })
      await found?.chunk.seal()
      await found?.chunk.prepare?.()
      let bytes = 0
      let pieces = 0
      for await (const piece of found!.chunk.stream!()) {
        bytes += piece.length
        pieces += 1
      }
      expect([bytes, pieces > 5]).toEqual([3_000_000, true])
    } finally {
      rmSync(path, { recursive: true })
    }
  })
})
