import type { PluginContext } from '../../config/define.ts'
import { isWritten, positionOf } from '../../config/schema.ts'
import { BufferOverflowError, ConfigError } from '../../core/errors.ts'
import type { ByteBudget, HttpListener, HttpRequest, HttpResponse } from '../../core/host.ts'
import { ParserError } from '../../core/parser.ts'
import type { Source } from '../../core/source.ts'
import type { EventTime } from '../../core/value.ts'
import { createTimeReader, type ParserValues } from '../../parsers/base.ts'
import { createTimeParser, type TimeParser } from '../../parsers/time.ts'
import { toFloat } from '../../parsers/types.ts'
import { emitKept } from '../../routing/slip.ts'
import { allowListOf } from '../../transport/allow-list.ts'
import { createByteBudget } from '../../transport/byte-budget.ts'
import { Population } from '../../transport/population.ts'
import { Reports } from '../../transport/reports.ts'
import { createTlsServer, type TlsServer, warnOfTransport } from '../../transport/tls-server.ts'
import { bodyOf } from './body.ts'
import { type Cors, createCors } from './cors.ts'
import { type RecordRules, Records } from './records.ts'
import { failure, Refusal } from './refusal.ts'
import { addedFields, type Payload, payloadOf, type Target, targetOf } from './request.ts'
import type { HttpSourceParams } from './shape.ts'

/** At stop: how often it is looked whether clients are gone, and how long they may stay without a request under way. */
const drainLookMs = 25
const drainMs = 250

const plainText = { 'content-type': 'text/plain' }
/** Of one pixel, as Fluentd's. */
const emptyImage = Buffer.from(
  '47494638396101000100 80ff00ffffff000000 2c00000000010001000002024401003b'.replaceAll(' ', ''),
  'hex',
)

/** Throws ConfigError. */
export function createHttpSource(params: HttpSourceParams, context: PluginContext): Source {
  if (params.addTagPrefix === '') {
    throw new ConfigError("'add_tag_prefix' parameter must not be empty", {
      position: positionOf(params, 'addTagPrefix'),
    })
  }
  return new HttpSource(params, context)
}

class HttpSource implements Source {
  readonly claims: readonly string[]
  readonly #params: HttpSourceParams
  readonly #context: PluginContext
  readonly #reports: Reports
  readonly #population: Population
  readonly #budget: ReturnType<typeof createByteBudget>
  readonly #allows: ((address: string | undefined) => boolean) | undefined
  readonly #tls: TlsServer | undefined
  readonly #cors: Cors
  readonly #rules: RecordRules
  /** Which form bodies have where a parser reads them. */
  readonly #parsedKind: Payload['kind'] | undefined
  readonly #parseTime: TimeParser
  readonly #accepted: HttpResponse
  #listener: HttpListener | undefined
  #underway = 0

