import type { PluginContext } from '../../config/define.ts'
import { RetryableError } from '../../core/errors.ts'
import type { Timer } from '../../core/host.ts'
import type { Chunk } from '../../core/output.ts'
import type { Parsed, Parser } from '../../core/parser.ts'
import { type Extractor, extractorOf } from '../../parsers/extract.ts'
import { withTextTime } from '../../parsers/text-time.ts'
import {
  failureOf,
  type RunningCommand,
  runCommand,
  settledInTime,
  terminate,
} from '../../transport/command.ts'
import { LineEvents } from '../../transport/line-events.ts'
import { createParsedStream } from '../../transport/parsed-stream.ts'
import { Reports } from '../../transport/reports.ts'
import type { ExecFilterParams } from './sink.ts'

/** Before one that has ended is started again. */
const respawnMs = 200
/** At stop: how long those whose input has ended may take. */
const finishMs = 10_000

interface Child {
  readonly index: number
  /** How often it may be started again. */
  respawns: number
  running: RunningCommand | undefined
  timer: Timer | undefined
}

/** The programs that run, and the events that come back from them. */
export class Children {
  readonly #params: ExecFilterParams
  readonly #context: PluginContext
  readonly #parser: Parser
  readonly #extract: Extractor
  readonly #reports: Reports
  readonly #events: LineEvents
  readonly #respawns: number
  #children: Child[] = []
  #turn = 0
  #stopped = false

  /** Throws ConfigError. */
  constructor(params: ExecFilterParams, respawns: number, context: PluginContext) {
    const { host, log, router } = context
    const { parse } = params
    this.#params = params
    this.#respawns = respawns
    this.#context = context
    this.#parser = context.createParser({ ...parse, params: withTextTime(parse.params) })
    this.#extract = extractorOf(withTextTime(params.extract), context)
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock: host.clock, metrics: host.metrics, labels })
    this.#events = new LineEvents({ consumer: router, reports: this.#reports })
  }

  start(): void {
    this.#stopped = false
    this.#children = Array.from({ length: this.#params.numChildren }, (_, index) => ({
      index,
      respawns: this.#respawns,
      running: undefined,
      timer: undefined,
    }))
    for (const child of this.#children) this.#run(child)
  }

  #run(child: Child): void {
    const { command, parse } = this.#params
    const { host } = this.#context
    const stream = createParsedStream(parse.type, {
      parser: this.#parser,
      reports: this.#reports,
      use: (parsed) => this.#take(parsed),
    })
    const running = runCommand(
      { command, stdin: 'pipe', stdout: 'pipe', stderr: 'discard' },
      { processes: host.processes, stream, events: this.#events, reports: this.#reports },
    )
    child.running = running
    void running.exited.then((exit) => {
      child.running = undefined
      if (this.#stopped) return
      const { index, respawns } = child
      this.#context.log.warn('child process exits with error code', {
        child: index,
        ...(failureOf(exit) ?? { status: 0 }),
      })
      if (respawns === 0) return
      child.respawns -= 1
      child.timer = host.clock.after(respawnMs, () => {
        this.#context.log.info('respawning child process', { child: index, left: child.respawns })
        this.#run(child)
      })
    })
  }

  #take({ time, record }: Parsed): void {
    const { addPrefix, tag = '' } = this.#params
    const event = this.#extract({ tag: '', time, record })
    const own =
      event.tag !== '' && addPrefix !== undefined ? `${addPrefix}.${event.tag}` : event.tag
    const made = own === '' ? tag : own
    if (made === '') {
      this.#reports.invalidEvents('no_tag', 1)
      this.#reports.warn('an event has no tag, and there is no `tag`', {})
      return
    }
    this.#events.add(made, event.time, record)
  }

  /** To the next one that runs. Rejects with RetryableError if none does, or it ends meanwhile. */
  async write(chunk: Chunk, signal: AbortSignal): Promise<void> {
    const { length } = this.#children
    for (let tried = 0; tried < length; tried++) {
      this.#turn = (this.#turn + 1) % length
      const running = this.#children[this.#turn]?.running
      if (running === undefined) continue
      await this.#writeTo(running, chunk, signal)
      return
    }
    throw new RetryableError('no_child', 'no healthy child processes exist')
  }

  async #writeTo(running: RunningCommand, chunk: Chunk, signal: AbortSignal): Promise<void> {
    const gone = running.exited.then(() => 'gone' as const)
    const aborted = new Promise<'aborted'>((resolve) => {
      if (signal.aborted) resolve('aborted')
      signal.addEventListener('abort', () => resolve('aborted'), { once: true })
    })
    for (const piece of await chunk.read()) {
      const written = running.child.write(piece).then(
        () => undefined,
        (error: unknown) => error as Error,
      )
      const outcome = await Promise.race([written, gone, aborted])
      if (outcome === undefined) continue
      const why = typeof outcome === 'string' ? outcome : outcome.message
      throw new RetryableError('write_failed', `a child process does not take events: ${why}`)
    }
  }

  /** What they still have to say, now that nothing more comes, is waited for. */
  async stop(deadline: AbortSignal): Promise<void> {
    const { clock } = this.#context.host
    this.#stopped = true
    const running = this.#children.flatMap((child) => {
      child.timer?.cancel()
      return child.running ?? []
    })
    for (const { child } of running) child.closeInput()
    await Promise.all(
      running.map(async (one) => {
        const ended = await settledInTime(one.exited, { clock, deadline, limitMs: finishMs })
        if (!ended) await terminate(one, { clock, deadline })
      }),
    )
    this.#children = []
  }
}
