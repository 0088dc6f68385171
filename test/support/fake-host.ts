import type {
  Host,
  Http,
  HttpClientRequest,
  HttpClientResponse,
  HttpRequest,
  HttpResponse,
  MemoryFigures,
  StdoutWriter,
} from '../../src/core/host.ts'
import type { LogFields, Logger, LogLevel } from '../../src/core/log.ts'
import type { InstrumentOptions, Labels, Metrics } from '../../src/core/metrics.ts'
import { createFakeProcesses, type FakeProcesses } from './fake-processes.ts'
import { createMemoryDisk, type MemoryDisk } from './memory-disk.ts'
import { createMemoryNet, type MemoryNet } from './memory-net.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly id: string | undefined
  readonly message: string
  readonly fields: LogFields
}

export interface RecordingLog extends Logger {
  readonly lines: LogLine[]
  /** The messages of a level, in order. */
  messages(level: LogLevel): string[]
}

export interface FakeMetrics extends Metrics {
  /**
   * The value of the instrument with these labels (others may stand beside them), 0 if nothing was
   * counted.
   */
  value(name: string, labels?: Labels): number
  /** Observations of a histogram. */
  observed(name: string): number[]
}

/** A request with all of its body. */
export interface SeenRequest extends HttpClientRequest {
  readonly body?: readonly Uint8Array[] | undefined
  /** What was said of a body that came piece by piece. */
  readonly streamedBytes?: number
}

type HttpServeOptions = Parameters<Http['serve']>[0]

export interface FakeHttp extends Http {
  /** Answers the clients' requests; set it before they come. */
  answer: (request: HttpClientRequest) => HttpClientResponse | Promise<HttpClientResponse>
  /** What the clients have sent. */
  readonly requests: SeenRequest[]
  /** What servers were asked for, in order. */
  readonly served: HttpServeOptions[]
  /** Plays a request to a server that the code under test runs. */
  ask(port: number, request: Partial<HttpRequest> & { url: string }): Promise<HttpResponse>
}

export interface FakeStdout extends StdoutWriter {
  /** All that was written. */
  text(): string
  /** Number of writes. */
  readonly writes: number
  /** While true, writes stay pending; false lets them go. */
  stalled: boolean
  /** Set: writes reject with it. */
  error: Error | undefined
}

export interface FakeHost extends Host {
  readonly clock: VirtualClock
  readonly disk: MemoryDisk
  readonly net: MemoryNet
  readonly http: FakeHttp
  readonly processes: FakeProcesses
  readonly log: RecordingLog
  readonly metrics: FakeMetrics
  readonly stdout: FakeStdout
  readonly env: Record<string, string | undefined>
}

/** A world in memory: same seed, same run. */
export function createFakeHost(options: { seed?: number; startMs?: number } = {}): FakeHost {
  const clock = createVirtualClock(options.startMs)
  return {
    clock,
    disk: createMemoryDisk({ wallMs: () => clock.wallMs() }),
    net: createMemoryNet(clock),
    http: createFakeHttp(),
    processes: createFakeProcesses(),
    random: createSeededRandom(options.seed ?? 1),
    log: createRecordingLog(),
    metrics: createFakeMetrics(),
    stdout: createFakeStdout(),
    watchMemory: () => ({ read: () => fakeMemory, stop: () => undefined }),
    env: {},
    hostname: 'sluice.test',
    pid: 4711,
  }
}

/** What every watch of the memory shows. */
export const fakeMemory: MemoryFigures = {
  minorCollections: 5,
  majorCollections: 2,
  collectionMs: 12.5,
  heapUsedBytes: 1000,
  heapTotalBytes: 2000,
  heapLimitBytes: 4000,
  externalBytes: 100,
  residentBytes: 9000,
}

/** mulberry32: small, even enough for tests. */
export function createSeededRandom(seed: number): Host['random'] {
  let state = seed >>> 0
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    unit,
    bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(unit() * 256)),
  }
}

export function createRecordingLog(lines: LogLine[] = [], id?: string): RecordingLog {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, id, message, fields })
    }
  return {
    lines,
    messages: (level) => lines.filter((line) => line.level === level).map((line) => line.message),
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    enabled: () => true,
    child: (options) => createRecordingLog(lines, options.id ?? id),
  }
}

