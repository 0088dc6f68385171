/**
 * Blocks of all connections that are not in use, by size: at full speed with large messages, each read would
 * otherwise make one and leave it to the garbage collector.
 */
const freeBlocks = new Map<number, Uint8Array[]>()
const smallestBytes = 512
const pooledFromBytes = 16 * 1024
const pooledToBytes = 1024 * 1024
const freeOfASize = 4

/** At least so many bytes; their content is whatever it was. */
export function takeBlock(bytes: number): Uint8Array {
  if (bytes > pooledToBytes) return Buffer.allocUnsafeSlow(bytes)
  const size = Math.max(smallestBytes, 2 ** Math.ceil(Math.log2(bytes)))
  return freeBlocks.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size)
}

/** Nobody reads or writes the block any more. It need not be one of `takeBlock`. */
export function giveBlock(block: Uint8Array): void {
  const size = block.length
  if (size < pooledFromBytes || size > pooledToBytes) return
  const free = freeBlocks.get(size) ?? []
  if (free.length === 0) freeBlocks.set(size, free)
  if (free.length < freeOfASize) free.push(block)
}

/** Where a stream keeps bytes that wait: a block while there are any. */
export class HoldingBlock {
  #block: Uint8Array | undefined

  /** While an earlier copy is in use, a new one lies elsewhere. */
  copy(bytes: Uint8Array): Uint8Array {
    if (this.#block !== undefined) return bytes.slice()
    const block = takeBlock(bytes.length)
    this.#block = block
    block.set(bytes)
    return block.subarray(0, bytes.length)
  }

  /** No copy is in use any more. */
  release(): void {
    if (this.#block !== undefined) giveBlock(this.#block)
    this.#block = undefined
  }
}
