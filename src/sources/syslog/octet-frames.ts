import type { Feeder } from '../../transport/stream-server.ts'

/** Digits that a length may have: messages of up to 10 MB less one byte. */
const lengthDigits = 7

/** What is made of a stream of frames. */
export interface FrameReceiver {
  /** Borrowed: valid until the call returns. */
  message(bytes: Uint8Array): void
  /** A frame beyond the limit was left out: its length, and its first bytes. */
  tooLong(bytes: number): void
  /** No length where one should be: the rest of the stream cannot be read. */
  broken(head: Uint8Array): void
}

/**
 * Frames with their length before them (RFC 6587, 3.4.1): `LENGTH SPACE MESSAGE`, end to end. Linear however the stream is
 * cut, and no more is kept than the limit.
 */
export class OctetFrames implements Feeder {
  readonly #limitBytes: number
  readonly #receiver: FrameReceiver
  #digits = ''
  /** Of the frame under way: its length, and its bytes as far as they are here. */
  #frame: { length: number; bytes: Buffer | undefined; filled: number } | undefined
  #isBroken = false

  constructor(limitBytes: number, receiver: FrameReceiver) {
    this.#limitBytes = limitBytes
    this.#receiver = receiver
  }

  get unfinished(): boolean {
    return this.#frame !== undefined || this.#digits !== ''
  }

  feed(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && !this.#isBroken) {
      at = this.#frame === undefined ? this.#length(bytes, at) : this.#body(bytes, at)
    }
  }

  #length(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!
      const isDigit = byte >= 0x30 && byte <= 0x39
      if (isDigit && this.#digits.length < lengthDigits) {
        this.#digits += String.fromCharCode(byte)
        continue
      }
      if (byte === 0x20 && this.#digits !== '') {
        this.#frame = { length: Number(this.#digits), bytes: undefined, filled: 0 }
        this.#digits = ''
        // An empty frame is whole already.
        return this.#frame.length === 0 ? this.#finish(bytes.subarray(0, 0), at + 1) : at + 1
      }
      this.#isBroken = true
      this.#digits = ''
      this.#receiver.broken(bytes.subarray(at, at + 32))
      return bytes.length
    }
    return bytes.length
  }

  #body(bytes: Uint8Array, at: number): number {
    const frame = this.#frame!
    const take = Math.min(frame.length - frame.filled, bytes.length - at)
    const part = bytes.subarray(at, at + take)
    if (take === frame.length) return this.#finish(part, at + take)
    if (frame.length <= this.#limitBytes) {
      frame.bytes ??= Buffer.allocUnsafeSlow(frame.length)
      frame.bytes.set(part, frame.filled)
    }
    frame.filled += take
    if (frame.filled < frame.length) return at + take
    return this.#finish(frame.bytes ?? bytes.subarray(0, 0), at + take)
  }

  #finish(message: Uint8Array, next: number): number {
    const { length } = this.#frame!
    this.#frame = undefined
    if (length > this.#limitBytes) this.#receiver.tooLong(length)
    else this.#receiver.message(message)
    return next
  }
}