export function createFakeMetrics(): FakeMetrics {
  const values = new Map<string, { options: InstrumentOptions; read: () => number | undefined }>()
  const instruments = new Map<
    string,
    { value: number; add(by?: number): void; set(to: number): void }
  >()
  const histograms = new Map<string, number[]>()
  const keyOf = (options: InstrumentOptions) =>
    JSON.stringify([options.name, Object.entries(options.labels ?? {}).sort()])

  function instrument(options: InstrumentOptions) {
    const key = keyOf(options)
    const made = instruments.get(key) ?? {
      value: 0,
      add(by = 1) {
        this.value += by
      },
      set(to: number) {
        this.value = to
      },
    }
    instruments.set(key, made)
    values.set(key, { options, read: () => made.value })
    return made
  }

  return {
    counter: instrument,
    gauge: instrument,
    observableGauge: (options, read) => void values.set(keyOf(options), { options, read }),
    observableCounter: (options, read) => void values.set(keyOf(options), { options, read }),
    histogram(options) {
      const list = histograms.get(options.name) ?? []
      histograms.set(options.name, list)
      return { observe: (value) => void list.push(value) }
    },
    forget(labels) {
      for (const [key, { options }] of values) {
        const own = options.labels ?? {}
        if (Object.entries(labels).every(([name, value]) => own[name] === value)) {
          values.delete(key)
          instruments.delete(key)
        }
      }
    },
    expose: async () =>
      [...values.values()].map(({ options, read }) => `${options.name} ${read()}\n`).join(''),
    value(name, labels = {}) {
      let sum = 0
      for (const { options, read } of values.values()) {
        const own = options.labels ?? {}
        const fits = Object.entries(labels).every(([key, value]) => own[key] === value)
        if (options.name === name && fits) sum += read() ?? 0
      }
      return sum
    },
    observed: (name) => histograms.get(name) ?? [],
  }
}

async function seen(request: HttpClientRequest): Promise<SeenRequest> {
  const { body } = request
  if (body === undefined || !('pieces' in body)) {
    return { ...request, body: body?.map((piece) => piece.slice()) }
  }
  const pieces: Uint8Array[] = []
  for await (const piece of body.pieces) pieces.push(piece.slice())
  return { ...request, body: pieces, streamedBytes: body.bytes }
}

export function createFakeHttp(): FakeHttp {
  const servers = new Map<number, HttpServeOptions>()
  const served: HttpServeOptions[] = []
  const requests: SeenRequest[] = []
  let freePort = 41_000
  const http: FakeHttp = {
    requests,
    served,
    answer: () => ({ status: 200, headers: {}, body: new Uint8Array(0) }),
    client: () => ({
      async request(request) {
        // What the caller may change after the request is kept as it was.
        requests.push(await seen(request))
        request.signal?.throwIfAborted()
        return http.answer(request)
      },
      close: async () => undefined,
    }),
    async serve(options) {
      const port = options.port === 0 ? freePort++ : options.port
      if (servers.has(port)) {
        throw Object.assign(new Error(`EADDRINUSE: ${port}`), { code: 'EADDRINUSE' })
      }
      servers.set(port, options)
      served.push(options)
      return {
        address: { kind: 'tcp', host: options.host, port },
        drain() {
          servers.delete(port)
        },
        async close() {
          servers.delete(port)
        },
      }
    },
    async ask(port, request) {
      const server = servers.get(port)
      if (server === undefined) {
        throw Object.assign(new Error(`ECONNREFUSED: ${port}`), { code: 'ECONNREFUSED' })
      }
      return server.handle({
        method: 'GET',
        headers: {},
        remoteAddress: '127.0.0.1',
        body: new Uint8Array(0),
        ...request,
      })
    },
  }
  return http
}

export function createFakeStdout(): FakeStdout {
  const pieces: Uint8Array[] = []
  let stalled = false
  let waiters: (() => void)[] = []
  const room = () => new Promise<void>((resolve) => waiters.push(resolve))
  return {
    error: undefined,
    write(bytes) {
      if (this.error !== undefined) return Promise.reject(this.error)
      pieces.push(bytes.slice())
      return stalled ? room() : undefined
    },
    async drain() {
      if (stalled) await room()
      return this.error === undefined
    },
    text: () => Buffer.concat(pieces).toString(),
    get writes() {
      return pieces.length
    },
    get stalled() {
      return stalled
    },
    set stalled(value) {
      stalled = value
      if (value) return
      for (const resolve of waiters) resolve()
      waiters = []
    },
  }
}
