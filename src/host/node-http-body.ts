import type { IncomingMessage } from 'node:http'
import type { ByteBudget } from '../core/host.ts'

/**
 * The whole body; or why it is not kept: longer than `limitBytes`, or the budget had no room (what it had given is given back
 * then). Rejects if the client goes away. What was taken from the budget for a body is the caller's to give back.
 */
export function readHttpBody(
  incoming: IncomingMessage,
  limitBytes: number,
  budget: ByteBudget | undefined,
): Promise<Uint8Array | 'body_size' | 'budget'> {
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) {
    return Promise.resolve('body_size')
  }
  return new Promise((resolve, reject) => {
    let pieces: Buffer[] = []
    let sizeBytes = 0
    let settled = false
    const settle = (done: () => void, keep: boolean) => {
      if (settled) return
      settled = true
      if (!keep) {
        budget?.give(sizeBytes)
        pieces = []
      }
      done()
    }
    incoming.on('data', (piece: Buffer) => {
      // What still comes of a refused body is read and forgotten until the answer closes the connection.
      if (settled) return
      const tooLong = sizeBytes + piece.byteLength > limitBytes
      if (tooLong || budget?.take(piece.byteLength) === false) {
        settle(() => resolve(tooLong ? 'body_size' : 'budget'), false)
        return
      }
      sizeBytes += piece.byteLength
      pieces.push(piece)
    })
    incoming.once('end', () => {
      const [only] = pieces
      const body = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
      settle(() => resolve(body), true)
    })
    incoming.once('error', (error) => settle(() => reject(error), false))
    incoming.once('close', () =>
      settle(() => reject(new Error('the client closed its connection')), false),
    )
  })
}
