import type { HttpRequest } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { Labels, Metrics } from '../core/metrics.ts'
import { parseNetwork } from '../forward/ip-network.ts'

/**
 * Counts what a server that shows something (metrics, the monitor API) or takes orders (RPC) refused, and says it. Why: as
 * HttpRefusal has it, or a word of the server's own.
 */
export function countRefusals(
  { metrics, log }: { metrics: Metrics; log: Logger },
  labels: Labels,
): (reason: string, from: string | undefined) => void {
  return (reason, from) => {
    metrics
      .counter({
        name: 'sluice_http_refused_total',
        help: 'Requests and connections that metrics, the monitor API and RPC refused.',
        labels: { ...labels, reason },
      })
      .add()
    log.warn('refused a request', { host: from, reason })
  }
}

export function isLoopback(host: string | undefined): boolean {
  return host === 'localhost' || host === '::1' || host?.startsWith('127.') === true
}

/**
 * Whether the request is for a name that is not ours (`bind`): a page in a browser, at a name whose address was changed to
 * ours, shows itself by nothing else. Requests without Host come from no browser.
 */
export function asksForAnother({ headers }: HttpRequest, bind: string): boolean {
  if (headers.host === undefined) return false
  const asked = headers.host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
  if (asked === 'localhost' || asked === bind.toLowerCase()) return false
  return parseNetwork(asked) === undefined
}