  constructor(params: HttpSourceParams, context: PluginContext) {
    const { host, log } = context
    const { clock } = host
    this.#params = params
    this.#context = context
    this.claims = params.port === 0 ? [] : [`tcp:${params.bind}:${params.port}`]
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock, metrics: host.metrics, labels })
    this.#population = new Population(params)
    this.#budget = createByteBudget(params.totalBodyLimit)
    this.#allows = allowListOf(params)
    this.#tls = createTlsServer(params.transport, context)
    this.#cors = createCors(params)
    this.#rules = recordRules(params, context, this.#budget)
    this.#parsedKind = parsedKind(params.parse.type)
    const settings = { localtime: false, clock, position: undefined }
    const float = { type: 'float', format: undefined, timezone: undefined } as const
    this.#parseTime = createTimeParser(float, settings)
    this.#accepted = acceptedAnswer(params)
  }

  /** Where it listens; undefined before start. */
  get address() {
    return this.#listener?.address
  }

  async check(): Promise<void> {
    await this.#tls?.load()
  }

  async start(): Promise<void> {
    const { host, log } = this.#context
    const { bind, port, bodySizeLimit, backlog, keepaliveTimeout, transport } = this.#params
    warnOfTransport(transport, log)
    await this.#tls?.load()
    this.#listener = await host.http.serve({
      host: bind,
      port,
      maxBodyBytes: bodySizeLimit,
      backlog,
      tls: this.#tls?.options,
      // 0 would be no limit in Node.
      keepAliveTimeoutMs: Math.max(1, keepaliveTimeout) * 1000,
      requestTimeoutMs: this.#params.requestTimeout * 1000,
      budget: this.#budget,
      connections: {
        opened: (from) => this.#opened(from),
        closed: (from) => {
          this.#population.remove(from)
          this.#reports.connections = this.#population.size
        },
      },
      refused: (reason, from) => {
        this.#reports.lostMessage(reason)
        this.#warn('refused a request', { host: from, reason }, reason)
      },
      handle: (request) => this.#handle(request),
    })
    const { address } = this.#listener
    log.info('listening http', { bind, port: address.kind === 'tcp' ? address.port : port })
    this.#reports.register()
  }

  #opened(from: string | undefined): boolean {
    this.#reports.connectionsTotal += 1
    const refusal = this.#allows?.(from) === false ? 'client' : this.#population.refusal(from)
    if (refusal !== undefined) {
      this.#reports.refused(refusal)
      this.#reports.warn('refused a connection', { host: from, limit: refusal }, refusal)
      return false
    }
    this.#population.add(from)
    this.#reports.connections = this.#population.size
    return true
  }

  async #handle(request: HttpRequest): Promise<HttpResponse> {
    this.#reports.bytes += request.body.byteLength
    const { method } = request
    // Load balancers ask by GET whether we are there.
    if (method === 'GET' || method === 'HEAD') return { status: 200, headers: plainText }
    if (method === 'OPTIONS') {
      const headers = this.#cors.preflight(request)
      return headers === undefined
        ? forbidden
        : { status: 200, headers: { ...plainText, ...headers } }
    }
    const headers = this.#cors.admit(request)
    if (headers === undefined) {
      this.#reports.lostMessage('origin')
      this.#warn('refused a request', { host: request.remoteAddress, reason: 'origin' }, 'origin')
      return forbidden
    }
    this.#underway += 1
    try {
      const answer = await this.#take(request)
      return { ...answer, headers: { ...answer.headers, ...headers } }
    } finally {
      this.#underway -= 1
    }
  }

  async #take(request: HttpRequest): Promise<HttpResponse> {
    try {
      const { decompressionSizeLimit: limitBytes } = this.#params
      const { clock } = this.#context.host
      const body = await bodyOf(request, { limitBytes, budget: this.#budget, clock })
      try {
        return await this.#takeBody(request, body.bytes)
      } finally {
        this.#budget.give(body.heldBytes)
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#reports.lostMessage(error.reason)
      const fields = { path: shownPath(request), host: request.remoteAddress, error }
      this.#warn('failed to process request', fields, error.reason)
      // Fluentd says nothing of bodies that cannot be decompressed.
      if (error.reason === 'compression') return { status: 400, headers: plainText }
      return failure(error.status, error.message)
    }
  }

  async #takeBody(request: HttpRequest, body: Uint8Array): Promise<HttpResponse> {
    const target = targetOf(request.url, this.#params)
    const { payload, time } = this.#payloadOf(request, body, target.query)
    const fields = addedFields(request, target.query, this.#params)
    const records = new Records(this.#rules, { time: this.#timeOf(time), fields })
    try {
      await records.read(payload)
      return await this.#takeRecords(target.tag, records)
    } finally {
      records.release()
    }
  }

  async #takeRecords(tag: string, records: Records): Promise<HttpResponse> {
    if (records.invalid > 0) {
      this.#reports.invalidEvents('unmatched', records.invalid)
      this.#warn('a request has values that are no records', { tag, values: records.invalid })
    }
    return records.count === 0 ? this.#accepted : this.#emit(tag, records)
  }

  #payloadOf(
    request: HttpRequest,
    body: Uint8Array,
    query: Target['query'],
  ): { payload: Payload; time: Uint8Array | undefined } {
    const kind = this.#parsedKind
    if (kind === undefined) return payloadOf(request, body, query)
    return { payload: { kind, bytes: body }, time: query.get('time') }
  }

  /** By `time=`; what is no number, or 0, is now. */
  #timeOf(written: Uint8Array | undefined): EventTime | undefined {
    if (written === undefined) return undefined
    const seconds = toFloat(Buffer.from(written).toString('latin1'))
    const time = this.#parseTime(seconds === 0 ? this.#context.host.clock.wallMs() / 1000 : seconds)
    if (time instanceof ParserError) throw new Refusal(400, 'time', time.message)
    return time
  }

  async #emit(tag: string, records: Records): Promise<HttpResponse> {
    const { count } = records
    try {
      await emitKept(this.#context.router, { tag, packed: records.packed, count })
    } catch (error) {
      this.#reports.rejectedEvents += count
      this.#warn('failed to emit data', { tag, events: count, error })
      const { message } = error as Error
      return failure(error instanceof BufferOverflowError ? 503 : 500, message)
    }
    this.#reports.events += count
    return this.#accepted
  }

  #warn(message: string, fields: Record<string, unknown>, kind = ''): void {
    if (this.#params.dumpErrorLog) this.#reports.warn(message, fields, kind)
  }

  /** Requests that have come are answered; what is on its way for longer than that is not. */
  async stop(deadline: AbortSignal): Promise<void> {
    const listener = this.#listener
    if (listener === undefined) return
    listener.drain()
    await this.#drained(deadline)
    await listener.close()
    this.#listener = undefined
    this.#context.host.metrics.forget({ plugin_id: this.#context.id })
  }

  #drained(deadline: AbortSignal): Promise<void> {
    const { clock } = this.#context.host
    const startMs = clock.monotonicMs()
    return new Promise((resolve) => {
      const look = () => {
        const quiet = this.#population.size === 0 || clock.monotonicMs() - startMs >= drainMs
        if (deadline.aborted || (this.#underway === 0 && quiet)) resolve()
        else clock.after(drainLookMs, look)
      }
      look()
    })
  }
}

const forbidden: HttpResponse = { status: 403, headers: { ...plainText, connection: 'close' } }

function acceptedAnswer(params: HttpSourceParams): HttpResponse {
  if (params.respondWithEmptyImg) {
    return {
      status: 200,
      headers: { 'content-type': 'image/gif; charset=utf-8' },
      body: emptyImage,
    }
  }
  return params.use204Response ? { status: 204 } : { status: 200, headers: plainText }
}

function recordRules(
  params: HttpSourceParams,
  context: PluginContext,
  budget: ByteBudget,
): RecordRules {
  const { parse } = params
  const common = {
    recordLimitBytes: params.recordSizeLimit,
    keyLimit: params.recordKeysLimit,
    packedLimitBytes: params.decompressionSizeLimit,
    budget,
    clock: context.host.clock,
  }
  if (parse.type !== 'in_http') {
    const parser = context.createParser(parse)
    return { ...common, parser, timeKey: undefined, keepTimeKey: false, parseTime: undefined }
  }
  const values = parse.params as unknown as ParserValues
  const ownTime = isWritten(values, 'timeType') || isWritten(values, 'timeFormat')
  return {
    ...common,
    parser: undefined,
    timeKey: values.timeKey,
    keepTimeKey: values.keepTimeKey,
    parseTime: ownTime ? createTimeReader(values, context) : undefined,
  }
}

/** undefined: no parser reads the bodies. Arrays are taken apart before, so that a long one costs little at once. */
function parsedKind(type: string): Payload['kind'] | undefined {
  if (type === 'in_http') return undefined
  return type === 'json' || type === 'msgpack' ? type : 'text'
}

/** Without the query, in which clients may put what is not for a log. */
function shownPath(request: HttpRequest): string {
  return request.url.replace(/[?#].*$/s, '').slice(0, 256)
}
