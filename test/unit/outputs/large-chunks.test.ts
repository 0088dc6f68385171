import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { streamFromBytes } from '../../../src/buffer/index.ts'
import type { OutputDefinition } from '../../../src/config/define.ts'
import { PermanentError } from '../../../src/core/errors.ts'
import type { Chunk, Sink } from '../../../src/core/output.ts'
import { fileOutput } from '../../../src/outputs/file/index.ts'
import { httpOutput } from '../../../src/outputs/http/index.ts'
import type { MemoryDisk } from '../../support/memory-disk.ts'
import { bufferOf, formatOf, outputOf, world } from '../buffer/support.ts'

const pieceBytes = 100_000
const text = Array.from({ length: Math.ceil(streamFromBytes / 100) + 5 }, (_, n) =>
  `{"n":${n}}`.padEnd(99).concat('\n'),
).join('')

/** A chunk that must not be read at once, and whose pieces are one block that is used again. */
function largeChunk(options: { failsAt?: number } = {}): Chunk {
  const bytes = Buffer.from(text)
  return {
    id: 'a'.repeat(32),
    metadata: { timekey: undefined, tag: 't', variables: undefined },
    sizeBytes: bytes.length,
    count: bytes.length / 100,
    createdMs: 0,
    modifiedMs: 0,
    read: () => Promise.reject(new Error('read at once')),
    async *stream() {
      const block = Buffer.alloc(pieceBytes)
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        if (at === options.failsAt) throw new PermanentError('chunk_gone', 'it is gone')
        const length = bytes.copy(block, 0, at, at + pieceBytes)
        yield block.subarray(0, length)
        block.fill(0x21)
      }
    },
  }
}

const { signal } = new AbortController()

async function sinkOf(definition: OutputDefinition, params: Readonly<Record<string, unknown>>) {
  const { host, context } = world()
  const bound = outputOf(definition, {
    format: formatOf('json', {}),
    buffer: bufferOf(),
    ...params,
  })
  const sink = definition.createSink?.(bound.params as never, {
    ...context,
    createFormatter: () => ({ format: () => undefined }),
  }) as Sink
  await sink.start()
  return { host, sink, disk: host.disk as MemoryDisk }
}

describe('a chunk that is too large for memory', () => {
  it('goes out by http piece by piece, with its length', async () => {
    const { host, sink } = await sinkOf(httpOutput, { endpoint: 'http://h:1/' })
    await sink.write(largeChunk(), signal)
    const [request] = host.http.requests
    expect(request?.streamedBytes).toBe(text.length)
    expect(request?.body?.length).toBeGreaterThan(40)
    expect(Buffer.concat(request?.body ?? []).toString() === text).toBe(true)
  })

  it('is compressed for http without being read at once', async () => {
    const { host, sink } = await sinkOf(httpOutput, { endpoint: 'http://h:1/', compress: 'gzip' })
    await sink.write(largeChunk(), signal)
    const [request] = host.http.requests
    expect(request?.streamedBytes).toBeUndefined()
    expect(gunzipSync(Buffer.concat(request?.body ?? [])).toString() === text).toBe(true)
  })

  it('that cannot be read to its end is not sent as if it were whole', async () => {
    const { sink } = await sinkOf(httpOutput, { endpoint: 'http://h:1/' })
    await expect(sink.write(largeChunk({ failsAt: 20 * pieceBytes }), signal)).rejects.toThrow(
      'it is gone',
    )
  })

  it.each([
    ['appended', { append: true }, '/out/log.log'],
    ['a file of its own', {}, '/out/log_0.log'],
  ])('is written to a file: %s', async (_name, params, path) => {
    const { sink, disk } = await sinkOf(fileOutput, {
      path: '/out/log',
      ...params,
    })
    await sink.write(largeChunk(), signal)
    expect(disk.texts()[path] === text).toBe(true)
    const failing = sink.write(largeChunk({ failsAt: 20 * pieceBytes }), signal)
    await expect(failing).rejects.toThrow('it is gone')
    // What was written of the second one is taken back.
    expect(Object.values(disk.texts()).map((one) => one.length)).toEqual([text.length])
  })

  it('is compressed into a file', async () => {
    const { sink, disk } = await sinkOf(fileOutput, { path: '/out/log', compress: 'gzip' })
    await sink.write(largeChunk(), signal)
    const bytes = Buffer.from(await disk.readFile('/out/log_0.log.gz'))
    expect(gunzipSync(bytes).toString() === text).toBe(true)
  })
})
