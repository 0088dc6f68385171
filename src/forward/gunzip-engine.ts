import * as zlib from 'node:zlib'

/**
 * Inflates gzip with one engine and one output area, used again and again. zlib.gunzipSync makes an
 * engine and an output buffer for each call, which cost as much as inflating a typical message.
 *
 * What it uses of Node's zlib is the inner handle, undocumented but the same from Node 8 to 24 (the
 * packages minizlib and pngjs rest on it too). It is looked for before use; undefined: not there.
 */
export interface GunzipEngine {
  /**
   * The output: a view that is valid until the next call. 'full': it is longer than `limitBytes`.
   * Throws zlib's error, and where bytes follow the last member.
   */
  inflate(payload: Uint8Array, limitBytes: number): Uint8Array | 'full'
}

interface Handle {
  onerror: (message: string, number: number, code: string) => void
  reset(): void
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void
}

export function createGunzipEngine(areaBytes: number): GunzipEngine | undefined {
  const stream = zlib.createGunzip() as unknown as {
    _handle?: Partial<Handle> | null
    _writeState?: Uint32Array
  }
  const handle = stream._handle
  const state = stream._writeState
  if (
    typeof handle?.writeSync !== 'function' ||
    typeof handle.reset !== 'function' ||
    !(state instanceof Uint32Array)
  ) {
    return undefined
  }
  let failure: Error | undefined
  handle.onerror = (message, _number, code) => {
    failure = Object.assign(new Error(message), { code })
  }
  const engine = handle as Handle
  // One byte more than may come, to tell "just fits" from "too much".
  const area = new Uint8Array(areaBytes + 1)
  return {
    inflate(payload, limitBytes) {
      const roomBytes = Math.min(limitBytes, areaBytes) + 1
      failure = undefined
      engine.reset()
      const flush = zlib.constants.Z_FINISH
      engine.writeSync(flush, payload, 0, payload.byteLength, area, 0, roomBytes)
      if (failure !== undefined) throw failure
      const [leftOut = 0, leftIn = 0] = state
      if (leftOut === 0) return 'full'
      if (leftIn > 0) throw new Error('bytes follow the last gzip member')
      return area.subarray(0, roomBytes - leftOut)
    },
  }
}
