import { describe, expect, it } from 'vitest'
import { createFakeHost, createSeededRandom } from '../../../support/fake-host.ts'
import { diskError } from '../../../support/memory-disk.ts'
import { none, type RunningTail, startTail } from './harness.ts'

/** Writers, rotations, restarts, outputs that refuse and a faulty disk in random order: each line comes once, and in order. */

const log = '/l/app.log'

async function run(seed: number, followInodes: boolean) {
  const random = createSeededRandom(seed)
  const below = (limit: number) => Math.floor(random.unit() * limit)
  const lines = `path ${log}${followInodes ? '*\nfollow_inodes true' : ''}
pos_file /pos
tag t
read_from_head true
refresh_interval 7s
rotate_wait ${below(3)}s
read_lines_limit ${1 + below(50)}
${none}`
  const host = createFakeHost({ seed })
  let tail: RunningTail = await startTail(lines, { [log]: '' }, host)
  const got: string[] = []
  let sent = 0
  let rotations = 0
  let rest = ''
  const write = () => {
    let text = rest
    for (let i = below(40); i > 0; i--) text += `${sent++} ${'x'.repeat(below(200))}\n`
    const cut = below(text.length + 1)
    rest = text.slice(cut)
    host.disk.append(log, text.slice(0, cut))
  }
  const pause = (ms: number) => {
    host.disk.tells = below(4) > 0
    return tail.pass(ms)
  }
  const steps: (() => Promise<void> | void)[] = [
    write,
    write,
    write,
    () => pause(below(3000)),
    () => pause(below(30)),
    async () => {
      host.disk.append(log, rest)
      rest = ''
      host.disk.move(log, `${log}.${++rotations}`)
      if (below(2) === 0) await pause(below(2000))
      host.disk.put(log, '')
      // One name leads to one file at a time: it must be seen before the next.
      await tail.pass(1000)
    },
    () => {
      const refuses = below(3) > 0
      tail.answer = refuses
        ? () => (below(2) === 0 ? Promise.reject(new Error('full')) : undefined)
        : () => undefined
    },
    () => {
      const failing = below(3) > 0
      host.disk.fault = (operation, path) => {
        if (!failing || !path.startsWith('/l/') || operation !== 'handle.read') return
        if (below(3) === 0) throw diskError('EIO', path)
      }
    },
    async () => {
      // Positions of files that were rotated away are not kept by path: all is read before.
      tail.answer = () => undefined
      host.disk.fault = undefined
      await tail.pass(10_000)
      await tail.stop()
      got.push(...tail.came())
      write()
      tail = await startTail(lines, {}, host)
    },
  ]
  for (let i = 0; i < 60; i++) await steps[below(steps.length)]!()
  tail.answer = () => undefined
  host.disk.fault = undefined
  host.disk.append(log, rest)
  await tail.pass(20_000)
  await tail.stop()
  got.push(...tail.came())
  expect(host.clock.pendingTimers).toBe(0)
  return { numbers: got.map((line) => Number.parseInt(line, 10)), sent }
}

describe('source tail, at random', () => {
  const seeds = Array.from({ length: 40 }, (_, i) => i + 1)
  it.each(seeds)('seed %i', async (seed) => {
    const { numbers, sent } = await run(seed, seed % 2 === 0)
    expect(numbers).toEqual(Array.from({ length: sent }, (_, i) => i))
  })
})
