import { describe, expect, it } from 'vitest'
import type { ChunkStore, StoredChunk } from '../../../src/buffer/store.ts'
import { createSeededRandom } from '../../support/fake-host.ts'
import { type DiskOperation, diskError, type TornWrite } from '../../support/memory-disk.ts'
import { fileStore, liveHost } from './file-store-support.ts'

/** Events of one commit, and how it ended. */
interface Written {
  readonly events: readonly string[]
  outcome: 'pending' | 'safe' | 'refused'
}

interface Model {
  readonly chunk: StoredChunk
  readonly written: Written[]
  sealed: boolean
  removed: 'no' | 'asked' | 'done'
}

/** One after another or at the same time, as chance has it; everything from one seed. */
async function play(store: ChunkStore, seed: number): Promise<Model[]> {
  const random = createSeededRandom(seed)
  const below = (limit: number) => Math.floor(random.unit() * limit)
  const models: Model[] = []
  const running: Promise<unknown>[] = []
  let next = 0
  for (let step = 0; step < 20; step += 1) {
    const open = models.filter((model) => !model.sealed)
    const kind = below(10)
    const model = open[below(open.length + 1)]
    if (model === undefined) {
      if (models.length < 8) {
        const chunk = store.create({
          timekey: below(3),
          tag: `t${models.length}`,
          variables: undefined,
        })
        models.push({ chunk, written: [], sealed: false, removed: 'no' })
      }
    } else if (kind < 7) {
      const events = Array.from({ length: 1 + below(3) }, () => {
        next += 1
        return `${model.chunk.id.slice(0, 4)} ${next} ${'x'.repeat(below(40))}\n`
      })
      for (const event of events) model.chunk.append(Buffer.from(event), 1)
      const written: Written = { events, outcome: 'pending' }
      model.written.push(written)
      running.push(
        Promise.resolve(model.chunk.commit()).then(
          () => {
            written.outcome = 'safe'
          },
          () => {
            written.outcome = 'refused'
          },
        ),
      )
    } else {
      model.sealed = true
      running.push(Promise.resolve(model.chunk.seal()))
      if (kind >= 8) {
        model.removed = 'asked'
        const done = () => {
          model.removed = 'done'
        }
        running.push(Promise.resolve(model.chunk.remove()).then(done, () => undefined))
      }
    }
    if (below(3) === 0) await Promise.all(running)
    else if (below(2) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(running)
  return models
}

async function textOf(chunk: StoredChunk): Promise<string> {
  await chunk.prepare?.()
  return Buffer.concat(await chunk.read()).toString()
}

type Options = Parameters<typeof fileStore>[1]

const isWrite = (operation: DiskOperation) => /write/.test(operation)

/** Calls of the disk that a run without faults makes. `seen` gets each. */
async function callsOf(
  seed: number,
  options: Options,
  seen: (operation: DiskOperation, path: string) => void = () => undefined,
): Promise<number> {
  const host = liveHost(seed)
  let calls = 0
  host.disk.fault = (operation, path) => {
    calls += 1
    seen(operation, path)
  }
  const store = fileStore(host, options)
  await store.open()
  await play(store, seed)
  await store.close()
  return calls
}

async function crash(
  { seed, at, options }: { seed: number; at: number; options: Options },
  keep: (bytes: number) => number,
): Promise<void> {
  const host = liveHost(seed)
  const dead = new Error('the process is gone')
  let calls = 0
  host.disk.fault = (operation, _path, bytes): TornWrite | void => {
    calls += 1
    if (calls < at) return
    if (calls === at && isWrite(operation)) return { keepBytes: keep(bytes as number), error: dead }
    throw dead
  }
  const store = fileStore(host, options)
  let models: Model[] = []
  await store.open().then(
    async () => {
      models = await play(store, seed)
      // A process that is killed does not close anything; one that ends does, with the same guarantees.
      if (at % 2 === 0) await store.close().catch(() => undefined)
    },
    () => undefined,
  )
  host.disk.fault = undefined
  const recovered = new Map(
    (await fileStore(host).open()).map(({ chunk, state }) => [chunk.id, { chunk, state }]),
  )
  const where = `seed ${seed}, call ${at}`
  for (const { chunk, written, removed } of models) {
    const found = recovered.get(chunk.id)
    recovered.delete(chunk.id)
    if (removed === 'done') expect(found, where).toBeUndefined()
    if (found === undefined && removed !== 'no') continue
    const text = found === undefined ? '' : await textOf(found.chunk)
    const events = text === '' ? [] : text.split(/(?<=\n)/)
    expect(found?.chunk.count ?? 0, where).toBe(events.length)
    expect(found?.chunk.sizeBytes ?? 0, where).toBe(Buffer.byteLength(text))
    if (found !== undefined) expect(found.chunk.metadata, where).toMatchObject(chunk.metadata)
    // Whatever came back is whole, in order, and nothing that was safe is missing.
    const all = written.flatMap((one) => one.events)
    expect(events, where).toEqual(all.filter((event) => events.includes(event)))
    const safe = written.filter((one) => one.outcome === 'safe').flatMap((one) => one.events)
    expect(
      safe.filter((event) => !events.includes(event)),
      where,
    ).toEqual([])
  }
  expect([...recovered.keys()], where).toEqual([])
}

describe.each<[string, Options, number]>([
  ['as they are', {}, 20],
  ['in files that other chunks had', { reusesFiles: true }, 12],
  ['compressed', { codec: 'gzip', reusesFiles: true }, 6],
])('file store, chunks %s', (_name, options, seeds) => {
  it.each(Array.from({ length: seeds }, (_, i) => i + 1))(
    'gives back what was committed, wherever the process ends: seed %i',
    async (seed) => {
      const random = createSeededRandom(seed)
      const calls = await callsOf(seed, options)
      expect(calls).toBeGreaterThan(5)
      for (let at = 1; at <= calls; at += 1) {
        await crash({ seed, at, options }, (bytes) => Math.floor(random.unit() * (bytes + 1)))
        await crash({ seed, at, options }, (bytes) => bytes)
      }
    },
  )

  it.each(Array.from({ length: seeds }, (_, i) => i + 1))(
    'refuses exactly what could not be written, and goes on: seed %i',
    async (seed) => {
      const calls = await callsOf(seed, options)
      for (let at = 2; at <= calls; at += 1) {
        const host = liveHost(seed)
        const store = fileStore(host, options)
        await store.open()
        let call = 1
        host.disk.fault = (operation, path, bytes): TornWrite | void => {
          call += 1
          if (call !== at || operation === 'unlink') return
          const error = diskError('ENOSPC', path)
          if (isWrite(operation)) return { keepBytes: (bytes as number) >> 1, error }
          throw error
        }
        const models = await play(store, seed)
        host.disk.fault = undefined
        for (const { chunk, written, removed } of models) {
          const safe = written.filter((one) => one.outcome === 'safe').flatMap((one) => one.events)
          expect(written.every((one) => one.outcome !== 'pending')).toBe(true)
          if (removed !== 'no') continue
          expect(await textOf(chunk), `seed ${seed}, call ${at}`).toBe(safe.join(''))
          expect(chunk.count).toBe(safe.length)
        }
        await store.close()
        const left = await fileStore(host).open()
        for (const { chunk } of left) {
          const model = models.find((one) => one.chunk.id === chunk.id)
          expect(await textOf(chunk), `seed ${seed}, call ${at}`).toBe(
            model?.written
              .filter((one) => one.outcome === 'safe')
              .flatMap((one) => one.events)
              .join(''),
          )
        }
      }
    },
  )
})

it('gives some of these chunks a file that another had', async () => {
  let given = 0
  for (let seed = 1; seed <= 20; seed += 1) {
    await callsOf(seed, { reusesFiles: true }, (operation, path) => {
      if (operation === 'rename' && path.endsWith('.spare')) given += 1
    })
  }
  expect(given).toBeGreaterThan(5)
})
