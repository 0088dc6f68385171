import type { PluginContext, PluginView } from '../../config/define.ts'
import type { HttpRequest, HttpResponse, Listener, Timer } from '../../core/host.ts'
import type { Source } from '../../core/source.ts'
import { EventTime, type MsgMap, type MsgValue } from '../../core/value.ts'
import { version } from '../../core/version.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { healthRoutes, serveRoutes, text } from '../../observe/health.ts'
import { type MonitorInfo, monitorInfo } from '../../observe/monitor-info.ts'
import { asksForAnother, countRefusals, isLoopback } from '../../transport/http-refusals.ts'

export interface MonitorAgentParams {
  readonly bind: string
  readonly port: number
  readonly tag: string | undefined
  readonly emitInterval: number
  readonly includeConfig: boolean
  readonly includeRetry: boolean
  readonly includeDebugInfo: boolean
}

export function createMonitorAgent(params: MonitorAgentParams, context: PluginContext): Source {
  const { host, system, app, log } = context
  const bind = params.bind.replace(/^\[(.*)\]$/, '$1')
  const port = params.port === 0 ? 0 : params.port + system.workerId
  const refused = countRefusals(
    { metrics: host.metrics, log },
    { plugin_id: context.id, type: context.type },
  )
  let listener: Listener | undefined
  let timer: Timer | undefined
  let stopped = false

  const infos = (query: URLSearchParams): MonitorInfo[] =>
    chosen(app, query).map((view) =>
      monitorInfo(view, { config: params.includeConfig, retry: params.includeRetry }),
    )
  const pretty = (query: URLSearchParams) => params.includeDebugInfo && query.has('debug')
  const config = () => ({
    pid: host.pid,
    ppid: process.ppid,
    version,
    config_path: app.configPath ?? null,
    workers: system.workers,
    worker_id: system.workerId,
  })
  const handle = (request: HttpRequest) => {
    if (isLoopback(bind) && asksForAnother(request, bind)) {
      refused('name', request.remoteAddress)
      return json(403, { message: 'ask by address, or as localhost' }, false)
    }
    return serveRoutes(
      request,
      {
        ...healthRoutes(app),
        '/api/plugins': (query) => text(200, ltsv(infos(query))),
        '/api/plugins.json': (query) => json(200, { plugins: infos(query) }, pretty(query)),
        '/api/config': () => text(200, ltsv([config()])),
        '/api/config.json': (query) => json(200, config(), pretty(query)),
      },
      json(404, { message: 'Not found' }, false),
    )
  }

  const emit = (tag: string): void => {
    timer = host.clock.after(params.emitInterval * 1000, () => emit(tag))
    const views = app.plugins()
    if (views.length === 0) return
    const emitted = context.router.emit({
      tag,
      packed: packed(views, host.clock.wallMs()),
      count: views.length,
    })
    emitted?.catch((error: unknown) => log.warn('cannot emit the state of the plugins', { error }))
  }

  return {
    claims: port === 0 ? [] : [`tcp:${bind}:${port}`],
    async start() {
      stopped = false
      listener = await host.http.serve({ host: bind, port, maxBodyBytes: 0, handle, refused })
      const { tag } = params
      if (tag === undefined || stopped) return
      timer = host.clock.after(params.emitInterval * 1000, () => emit(tag))
    },
    async stop() {
      stopped = true
      timer?.cancel()
      await listener?.close()
      listener = undefined
      host.metrics.forget({ plugin_id: context.id })
    },
  }
}

/** By ?tag=, ?@id= (or id), ?@type= (or type); all plugins otherwise. */
function chosen(app: PluginContext['app'], query: URLSearchParams): readonly PluginView[] {
  const views = app.plugins()
  const tag = query.get('tag')
  if (tag !== null) {
    const output = app.outputOf?.(tag)
    return output === undefined ? [] : [output]
  }
  const id = query.get('@id') ?? query.get('id')
  if (id !== null) return views.filter((view) => view.id === id).slice(0, 1)
  const type = query.get('@type') ?? query.get('type')
  return type === null ? views : views.filter((view) => view.type === type)
}

function json(status: number, value: unknown, readable: boolean): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value, undefined, readable ? 2 : undefined),
  }
}

/** One line each; arrays with commas, nested objects left out, as Fluentd does. */
function ltsv(rows: readonly MonitorInfo[]): string {
  const cell = ([key, value]: [string, unknown]): string[] => {
    if (Array.isArray(value)) return [`${key}:${value.join(',')}`]
    if (typeof value === 'object' && value !== null) return []
    return [`${key}:${String(value ?? '').replace(/[\t\r\n]/g, ' ')}`]
  }
  return rows.map((row) => `${Object.entries(row).flatMap(cell).join('\t')}\n`).join('')
}

function packed(views: readonly PluginView[], wallMs: number): Uint8Array {
  const seconds = Math.floor(wallMs / 1000)
  const time = new EventTime(seconds, Math.floor((wallMs - seconds * 1000) * 1e6))
  const encoder = new Encoder()
  for (const view of views) {
    encoder.arrayHeader(2)
    encoder.value(time)
    encoder.value(recordOf(monitorInfo(view, { config: false, retry: false })))
  }
  return encoder.copy()
}

function recordOf(info: MonitorInfo): MsgMap {
  return new Map(Object.entries(info).map(([key, value]) => [key, value as MsgValue]))
}
