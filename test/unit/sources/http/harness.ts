import type { PluginContext } from '../../../../src/config/define.ts'
import type { BoundPlugin } from '../../../../src/config/schema.ts'
import type { Batch } from '../../../../src/core/batch.ts'
import type { HttpRequest } from '../../../../src/core/host.ts'
import type { Source } from '../../../../src/core/source.ts'
import { decodeBatch } from '../../../../src/msgpack/entries.ts'
import { parsers } from '../../../../src/parsers/index.ts'
import { httpSource } from '../../../../src/sources/http/index.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { bindSource } from '../../../support/plugin-context.ts'
import { plain } from '../forward/harness.ts'

export const startMs = 1_800_000_000_000

/** A source http on a host in memory, configured by the lines of its section. */
export async function startHttp(lines = '') {
  const host = createFakeHost({ startMs })
  const events: string[] = []
  const batches: Batch[] = []
  const running = { answer: (_batch: Batch): void | Promise<void> => undefined }
  const context = {
    host,
    id: 'http_0',
    type: 'http',
    log: host.log,
    router: {
      emit(batch: Batch) {
        batches.push({ ...batch, packed: batch.packed.slice() })
        for (const { time, record } of decodeBatch(batch)) {
          const seconds = time.seconds + (time.nanoseconds ?? 0) / 1e9
          events.push(`${batch.tag} ${seconds} ${JSON.stringify(plain(record))}`)
        }
        return running.answer(batch)
      },
    },
    createParser: (bound: BoundPlugin) =>
      parsers.find(({ name }) => name === bound.type)!.create(bound.params as never, context),
  } as unknown as PluginContext
  const bound = bindSource(httpSource, lines, parsers)
  const source = httpSource.create(bound.params as never, context) as Source & {
    readonly address?: { port: number }
  }
  await source.start()
  const port = source.address?.port ?? 0
  const ask = async (request: Partial<HttpRequest> & { url: string }) => {
    const answer = await host.http.ask(port, { method: 'POST', ...request })
    const body = typeof answer.body === 'string' ? answer.body : Buffer.from(answer.body ?? '')
    return { ...answer, body: body.toString('latin1') }
  }
  /** POST of `body` with its Content-Type; says status and body. */
  const post = async (
    url: string,
    contentType: string,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ) => {
    const answer = await ask({
      url,
      headers: { 'content-type': contentType, ...headers },
      body: typeof body === 'string' ? Buffer.from(body) : body,
    })
    return `${answer.status} ${answer.body}`.trim()
  }
  return Object.assign(running, { host, source, events, batches, port, ask, post })
}
