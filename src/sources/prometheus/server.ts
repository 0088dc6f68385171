import { gzipSync } from 'node:zlib'
import type { PluginContext } from '../../config/define.ts'
import { positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { HttpRequest, HttpResponse, Listener } from '../../core/host.ts'
import type { Source } from '../../core/source.ts'
import { healthRoutes, serveRoutes, text } from '../../observe/health.ts'
import { exposeContentType } from '../../observe/metrics.ts'
import { asksForAnother, countRefusals, isLoopback } from '../../transport/http-refusals.ts'
import type { TransportParams } from '../../transport/section.ts'
import { transportLike } from '../../transport/settings.ts'
import { createTlsServer, warnOfTransport } from '../../transport/tls-server.ts'
import { mergeExpositions } from './merge.ts'

export interface PrometheusParams {
  readonly bind: string
  readonly port: number
  readonly metricsPath: string
  readonly aggregatedMetricsPath: string
  readonly contentEncoding: 'identity' | 'gzip'
  readonly transport?: TransportParams | undefined
  readonly ssl?:
    | {
        readonly enable: boolean
        readonly certificatePath: string | undefined
        readonly privateKeyPath: string | undefined
      }
    | undefined
}

/** Bytes of another worker's metrics. */
const workerLimitBytes = 16 * 1024 * 1024
const workerTimeoutMs = 5_000

export function createPrometheusSource(params: PrometheusParams, context: PluginContext): Source {
  const { host, system, app, log } = context
  for (const name of ['metricsPath', 'aggregatedMetricsPath'] as const) {
    if (params[name].startsWith('/')) continue
    throw new ConfigError(`a path begins with /, not "${params[name]}"`, {
      position: positionOf(params, name),
    })
  }
  const bind = params.bind.replace(/^\[(.*)\]$/, '$1')
  const port = params.port === 0 ? 0 : params.port + system.workerId
  const refused = countRefusals(
    { metrics: host.metrics, log },
    { plugin_id: context.id, type: context.type },
  )
  let listener: Listener | undefined
  const transport = transportOf(params)
  const tls = createTlsServer(transport, context)
  const scheme = tls === undefined ? 'http' : 'https'

  const answer = (metrics: string, request: HttpRequest): HttpResponse => {
    const headers = { 'content-type': exposeContentType }
    const wanted = params.contentEncoding === 'gzip'
    if (!wanted || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
      return { status: 200, headers, body: metrics }
    }
    return {
      status: 200,
      headers: { ...headers, 'content-encoding': 'gzip' },
      body: gzipSync(metrics),
    }
  }

  /** Of each worker, by its own server; one that does not answer is left out. */
  const allWorkers = async (): Promise<string> => {
    const client = host.http.client({
      connections: 1,
      keepAlive: false,
      connectTimeoutMs: workerTimeoutMs,
      headersTimeoutMs: workerTimeoutMs,
      bodyTimeoutMs: workerTimeoutMs,
      maxResponseBytes: workerLimitBytes,
      // It is our own worker, at an address of this host that its certificate need not name.
      ...(tls === undefined ? {} : { tls: { rejectUnauthorized: false } }),
    })
    const ask = async (workerId: number): Promise<string> => {
      if (workerId === system.workerId) return host.metrics.expose()
      const url = `${scheme}://${reachable(bind)}:${params.port + workerId}${params.metricsPath}`
      const { status, body } = await client.request({ method: 'GET', url, headers: {} })
      if (status !== 200) throw new Error(`${url} answered ${status}`)
      return new TextDecoder().decode(body)
    }
    try {
      const answers = await Promise.allSettled(
        Array.from({ length: system.workers }, (_, workerId) => ask(workerId)),
      )
      const texts = new Map<number, string>()
      for (const [workerId, outcome] of answers.entries()) {
        if (outcome.status === 'fulfilled') texts.set(workerId, outcome.value)
        else log.error('a worker does not give its metrics', { workerId, error: outcome.reason })
      }
      return mergeExpositions(texts)
    } finally {
      await client.close()
    }
  }

  const handle = (request: HttpRequest) => {
    if (isLoopback(bind) && asksForAnother(request, bind)) {
      refused('name', request.remoteAddress)
      return text(403, 'ask by address, or as localhost\n')
    }
    return serveRoutes(request, {
      ...healthRoutes(app),
      [params.metricsPath]: async () => answer(await host.metrics.expose(), request),
      [params.aggregatedMetricsPath]: async () =>
        answer(system.workers > 1 ? await allWorkers() : await host.metrics.expose(), request),
    })
  }

  return {
    claims: port === 0 ? [] : [`tcp:${bind}:${port}`],
    async check() {
      await tls?.load()
    },
    async start() {
      warnOfTransport(transport, log)
      await tls?.load()
      listener = await host.http.serve({
        host: bind,
        port,
        maxBodyBytes: 0,
        handle,
        refused,
        tls: tls?.options,
      })
      const { address } = listener
      const realPort = address.kind === 'tcp' ? address.port : port
      log.info('serving metrics', {
        url: `${scheme}://${urlHost(bind)}:${realPort}${params.metricsPath}`,
      })
    },
    async stop() {
      await listener?.close()
      listener = undefined
      host.metrics.forget({ plugin_id: context.id })
    },
  }
}

/** `<ssl>` is the older way to say it. */
function transportOf({ transport, ssl }: PrometheusParams): TransportParams | undefined {
  if (ssl === undefined || !ssl.enable) return transport
  const { certificatePath: certPath, privateKeyPath } = ssl
  const insecure = certPath === undefined && privateKeyPath === undefined
  const names = { certPath: 'certificatePath', privateKeyPath: 'privateKeyPath' }
  return transportLike(
    { protocol: 'tls', certPath, privateKeyPath, insecure },
    { bound: ssl, names },
  )
}

/** An address to connect to for one that stands for all of them. */
function reachable(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1'
  return bind === '::' ? '[::1]' : urlHost(bind)
}

function urlHost(bind: string): string {
  return bind.includes(':') ? `[${bind}]` : bind
}
