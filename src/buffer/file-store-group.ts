import type { SlabPool } from './slab-pool.ts'

/** The CRC-32 of bytes whose CRC is `crc`, followed by these. */
export type Crc32 = (bytes: Uint8Array, crc: number) => number

/** From so many on, bytes are summed when they come, and not from the copy. */
const sumNowBytes = 16 * 1024

/** What was appended to a chunk since its last commit: it gets one record, and is safe, or refused, together. */
export class WriteGroup {
  bytes = 0
  count = 0
  /** The first so many of the bytes are in the file already. */
  writtenBytes = 0
  /** The first so many have the CRC-32 `#crc`. */
  #summedBytes = 0
  #crc = 0
  /** Settles when all of it is on disk, or none. */
  readonly settled: Promise<void>
  readonly #crc32: Crc32
  readonly #pool: SlabPool
  readonly #slabs: Uint8Array[] = []
  /** Bytes used in the last slab; those before it are full. */
  #used = 0
  #resolve: () => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor({ pool, crc32 }: { pool: SlabPool; crc32: Crc32 }) {
    this.#pool = pool
    this.#crc32 = crc32
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever has asked for it is told; a group that is written because its chunk is sealed may have nobody who asks.
    this.settled.catch(() => undefined)
  }

  /** Whether nothing has been copied yet: then what comes next may be written at once. */
  get isDirect(): boolean {
    return this.#slabs.length === 0
  }

  /** These bytes, which follow what is written, were written. */
  wrote(bytes: Uint8Array, count: number): void {
    this.#sum(bytes)
    this.writtenBytes += bytes.byteLength
    this.bytes += bytes.byteLength
    this.count += count
  }

  #sum(bytes: Uint8Array): void {
    this.#crc = this.#crc32(bytes, this.#crc)
    this.#summedBytes += bytes.byteLength
  }

  /** CRC-32 of all of it. */
  crc(): number {
    let at = this.writtenBytes
    for (const piece of this.pieces()) {
      const from = Math.max(0, this.#summedBytes - at)
      at += piece.byteLength
      if (from < piece.byteLength) this.#sum(from === 0 ? piece : piece.subarray(from))
    }
    return this.#crc
  }

  /** Takes a copy. */
  add(bytes: Uint8Array, count: number): void {
    // Where it lies now the kernel sums it faster, and it is in the processor's cache; small ones are summed together.
    if (bytes.byteLength >= sumNowBytes && this.#summedBytes === this.bytes) this.#sum(bytes)
    for (let done = 0; done < bytes.byteLength; ) {
      const left = bytes.byteLength - done
      const slab = this.#slabWithRoom(left)
      const part = Math.min(slab.byteLength - this.#used, left)
      slab.set(part === bytes.byteLength ? bytes : bytes.subarray(done, done + part), this.#used)
      this.#used += part
      done += part
    }
    this.bytes += bytes.byteLength
    this.count += count
  }

  #slabWithRoom(bytes: number): Uint8Array {
    const last = this.#slabs[this.#slabs.length - 1]
    if (last !== undefined && this.#used < last.byteLength) return last
    // The more a group holds already, the more it is likely to get.
    const slab = this.#pool.take(Math.max(bytes, this.bytes))
    this.#slabs.push(slab)
    this.#used = 0
    return slab
  }

  /** What is to be written behind what is. */
  pieces(): readonly Uint8Array[] {
    const last = this.#slabs.length - 1
    return this.#slabs.map((slab, i) => (i < last ? slab : slab.subarray(0, this.#used)))
  }

  succeed(): void {
    this.#resolve()
  }

  fail(error: Error): void {
    this.#reject(error)
  }

  /** Nothing reads the bytes any more. */
  release(): void {
    for (const slab of this.#slabs) this.#pool.give(slab)
    this.#slabs.length = 0
  }
}
