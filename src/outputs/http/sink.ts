import {
  type BufferParams,
  bytesOf,
  chunkingOf,
  compressPieces,
  isWhole,
  ownPieces,
  unusedFormatter,
} from '../../buffer/index.ts'
import type { PluginContext } from '../../config/define.ts'
import { positionOf } from '../../config/schema.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { HttpClient, HttpClientRequest } from '../../core/host.ts'
import type { Chunk, EventEnd, Sink, WriteResult } from '../../core/output.ts'
import { type AnswerRules, judge } from './answer.ts'
import { clientOptions, proxyOf } from './client-options.ts'
import { compileEndpoint } from './endpoint.ts'
import { compileHeaders } from './headers.ts'
import { asArray, jsonArrayFormatter, withCommas } from './json-array.ts'
import type { HttpParams } from './shape.ts'

export function createHttpSink(params: HttpParams, context: PluginContext): Sink {
  const { host, log, primaryBuffer } = context
  const buffer = primaryBuffer ?? params.buffer
  const chunking = chunkingOf(buffer, host.clock)
  const endpoint = compileEndpoint({
    endpoint: params.endpoint,
    allowedHosts: params.allowedHosts,
    chunking,
    position: positionOf(params, 'endpoint'),
  })
  const headersOf = compileHeaders(params, chunking, endpoint.credentials)
  const rules: AnswerRules = {
    retryable: params.retryableResponseCodes ?? [503],
    unrecoverable: params.errorResponseAsUnrecoverable,
  }
  proxyOf(params, host)
  const connections = (buffer.params as unknown as BufferParams).flushThreadCount
  const options = () => clientOptions(params, host, { connections, secure: endpoint.secure })
  let client: HttpClient | undefined

  return {
    formatter: formatterOf(params, context),
    eventEnd: eventEndOf(params, context),
    async check() {
      options()
    },
    async start() {
      client = host.http.client(options())
    },
    async write(chunk, signal): Promise<WriteResult | undefined> {
      if (client === undefined) throw new Error('bug: written before start')
      const answer = await client.request({
        method: params.httpMethod === 'put' ? 'PUT' : 'POST',
        url: endpoint.urlOf(chunk),
        headers: headersOf(chunk),
        body: await bodyOf(params, chunk, primaryBuffer !== undefined),
        signal,
      })
      const now = { wallMs: host.clock.wallMs(), unit: host.random.unit() }
      const problem = judge(answer, rules, now)
      if (problem === undefined) return undefined
      // Fluentd counts such a chunk as done; here it is a drop, with its reason.
      log.error('got error response', { method: params.httpMethod, answer: problem })
      return { refused: { reason: 'http_error_response', events: chunk.count } }
    },
    async stop() {
      await client?.close()
      client = undefined
    },
  }
}

function formatterOf(params: HttpParams, context: PluginContext): Formatter {
  if (context.primaryBuffer !== undefined) return unusedFormatter
  if (params.jsonArray) return jsonArrayFormatter(params, context)
  return context.createFormatter(params.format)
}

/** Formats whose text has a newline at the end of each event, and in most cases no other; the chunk's count shows which. */
const lineFormats = ['json', 'ltsv', 'csv', 'tsv', 'single_value', 'out_file', 'hash']

function eventEndOf(params: HttpParams, context: PluginContext): EventEnd | undefined {
  if (context.primaryBuffer !== undefined) return undefined
  const { type } = params.format
  if (type === 'msgpack') return 'msgpack'
  const { addNewline } = params.format.params as { addNewline?: boolean }
  if (!lineFormats.includes(type) || addNewline === false) return undefined
  return params.jsonArray ? '\n,' : '\n'
}

async function bodyOf(
  params: HttpParams,
  chunk: Chunk,
  asSecondary: boolean,
): Promise<HttpClientRequest['body']> {
  if (!params.jsonArray) return await plainBodyOf(params, chunk)
  let pieces = await chunk.read()
  // What the primary's formatter made has no commas yet.
  if (asSecondary) {
    pieces = pieces.map((bytes) =>
      withCommas(bytes, { count: bytes.byteLength, keepNewlines: true }),
    )
  }
  pieces = asArray(pieces)
  return params.compress === 'gzip' ? await compressPieces(pieces, 'gzip') : pieces
}

/** Large ones are not read into memory; of what is compressed, whose length has to be said first, the result is. */
async function plainBodyOf(params: HttpParams, chunk: Chunk): Promise<HttpClientRequest['body']> {
  const bytes = await bytesOf(chunk)
  if (params.compress === 'gzip') return await compressPieces(bytes, 'gzip')
  return isWhole(bytes) ? bytes : { bytes: chunk.sizeBytes, pieces: ownPieces(bytes) }
}
