import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { type Codec, compressPieces } from '../../../src/buffer/compress.ts'
import { codecByMark, DecodeError, decodeExtent, wholeEnd } from '../../../src/buffer/decode.ts'
import type { FileHandle } from '../../../src/core/host.ts'
import { createNodeDisk } from '../../../src/host/node-disk.ts'
import { createChance } from '../../sim/chance.ts'
import { fluentdChunks } from './fluentd-chunks.ts'

const dir = mkdtempSync(join(tmpdir(), 'sluice-decode-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const disk = createNodeDisk()

async function withFile<T>(bytes: Buffer, run: (file: FileHandle) => Promise<T>): Promise<T> {
  const path = join(dir, 'file')
  writeFileSync(path, bytes)
  const file = await disk.open(path, { read: true })
  try {
    return await run(file)
  } finally {
    await file.close()
  }
}

async function decoded(bytes: Buffer, codec: Codec): Promise<Buffer> {
  return await withFile(bytes, async (file) => {
    const pieces: Buffer[] = []
    for await (const piece of decodeExtent(file, codec, { start: 0, end: bytes.length })) {
      pieces.push(Buffer.from(piece))
    }
    return Buffer.concat(pieces)
  })
}

/** A frame with raw blocks, without a checksum. */
function rawFrame(plain: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])]
  for (let at = 0; at === 0 || at < plain.length; at += 100_000) {
    const block = plain.subarray(at, at + 100_000)
    const head = Buffer.alloc(3)
    head.writeUIntLE((block.length << 3) | (at + 100_000 >= plain.length ? 1 : 0), 0, 3)
    parts.push(head, block)
  }
  return Buffer.concat(parts)
}

const members: Record<Codec, (plain: Buffer) => Buffer> = {
  gzip: (plain) => zlib.gzipSync(plain, { level: 1 }),
  zstd: rawFrame,
}

/** Members of random sizes, more than fits into one block that is read; where each ends. */
function many(codec: Codec, seed: number) {
  const chance = createChance(seed, 1)
  const plains: Buffer[] = []
  const parts: Buffer[] = []
  const ends: number[] = []
  let at = 0
  for (let index = 0; index < 60; index += 1) {
    const plain = Buffer.alloc(chance.pick(0, 1, 700, 40_000, 150_000))
    for (let i = 0; i < plain.length; i += 1) plain[i] = chance.below(256)
    const part = members[codec](plain)
    at += part.length
    plains.push(plain)
    parts.push(part)
    ends.push(at)
  }
  return { plain: Buffer.concat(plains), bytes: Buffer.concat(parts), ends }
}

describe.each(['gzip', 'zstd'] as const)('%s', (codec) => {
  it.each([1, 2, 3])('decodes members end to end (%i)', async (seed) => {
    const { plain, bytes } = many(codec, seed)
    expect(codecByMark(bytes)).toBe(codec)
    expect((await decoded(bytes, codec)).equals(plain)).toBe(true)
  })

  it('finds where the last whole one ends, wherever it is cut', async () => {
    const { bytes, ends } = many(codec, 4)
    const chance = createChance(5, 1)
    for (let round = 0; round < 12; round += 1) {
      const cut = round === 0 ? (ends[7] as number) : chance.below(bytes.length)
      const expected = ends.findLast((end) => end <= cut) ?? 0
      const torn = bytes.subarray(0, cut)
      expect(await withFile(torn, (file) => wholeEnd(file, codec, cut))).toBe(expected)
      if (cut !== expected) await expect(decoded(torn, codec)).rejects.toThrow(DecodeError)
    }
  })

  it('what follows and is none of it ends the whole part', async () => {
    const { bytes } = many(codec, 6)
    const more = Buffer.concat([bytes, Buffer.from('{"n":1}\n{"n":2}\n')])
    await expect(decoded(more, codec)).rejects.toThrow(DecodeError)
    expect(await withFile(more, (file) => wholeEnd(file, codec, more.length))).toBe(bytes.length)
  })

  it('may be left before its end', async () => {
    const { bytes } = many(codec, 7)
    await withFile(bytes, async (file) => {
      for await (const piece of decodeExtent(file, codec, { start: 0, end: bytes.length })) {
        if (piece.byteLength > 0) break
      }
    })
  })

  it('a disk that fails is told as it is', async () => {
    const { bytes } = many(codec, 8)
    await withFile(bytes, async (file) => {
      const failing: FileHandle = { ...file, read: () => Promise.reject(new Error('EIO')) }
      const read = async () => {
        const extent = { start: 0, end: bytes.length }
        for await (const _ of decodeExtent(failing, codec, extent));
      }
      await expect(read()).rejects.toThrow('EIO')
      await expect(wholeEnd(failing, codec, bytes.length)).rejects.toThrow('EIO')
    })
  })
})

it('a bit that is turned in a gzip member ends the whole part before it', async () => {
  const { bytes, ends } = many('gzip', 9)
  const at = (ends[20] as number) + 40
  const turned = Buffer.from(bytes)
  turned[at] = (turned[at] as number) ^ 4
  const end = await withFile(turned, (file) => wholeEnd(file, 'gzip', turned.length))
  expect(end).toBe(ends.findLast((one) => one <= at))
})

it('decodes what the zstd program compressed', async () => {
  const files = fluentdChunks.get('http-file-zstd')!
  const queued = [...files].find(([name]) => /\.q.*log$/.test(name))![1]
  expect((await decoded(queued, 'zstd')).toString().split('\n')).toHaveLength(7)
})

it('what compressPieces makes is one member', async () => {
  const plain = Buffer.alloc(3_000_000, 'a line of text\n')
  const bytes = Buffer.concat(
    await compressPieces([plain.subarray(0, 9), plain.subarray(9)], 'gzip'),
  )
  expect((await decoded(bytes, 'gzip')).equals(plain)).toBe(true)
})
