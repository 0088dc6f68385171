import type { Http, HttpClient, HttpClientOptions } from '../core/host.ts'
import type { Logger } from '../core/log.ts'

export function createNodeHttp(options: {
  log: Logger
  /** Asked at each server: true: its port is not shared with other workers. */
  exclusive?: () => boolean
}): Http {
  return {
    client: createLazyClient,
    async serve(serve) {
      const exclusive = options.exclusive?.() ?? false
      const { serveHttp } = await import('./node-http-server.ts')
      return await serveHttp({ ...serve, log: options.log, exclusive })
    },
  }
}

/**
 * undici is loaded by the first request: it takes longer to load than all else that a start needs,
 * and more memory, and most configurations send nothing by HTTP.
 */
function createLazyClient(options: HttpClientOptions): HttpClient {
  let made: Promise<HttpClient> | undefined
  const make = async (): Promise<HttpClient> => {
    const { createHttpClient } = await import('./node-http-client.ts')
    return createHttpClient(options)
  }
  return {
    async request(message) {
      made ??= make()
      return (await made).request(message)
    },
    async close() {
      await (await made)?.close()
    },
  }
}
