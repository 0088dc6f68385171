import type { Transform } from 'node:stream'

/** An engine of node:zlib. */
export type Engine = Transform & { readonly bytesWritten: number }

/** Puts pieces through an engine, in its thread. Each piece is used up before the next is asked for. */
export async function* throughEngine(
  engine: Engine,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let ended = false
  const fed = feed(engine, pieces, () => ended)
  // What went wrong with the pieces is thrown below.
  fed.catch((error: Error) => engine.destroy(error))
  try {
    for await (const piece of engine) yield piece as Uint8Array
  } finally {
    ended = true
    engine.destroy()
    await fed.catch(() => undefined)
  }
}

async function feed(
  engine: Engine,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  hasEnded: () => boolean,
): Promise<void> {
  for await (const piece of pieces) {
    const error = await new Promise<Error | null | undefined>((resolve) => {
      engine.once('close', resolve)
      engine.write(piece, (failure) => {
        engine.off('close', resolve)
        resolve(failure)
      })
    })
    // Its output says why, if it has not simply come to its end.
    if (hasEnded() || engine.destroyed || engine.readableEnded || error) return
  }
  engine.end()
}
