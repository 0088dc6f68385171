import { describe, expect, it } from 'vitest'
import { createSupervisor } from '../../../src/cli/supervisor.ts'
import type { WorkerEvents } from '../../../src/host/node-workers.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

interface Started {
  readonly id: number
  readonly atMs: number
  readonly events: WorkerEvents
  readonly sent: string[]
}

function harness(options: { workers?: number; restartIntervalMs?: number; deaf?: boolean } = {}) {
  const clock = createVirtualClock()
  const forks: Started[] = []
  const said: string[] = []
  const joining: WorkerEvents[] = []
  const note = (message: string) => void said.push(message)
  const supervisor = createSupervisor({
    workers: options.workers ?? 2,
    starter: {
      start(place, events) {
        const sent: string[] = []
        forks.push({ id: place.id, atMs: clock.monotonicMs(), events, sent })
        if (options.deaf !== true) joining.push(events)
        return { pid: 1, send: (command) => void sent.push(command), kill: () => sent.push('kill') }
      },
    },
    clock,
    log: { info: note, warn: note, error: note },
    color: false,
    restartIntervalMs: options.restartIntervalMs ?? 0,
    killAfterMs: 9_000,
    flushDeadlineMs: 30_000,
    started: () => note('all run'),
  })
  supervisor.start()
  const join = () => {
    for (const events of joining.splice(0)) events.report({ kind: 'joined' })
  }
  join()
  const run = () => {
    for (const { events } of forks) events.report({ kind: 'started' })
  }
  return { clock, forks, said, supervisor, run }
}

describe('the supervisor of workers', () => {
  it('tells a worker only what it can hear: the rest once it listens', () => {
    const { forks, supervisor } = harness({ workers: 1, deaf: true })
    supervisor.tell('reload')
    supervisor.stop('SIGTERM', 0)
    expect(forks[0]!.sent).toEqual([])
    forks[0]!.events.report({ kind: 'joined' })
    expect(forks[0]!.sent).toEqual(['reload', 'stop'])
    supervisor.stop('SIGTERM', 0)
    expect(forks[0]!.sent).toEqual(['reload', 'stop', 'hurry'])
  })

  it('flushes before a stop where it should, and waits longer then', async () => {
    const { clock, forks, supervisor } = harness({ workers: 1, deaf: true })
    forks[0]!.events.report({ kind: 'joined' })
    supervisor.stop('RPC', 0, { flush: true })
    await clock.advance(38_999)
    expect(forks[0]!.sent).toEqual(['flushAndStop'])
    await clock.advance(1)
    expect(forks[0]!.sent).toEqual(['flushAndStop', 'kill'])
  })

  it('says once that all run', () => {
    const { forks, said } = harness()
    expect(forks.map(({ id }) => id)).toEqual([0, 1])
    forks[0]!.events.report({ kind: 'started' })
    expect(said).toEqual([])
    forks[1]!.events.report({ kind: 'started' })
    expect(said).toEqual(['all run'])
  })

  it('starts one that died again, with its number', async () => {
    const { clock, forks, said, run } = harness()
    run()
    await clock.advance(20_000)
    forks[1]!.events.ended(undefined, 'SIGKILL')
    await clock.advance(1)
    expect(forks.map(({ id }) => id)).toEqual([0, 1, 1])
    expect(said.at(-1)).toContain('worker 1 exited unexpectedly')
  })

  it('waits ever longer for one that goes on dying, a minute at most', async () => {
    const { clock, forks, run } = harness({ workers: 1 })
    run()
    const waits: number[] = []
    for (let i = 0; i < 10; i++) {
      const count = forks.length
      const diedMs = clock.monotonicMs()
      forks.at(-1)!.events.ended(1, undefined)
      while (forks.length === count) await clock.advance(500)
      waits.push(forks.at(-1)!.atMs - diedMs)
    }
    expect(waits).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })

  it('waits as long as restart_worker_interval says', async () => {
    const { clock, forks, run } = harness({ workers: 1, restartIntervalMs: 5_000 })
    run()
    forks[0]!.events.ended(1, undefined)
    await clock.advance(4_999)
    expect(forks).toHaveLength(1)
    await clock.advance(1)
    expect(forks).toHaveLength(2)
  })

  it('ends with 1 when a worker cannot start in the beginning', async () => {
    const { forks, supervisor } = harness()
    forks[0]!.events.ended(1, undefined)
    expect(forks[1]!.sent).toEqual(['stop'])
    forks[1]!.events.ended(0, undefined)
    expect(await supervisor.ended).toBe(1)
    expect(forks).toHaveLength(2)
  })

  it('stops all, and ends with 0 once the last one has', async () => {
    const { forks, supervisor, run } = harness()
    run()
    supervisor.stop('SIGTERM', 0)
    expect(forks.map(({ sent }) => sent)).toEqual([['stop'], ['stop']])
    forks[0]!.events.ended(0, undefined)
    forks[1]!.events.ended(0, undefined)
    expect(await supervisor.ended).toBe(0)
  })

  it('ends with 1 when a worker was killed while stopping, and hurries at the second signal', async () => {
    const { clock, forks, supervisor, run } = harness({ workers: 1 })
    run()
    supervisor.stop('SIGTERM', 0)
    supervisor.stop('SIGTERM', 0)
    await clock.advance(9_000)
    expect(forks[0]!.sent).toEqual(['stop', 'hurry', 'kill'])
    forks[0]!.events.ended(undefined, 'SIGKILL')
    expect(await supervisor.ended).toBe(1)
  })

  it('stops while one waits to be started again: it is not', async () => {
    const { clock, forks, supervisor, run } = harness({ workers: 1, restartIntervalMs: 1_000 })
    run()
    forks[0]!.events.ended(1, undefined)
    supervisor.stop('SIGTERM', 0)
    expect(await supervisor.ended).toBe(0)
    await clock.advance(5_000)
    expect(forks).toHaveLength(1)
  })

  it('tells a worker that is started again that the source-only mode has ended', async () => {
    const again = harness({ workers: 1, restartIntervalMs: 0 })
    again.run()
    again.supervisor.tell('winch')
    again.forks[0]!.events.ended(1, undefined)
    await again.clock.advance(1)
    again.forks[1]!.events.report({ kind: 'joined' })
    expect(again.forks[1]!.sent).toEqual(['winch'])
  })

  it('hands commands on to all that run', () => {
    const { forks, supervisor, run } = harness()
    run()
    supervisor.tell('flush')
    expect(forks.map(({ sent }) => sent)).toEqual([['flush'], ['flush']])
  })
})
