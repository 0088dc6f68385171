import { describe, expect, it } from 'vitest'
import type { ChunkStore } from '../../../src/buffer/store.ts'
import { directory, fileStore, liveHost } from './file-store-support.ts'
import { fluentdChunks, numbersIn } from './fluentd-chunks.ts'

function hostWith(files: ReadonlyMap<string, Buffer>) {
  const host = liveHost()
  for (const [name, bytes] of files) host.disk.put(`${directory}/${name}`, bytes)
  return host
}

async function delivered(store: ChunkStore) {
  const chunks = (await store.open()).map(({ chunk }) => chunk)
  const read = await Promise.all(
    chunks.map(async (chunk) => {
      const bytes = Buffer.concat(await chunk.read())
      const streamed: Buffer[] = []
      for await (const piece of chunk.stream!()) streamed.push(Buffer.from(piece))
      expect(Buffer.concat(streamed)).toEqual(bytes)
      expect(bytes.length).toBe(chunk.sizeBytes)
      return { tag: chunk.metadata.tag, count: chunk.count, numbers: numbersIn(bytes) }
    }),
  )
  return read.sort((a, b) => (a.numbers[0] as number) - (b.numbers[0] as number))
}

describe('what Fluentd left', () => {
  it('is recorded for each output, buffer and compression', () => {
    expect(fluentdChunks.size).toBe(14)
  })

  it.each([...fluentdChunks])('%s: each event is delivered once', async (name, files) => {
    const host = hostWith(files)
    const store = fileStore(host, { single: name.includes('single') })
    expect(await delivered(store)).toEqual([
      { tag: 'app.web', count: 6, numbers: [0, 1, 2, 3, 4, 5] },
      { tag: 'app.web', count: 3, numbers: [6, 7, 8] },
      { tag: 'app.db', count: 1, numbers: [9] },
    ])
    expect(host.disk.paths().filter((path) => path.startsWith('/store/'))).toEqual([])
  })

  it.each([...fluentdChunks.keys()].filter((name) => !name.includes('text')))(
    '%s: of a chunk that is cut off the whole parts are delivered, the rest is kept aside',
    async (name) => {
      const files = new Map(fluentdChunks.get(name))
      const queued = [...files.keys()].find((file) => /\.q[0-9a-f]+\.(log|buf)$/.test(file))!
      const whole = files.get(queued)!
      files.set(queued, whole.subarray(0, -3))
      const host = hostWith(files)
      const store = fileStore(host, { single: name.includes('single') })
      const all = (await delivered(store)).flatMap(({ numbers }) => numbers)
      expect(all.slice(-4)).toEqual([6, 7, 8, 9])
      const parts = all.slice(0, -4)
      expect(parts.length).toBeLessThan(6)
      expect(parts).toEqual([0, 1, 2, 3, 4, 5].slice(0, parts.length))
      const kept = host.disk.paths().filter((path) => /^\/store\/.*\.log$/.test(path))
      expect(kept).toHaveLength(1)
      const at = Number(/\.(\d+)\.log$/.exec(kept[0]!)?.[1])
      expect(Buffer.from(await host.disk.readFile(kept[0]!))).toEqual(whole.subarray(at, -3))
      // The numbers of the second append, where there is one: nothing of it was delivered.
      expect([5, 0]).toContain(parts.length)
    },
  )
})
