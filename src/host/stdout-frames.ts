import type { StdoutWriter } from '../core/host.ts'

/**
 * How several processes share one standard output without tearing each other's lines: a worker puts the length (u32,
 * big-endian) before what it writes at once, and the process that started it passes on whole pieces only.
 */
const headerBytes = 4

/** A worker's standard output: each `write` becomes one frame of `inner`. */
export function framedStdout(inner: StdoutWriter): StdoutWriter {
  const header = new Uint8Array(headerBytes)
  const view = new DataView(header.buffer)
  return {
    write(bytes) {
      view.setUint32(0, bytes.byteLength)
      // It is copied at once. Of a reader that is gone, or slow, the second call says the same.
      inner.write(header)?.catch(() => undefined)
      return inner.write(bytes)
    },
    drain: () => inner.drain(),
  }
}

export interface FrameReader {
  /** Takes what came, cut anywhere. A pending promise: hold the rest back until it settles. */
  push(bytes: Uint8Array): Promise<void> | undefined
  /** The worker is gone: of an unfinished frame the whole lines are passed on. */
  end(): void
}

/** Puts frames together and hands each one on, whole. `bytes` given to push are kept: they must not change. */
export function createFrameReader(out: Pick<StdoutWriter, 'write'>): FrameReader {
  const header = new Uint8Array(headerBytes)
  let headerFilled = 0
  let missing = 0
  let parts: Uint8Array[] = []

  const pass = (): Promise<void> | undefined => {
    let room: Promise<void> | undefined
    for (const part of parts) {
      // All of a frame are queued in one go; only the last answer counts.
      room?.catch(() => undefined)
      room = out.write(part) ?? undefined
    }
    parts = []
    return room
  }
  return {
    push(bytes) {
      let at = 0
      let room: Promise<void> | undefined
      while (at < bytes.byteLength) {
        if (missing === 0) {
          header[headerFilled++] = bytes[at++]!
          if (headerFilled < headerBytes) continue
          headerFilled = 0
          missing = new DataView(header.buffer).getUint32(0)
          continue
        }
        const part = bytes.subarray(at, at + missing)
        parts.push(part)
        at += part.byteLength
        missing -= part.byteLength
        if (missing > 0) continue
        room?.catch(() => undefined)
        room = pass()
      }
      return room
    },
    end() {
      const rest = Buffer.concat(parts)
      parts = [rest.subarray(0, rest.lastIndexOf(0x0a) + 1)]
      pass()?.catch(() => undefined)
      missing = 0
      headerFilled = 0
    },
  }
}
