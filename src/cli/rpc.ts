import { timingSafeEqual } from 'node:crypto'
import type { Host, HttpRequest, HttpResponse, Listener } from '../core/host.ts'
import type { Logger } from '../core/log.ts'

/**
 * <system> rpc_endpoint: signals and the configuration by HTTP (lib/fluent/supervisor.rb, rpc.rb). Whoever reaches it can
 * stop Sluice, so an address that others reach is warned of, `rpc_token` asks for a secret, and pages in a browser are
 * refused.
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

/** `127.0.0.1:24444`, `[::1]:24444`, `localhost:24444`; undefined: none of them. */
export function parseEndpoint(text: string): { host: string; port: number } | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9a-zA-Z:.-]+)):(\d{1,5})$/.exec(text)
  const host = found?.[1] ?? found?.[2]
  const port = Number(found?.[3])
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

/** Resolves once it listens; undefined: no endpoint is configured. Rejects where the address is taken. */
export async function startRpc(
  { http, log }: Pick<Host, 'http'> & { log: Logger },
  settings: RpcSettings,
  actions: RpcActions,
): Promise<Listener | undefined> {
  const endpoint = parseEndpoint(settings.rpcEndpoint ?? '')
  if (endpoint === undefined) return undefined
  const handle = createRpc({ ...settings, log, actions })
  const listener = await http.serve({ ...endpoint, maxBodyBytes, handle })
  log.info('listening for RPC', { endpoint: settings.rpcEndpoint })
  if (settings.rpcToken === undefined && !isLoopback(endpoint.host)) {
    log.warn('everyone who reaches the RPC endpoint can stop Sluice', {
      endpoint: settings.rpcEndpoint,
      hint: 'bind it to 127.0.0.1, or set rpc_token',
    })
  }
  return listener
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** What answers requests. What an action does begins once its answer has been sent. */
export function createRpc(
  options: RpcSettings & { log: Logger; actions: RpcActions },
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
    const refused = refusal(request, options.rpcToken)
    if (refused !== undefined) return refused
    const path = request.url.split('?', 1)[0]!
    if (!Object.hasOwn(routes, path)) return failed(404, 'Not found')
    log.info('RPC', { path, from: request.remoteAddress })
    return routes[path]!()
  }
}

function refusal(request: HttpRequest, token: string | undefined): HttpResponse | undefined {
  const { headers, method } = request
  const site = headers['sec-fetch-site']
  if (headers.origin !== undefined || (site !== undefined && site !== 'none')) {
    return failed(403, 'not for pages in a browser')
  }
  if (token !== undefined && !sameText(headers.authorization ?? '', `Bearer ${token}`)) {
    return failed(401, 'Authorization: Bearer with the rpc_token of <system> is missing')
  }
  return ['GET', 'POST', 'PUT'].includes(method) ? undefined : failed(405, 'only GET, POST and PUT')
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
