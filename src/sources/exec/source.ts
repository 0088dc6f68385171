import type { PluginContext } from '../../config/define.ts'
import { type Bound, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Timer } from '../../core/host.ts'
import type { Parser } from '../../core/parser.ts'
import type { Source } from '../../core/source.ts'
import { type Extractor, extractorOf } from '../../parsers/extract.ts'
import { withTextTime } from '../../parsers/text-time.ts'
import { failureOf, type RunningCommand, runCommand, terminate } from '../../transport/command.ts'
import { LineEvents } from '../../transport/line-events.ts'
import { createParsedStream } from '../../transport/parsed-stream.ts'
import { Reports } from '../../transport/reports.ts'
import { type Decode, decoderOf } from './encoding.ts'
import type { shape } from './index.ts'

type ExecParams = Bound<typeof shape>

/** Throws ConfigError. */
export function createExecSource(params: ExecParams, context: PluginContext): Source {
  if (params.tag === undefined && params.extract?.tagKey === undefined) {
    throw new ConfigError("'tag' or 'tag_key' option is required on exec input", {
      position: positionOf(params),
      hint: 'write `tag`, or an <extract> with `tag_key`',
    })
  }
  return new ExecSource(params, context)
}

class ExecSource implements Source {
  readonly claims: readonly string[] = []
  readonly #params: ExecParams
  readonly #context: PluginContext
  readonly #parser: Parser
  readonly #extract: Extractor
  readonly #decoder: (() => Decode) | undefined
  readonly #reports: Reports
  readonly #events: LineEvents
  #running: RunningCommand | undefined
  #timer: Timer | undefined
  #stopped = false

  constructor(params: ExecParams, context: PluginContext) {
    const { host, log, router } = context
    const { parse } = params
    this.#params = params
    this.#context = context
    this.#parser = context.createParser({ ...parse, params: withTextTime(parse.params) })
    this.#extract = extractorOf(withTextTime(params.extract), context)
    this.#decoder = decoderOf(params.encoding, positionOf(params, 'encoding'))
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock: host.clock, metrics: host.metrics, labels })
    this.#events = new LineEvents({ consumer: router, reports: this.#reports })
  }

  async start(): Promise<void> {
    this.#stopped = false
    this.#reports.register()
    if (this.#params.runInterval === undefined) this.#run()
    else this.#runLater(this.#params.runInterval * 1000)
  }

  #runLater(intervalMs: number): void {
    this.#timer = this.#context.host.clock.after(intervalMs, () => {
      this.#runLater(intervalMs)
      if (this.#running === undefined) {
        this.#run()
        return
      }
      const { command, runInterval } = this.#params
      this.#reports.warn('previous child process is still running. skipped.', {
        command,
        interval: runInterval,
      })
    })
  }

  #run(): void {
    const { command, connectMode, commandTimeout, parse } = this.#params
    const { host, log } = this.#context
    const stream = createParsedStream(parse.type, {
      parser: this.#parser,
      reports: this.#reports,
      use: ({ time, record }) => {
        const event = this.#extract({ tag: this.#params.tag ?? '', time, record })
        if (event.tag === '') {
          this.#reports.invalidEvents('no_tag', 1)
          this.#reports.warn('an event has no tag, and there is no `tag`', {})
        } else this.#events.add(event.tag, event.time, record)
      },
    })
    const stderr = connectMode === 'read' ? 'discard' : 'with_stdout'
    const running = runCommand(
      { command, stdin: 'none', stdout: 'pipe', stderr },
      {
        processes: host.processes,
        stream,
        events: this.#events,
        reports: this.#reports,
        decode: this.#decoder?.(),
      },
    )
    this.#running = running
    const limit =
      commandTimeout === undefined
        ? undefined
        : host.clock.after(commandTimeout * 1000, () => {
            log.warn('child process timed out', { command })
            running.child.kill('KILL')
          })
    void running.exited.then((exit) => {
      limit?.cancel()
      this.#running = undefined
      const failure = failureOf(exit)
      if (failure !== undefined && !this.#stopped) {
        this.#reports.warn('command exits with error code', { command, ...failure })
      }
    })
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#context.host
    this.#stopped = true
    this.#timer?.cancel()
    if (this.#running !== undefined) await terminate(this.#running, { clock, deadline })
    metrics.forget({ plugin_id: this.#context.id })
  }
}
