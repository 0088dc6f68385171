import type { ByteBudget, Clock, HttpRequest } from '../../core/host.ts'
import { InflateError, inflateStream } from '../../forward/inflate.ts'
import { Refusal } from './refusal.ts'

const codecs: Readonly<Record<string, 'gzip' | 'deflate' | 'zstd' | undefined>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  zstd: 'zstd',
}

/** A body, and what of the budget it holds beyond the request's own bytes: to be given back by the caller. */
export interface Body {
  readonly bytes: Uint8Array
  readonly heldBytes: number
}

/**
 * The request's body as its Content-Encoding says. Rejects with Refusal, also InflateError's: then nothing of the budget is
 * held.
 */
export async function bodyOf(
  request: HttpRequest,
  options: {
    limitBytes: number
    budget: ByteBudget
    clock: Pick<Clock, 'monotonicMs' | 'soon'>
  },
): Promise<Body> {
  const encoding = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (encoding === '' || encoding === 'identity') return { bytes: request.body, heldBytes: 0 }
  const codec = Object.hasOwn(codecs, encoding) ? codecs[encoding] : undefined
  if (codec === undefined) {
    throw new Refusal(415, 'content_encoding', 'bodies may be gzip, deflate or zstd')
  }
  const { budget } = options
  const pieces: Uint8Array[] = []
  let heldBytes = 0
  try {
    for await (const piece of inflateStream(codec, request.body, options)) {
      if (!budget.take(piece.byteLength)) {
        throw new Refusal(503, 'budget', 'too many bodies at once')
      }
      heldBytes += piece.byteLength
      pieces.push(piece)
    }
  } catch (error) {
    budget.give(heldBytes)
    if (!(error instanceof InflateError)) throw error
    throw error.code === 'decompression_size_limit'
      ? new Refusal(413, error.code, error.message)
      : new Refusal(400, 'compression', error.message)
  }
  return { bytes: Buffer.concat(pieces), heldBytes }
}
