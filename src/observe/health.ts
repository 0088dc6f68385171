import type { AppView } from '../config/define.ts'
import type { HttpRequest, HttpResponse } from '../core/host.ts'

/** Answers by path. A route that is missing is a 404, another method than GET or HEAD a 405. */
export function serveRoutes(
  request: HttpRequest,
  routes: Readonly<
    Record<string, (query: URLSearchParams) => HttpResponse | Promise<HttpResponse>>
  >,
  notFound: HttpResponse = text(404, 'not found\n'),
): HttpResponse | Promise<HttpResponse> {
  const mark = request.url.indexOf('?')
  const path = mark < 0 ? request.url : request.url.slice(0, mark)
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route === undefined) return notFound
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const refused = text(405, 'only GET\n')
    return { ...refused, headers: { ...refused.headers, allow: 'GET, HEAD' } }
  }
  return route(new URLSearchParams(mark < 0 ? '' : request.url.slice(mark + 1)))
}

export function text(status: number, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

/**
 * `/healthz`: the process answers. `/readyz`: all sources listen, and the end has not begun: 503 otherwise, so
 * that a load balancer sends its clients elsewhere.
 */
export function healthRoutes(app: Pick<AppView, 'ready'>) {
  return {
    '/healthz': () => text(200, 'ok\n'),
    '/readyz': () => (app.ready() ? text(200, 'ready\n') : text(503, 'not ready\n')),
  }
}
