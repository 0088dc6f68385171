/**
 * Blocks of memory for chunks, used again and again, so that a stream of chunks costs no garbage. A chunk with little in
 * it takes a small one.
 */
export interface SlabPool {
  /** A block with room for `bytes`, or the largest there is. Its content is whatever it was. */
  take(bytes: number): Uint8Array
  /** Nobody reads or writes the block any more. */
  give(slab: Uint8Array): void
  /** Bytes kept for the next `take`. */
  readonly freeBytes: number
}

const slabSizes = [4 * 1024, 16 * 1024, 64 * 1024, 256 * 1024] as const
export const largestSlabBytes = slabSizes[slabSizes.length - 1] as number

/** `keepBytes`: free blocks beyond this are let go to the garbage collector. */
export function createSlabPool(keepBytes: number): SlabPool {
  const free = new Map<number, Uint8Array[]>(slabSizes.map((size) => [size, []]))
  let freeBytes = 0
  return {
    take(bytes) {
      const size = slabSizes.find((candidate) => candidate >= bytes) ?? largestSlabBytes
      const slab = free.get(size)?.pop()
      if (slab === undefined) return Buffer.allocUnsafeSlow(size)
      freeBytes -= size
      return slab
    },
    give(slab) {
      const list = free.get(slab.byteLength)
      if (list === undefined || freeBytes + slab.byteLength > keepBytes) return
      list.push(slab)
      freeBytes += slab.byteLength
    },
    get freeBytes() {
      return freeBytes
    },
  }
}
