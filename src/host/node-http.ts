import type { Http } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { createHttpClient } from './node-http-client.ts'
import { serveHttp } from './node-http-server.ts'

export function createNodeHttp(options: { log: Logger }): Http {
  return {
    client: createHttpClient,
    serve: (serve) => serveHttp({ ...serve, log: options.log }),
  }
}
