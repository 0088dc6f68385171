import type { Batch } from '../../src/core/batch.ts'
import { RawString } from '../../src/core/value.ts'
import { Encoder } from '../../src/msgpack/encode.ts'
import type { MemoryNet, TestClient } from '../support/memory-net.ts'

interface Sent {
  readonly bytes: Uint8Array
  readonly ids: readonly number[]
  readonly acked: () => void
  readonly again: () => void
}

/** {"ack": a chunk id of 24 characters} */
const ackBytes = 30
const ackHead = 6

/** Sends packed messages with a chunk id, and again on a new connection what was not acknowledged on the one before. */
export class ForwardClient {
  readonly #net: MemoryNet
  readonly #port: number
  readonly #name: number
  readonly #waiting = new Map<string, Sent>()
  #connection: TestClient | undefined
  #chunks = 0

  constructor(net: MemoryNet, port: number, name: number) {
    this.#net = net
    this.#port = port
    this.#name = name
  }

  /** Messages that were not acknowledged. */
  get waiting(): number {
    return this.#waiting.size
  }

  send(batch: Batch, of: Omit<Sent, 'bytes'>): void {
    this.#chunks += 1
    const chunk = `client-${this.#name}-${String(this.#chunks).padStart(15, '0')}`
    const encoder = new Encoder()
    encoder.arrayHeader(3)
    encoder.value(batch.tag)
    encoder.value(batch.packed)
    encoder.value(new Map([['chunk', new RawString(Buffer.from(chunk))]]))
    const sent = { bytes: encoder.copy(), ...of }
    this.#waiting.set(chunk, sent)
    if (this.#connect()) this.#connection?.send(sent.bytes)
  }

  /** Looks for acks, and connects again if the connection was lost: then everything unacknowledged is sent again. */
  look(): void {
    const connection = this.#connection
    if (connection === undefined) return
    const answer = Buffer.from(connection.received())
    for (let at = 0; at + ackBytes <= answer.length; at += ackBytes) {
      const chunk = answer.toString('latin1', at + ackHead, at + ackBytes)
      this.#waiting.get(chunk)?.acked()
      this.#waiting.delete(chunk)
    }
    if (connection.closed === 'no' && !connection.ended) return
    this.#connection = undefined
    if (this.#waiting.size === 0 || !this.#connect()) return
    for (const sent of this.#waiting.values()) {
      sent.again()
      this.#current()?.send(sent.bytes)
    }
  }

  #current(): TestClient | undefined {
    return this.#connection
  }

  /** False: nobody listens. */
  #connect(): boolean {
    if (this.#connection !== undefined) return true
    try {
      this.#connection = this.#net.client(this.#port)
      return true
    } catch {
      // The receiver is down, or being loaded again: the next look tries once more.
      return false
    }
  }

  end(): void {
    this.#connection?.end()
  }
}
