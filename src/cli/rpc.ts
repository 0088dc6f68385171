import { timingSafeEqual } from 'node:crypto'
import type { Host, HttpRequest, HttpResponse, Listener } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { asksForAnother, countRefusals, isLoopback } from '../transport/http-refusals.ts'

/**
 * <system> rpc_endpoint: signals and the configuration by HTTP (lib/fluent/supervisor.rb, rpc.rb). Whoever is heard can stop
 * Sluice: with `rpc_token` who knows it, without it who asks from this host, wherever it listens. Pages in a browser never
 * are, also those of a name that somebody has made to lead here.
 */
export interface RpcActions {
  stop(): void
  flushAndStop(): void
  reload(): void
  flush(): void
  /** The configuration in place, its secrets masked. */
  configText(): string
}

export interface RpcSettings {
  readonly rpcEndpoint?: string | undefined
  readonly rpcToken?: string | undefined
  readonly enableGetDump?: boolean | undefined
}

/** Nothing that is sent to it has a body that matters. */
const maxBodyBytes = 64 * 1024

/** `127.0.0.1:24444`, `[::1]:24444`, `localhost:24444`; `24444` is the first of these. undefined: none of them. */
export function parseEndpoint(text: string): { host: string; port: number } | undefined {
  const found = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([0-9a-zA-Z:.-]*)):)?(\d{1,5})$/.exec(text)
  if (found === null) return undefined
  const host = (found[1] ?? found[2]) || '127.0.0.1'
  const port = Number(found[3])
  return port > 65_535 ? undefined : { host, port }
}

/** Resolves once it listens; undefined: no endpoint is configured. Rejects where the address is taken. */
export async function startRpc(
  { http, log, metrics }: Pick<Host, 'http' | 'metrics'> & { log: Logger },
  settings: RpcSettings,
  actions: RpcActions,
): Promise<Listener | undefined> {
  const endpoint = parseEndpoint(settings.rpcEndpoint ?? '')
  if (endpoint === undefined) return undefined
  const refused = countRefusals({ metrics, log }, { type: 'rpc' })
  const handle = createRpc({ ...settings, log, actions, refused })
  const listener = await http.serve({ ...endpoint, maxBodyBytes, handle, refused })
  log.info('listening for RPC', { endpoint: settings.rpcEndpoint })
  if (settings.rpcToken === undefined && !isLoopback(endpoint.host)) {
    log.warn('the RPC endpoint is open to others, who are refused: only this host is heard', {
      endpoint: settings.rpcEndpoint,
      hint: 'bind it to 127.0.0.1, or set rpc_token',
    })
  }
  return listener
}

/** What answers requests. What an action does begins once its answer has been sent. */
export function createRpc(
  options: RpcSettings & {
    log: Logger
    actions: RpcActions
    refused(reason: RpcRefusal, from: string | undefined): void
  },
): (request: HttpRequest) => HttpResponse {
  const { log, actions } = options
  const then = (action: () => void) => (): HttpResponse => ({ ...ok({}), onSent: action })
  const routes: Record<string, () => HttpResponse> = {
    '/api/processes.interruptWorkers': then(actions.stop),
    '/api/processes.killWorkers': then(actions.stop),
    '/api/processes.flushBuffersAndKillWorkers': then(actions.flushAndStop),
    '/api/processes.zeroDowntimeRestart': then(actions.reload),
    '/api/plugins.flushBuffers': then(actions.flush),
    '/api/config.reload': then(actions.reload),
    '/api/config.gracefulReload': then(actions.reload),
    '/api/config.dump': then(() => log.info(`configuration: ${actions.configText()}`)),
  }
  if (options.enableGetDump === true) {
    routes['/api/config.getDump'] = () => ok({ conf: actions.configText() })
  }
  return (request) => {
    const reason = refusal(request, options)
    if (reason !== undefined) {
      options.refused(reason, request.remoteAddress)
      return refusals[reason]
    }
    if (!methods.includes(request.method)) return failed(405, 'only GET, POST and PUT')
    const path = request.url.split('?', 1)[0]!
    if (!Object.hasOwn(routes, path)) return failed(404, 'Not found')
    log.info('RPC', { path, from: request.remoteAddress })
    return routes[path]!()
  }
}

const methods = ['GET', 'POST', 'PUT']

type RpcRefusal = 'browser' | 'token' | 'address' | 'name'

const refusals: Readonly<Record<RpcRefusal, HttpResponse>> = {
  browser: failed(403, 'not for pages in a browser'),
  token: failed(401, 'Authorization: Bearer with the rpc_token of <system> is missing'),
  address: failed(403, 'without rpc_token in <system> only this host is heard'),
  name: failed(403, 'without rpc_token in <system> ask by address, or as localhost'),
}

function refusal(request: HttpRequest, settings: RpcSettings): RpcRefusal | undefined {
  const { headers, remoteAddress } = request
  const { rpcToken } = settings
  const site = headers['sec-fetch-site']
  if (headers.origin !== undefined || (site !== undefined && site !== 'none')) return 'browser'
  if (rpcToken !== undefined) {
    return sameText(headers.authorization ?? '', `Bearer ${rpcToken}`) ? undefined : 'token'
  }
  if (!isLoopback(remoteAddress)) return 'address'
  const own = parseEndpoint(settings.rpcEndpoint ?? '')?.host ?? ''
  return asksForAnother(request, own) ? 'name' : undefined
}

function sameText(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function ok(fields: object): HttpResponse {
  return json(200, { ...fields, ok: true })
}

function failed(status: number, message: string): HttpResponse {
  return json(status, { message, ok: false })
}

function json(status: number, body: object): HttpResponse {
  const headers = { 'content-type': 'application/json' }
  return { status, headers, body: JSON.stringify(body) }
}
