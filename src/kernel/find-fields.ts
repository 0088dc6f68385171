import type { FieldKey } from '../msgpack/entries.ts'
import type { Layout, Region } from './layout.ts'
import type { FieldFinder, Kernel } from './types.ts'

/** assembly/find-fields.ts */
type FindFields = (
  at: number,
  end: number,
  keys: number,
  count: number,
  out: number,
  outEnd: number,
) => number

const missing = 0xffff_ffff
const other = 0xffff_fffe
const binaryToo = 0x8000_0000

/** Keys, and their bytes, that one finder takes. */
const keysLimit = 64
const keyBytesLimit = 8 * 1024
/** Of the tables: the keys' words, their bytes, the rows. */
const keyBytesOffset = 1024
const rowsOffset = 16 * 1024
/** Bytes looked at in one go, of which one text is made: what comes of it is soon garbage, and should be so cheaply. */
const windowBytes = 32 * 1024

/** The part of the kernel that finds fields. */
export function createFieldFinding(
  instance: WebAssembly.Instance,
  memory: WebAssembly.Memory,
  layout: Layout,
): Pick<Kernel, 'createFieldFinder'> {
  const { findFields } = instance.exports as unknown as { findFields: FindFields }
  const bytes = Buffer.from(memory.buffer)
  return {
    createFieldFinder(keys) {
      const size = keys.reduce((sum, key) => sum + key.bytes.length, 0)
      if (keys.length > keysLimit || size > keyBytesLimit) return undefined
      return new Finder({ keys, findFields, bytes, layout })
    },
  }
}

class Finder implements FieldFinder {
  readonly #findFields: FindFields
  readonly #bytes: Buffer
  readonly #words: Uint32Array
  readonly #tables: Region
  readonly #input: Region
  readonly #keys: readonly FieldKey[]
  readonly #rowWords: number
  /** The address of packed's first byte, if it lay in kernel memory as the window does. */
  #base = 0
  #windowAt = 0
  #windowText = ''
  #rows = 0

  constructor(of: {
    keys: readonly FieldKey[]
    findFields: FindFields
    bytes: Buffer
    layout: Layout
  }) {
    this.#keys = of.keys
    this.#findFields = of.findFields
    this.#bytes = of.bytes
    this.#words = new Uint32Array(of.bytes.buffer)
    this.#tables = of.layout.fieldTables
    this.#input = of.layout.formatInput
    this.#rowWords = 1 + 2 * of.keys.length
    this.#rows = (of.layout.fieldTables.at + rowsOffset) >>> 2
  }

  find(packed: Uint8Array, at: number): number {
    const left = packed.length - at
    const found = this.#look(packed, at, Math.min(left, windowBytes))
    // An entry that is longer than the window.
    if (found > 0 || left <= windowBytes) return found
    return this.#look(packed, at, Math.min(left, this.#input.bytes))
  }

  end(row: number): number {
    return (this.#words[this.#rows + row * this.#rowWords] as number) - this.#base
  }

  at(row: number, key: number): number {
    const cell = this.#cell(row, key)
    return this.#words[cell + 1] === missing ? -1 : (this.#words[cell] as number) - this.#base
  }

  text(row: number, key: number): string | undefined {
    const cell = this.#cell(row, key)
    const length = this.#words[cell + 1] as number
    if (length >= other) return undefined
    const start = (this.#words[cell] as number) - this.#windowAt
    return this.#windowText.slice(start, start + length)
  }

  #cell(row: number, key: number): number {
    return this.#rows + row * this.#rowWords + 1 + 2 * key
  }

  #look(packed: Uint8Array, at: number, length: number): number {
    const bytes = this.#bytes
    let start = packed.byteOffset + at
    if (packed.buffer !== bytes.buffer) {
      start = this.#input.at
      bytes.set(packed.subarray(at, at + length), start)
    }
    this.#base = start - at
    this.#putKeys()
    const tables = this.#tables
    const end = this.#findFields(
      start,
      start + length,
      tables.at,
      this.#keys.length,
      tables.at + rowsOffset,
      tables.at + tables.bytes,
    )
    if (end === start) return 0
    this.#windowAt = start
    this.#windowText = bytes.toString('latin1', start, end)
    return this.#count(end)
  }

  /** Rows up to the one that ends there. */
  #count(end: number): number {
    let row = 0
    while (this.#words[this.#rows + row * this.#rowWords] !== end) row += 1
    return row + 1
  }

  /** All finders share the tables. */
  #putKeys(): void {
    const at = this.#tables.at
    let bytesAt = at + keyBytesOffset
    let word = at >>> 2
    for (const key of this.#keys) {
      this.#bytes.set(key.bytes, bytesAt)
      this.#words[word] = bytesAt
      this.#words[word + 1] = key.bytes.length + (key.matchesBinary ? binaryToo : 0)
      word += 2
      bytesAt += key.bytes.length
    }
  }
}
