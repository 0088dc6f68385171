import type { EventTime, MsgValue } from '../core/value.ts'
import { decode } from '../msgpack/decode.ts'
import { encode } from '../msgpack/encode.ts'
import { jsonInputBytes, type Layout } from './layout.ts'
import type { JsonPacker, Kernel } from './types.ts'

/** assembly/json-pack.ts */
interface JsonExports {
  jsonPackRegions(time: number, keys: number): void
  jsonPack(
    at: number,
    end: number,
    out: number,
    key: number,
    keyBytes: number,
    keeps: number,
    lenient: number,
  ): number
  jsonPackTime(): number
}

/** 92, d7 00, seconds and nanoseconds: in front of the record, so that one copy takes all. */
const headBytes = 11
/** The key lies in front in the tables; then these. */
const keyLimit = 1024
const timeOffset = keyLimit
const keysOffset = 4096

/** The part of the kernel that packs JSON. */
export function createJsonPacking(
  instance: WebAssembly.Instance,
  memory: WebAssembly.Memory,
  layout: Layout,
): Pick<Kernel, 'createJsonPacker'> {
  const exports = instance.exports as unknown as JsonExports
  const tables = layout.jsonTables.at
  exports.jsonPackRegions(tables + timeOffset, tables + keysOffset)
  const bytes = Buffer.from(memory.buffer)
  return { createJsonPacker: (options) => new Packer({ exports, bytes, layout, options }) }
}

class Packer implements JsonPacker {
  readonly #exports: JsonExports
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #key: Uint8Array
  readonly #keeps: number
  readonly #lenient: number
  readonly #tables: number
  readonly #input: number
  readonly #output: number
  #end = 0

  constructor(of: {
    exports: JsonExports
    bytes: Buffer
    layout: Layout
    options: Parameters<Kernel['createJsonPacker']>[0]
  }) {
    const { timeKey, keepTimeKey, lenient } = of.options
    this.#exports = of.exports
    this.#bytes = of.bytes
    this.#view = new DataView(of.bytes.buffer)
    this.#key = timeKey === undefined ? new Uint8Array(0) : encode(timeKey)
    this.#keeps = keepTimeKey ? 1 : 0
    this.#lenient = lenient ? 1 : 0
    this.#tables = of.layout.jsonTables.at
    this.#input = of.layout.jsonInput.at
    this.#output = of.layout.jsonOutput.at
  }

  pack(text: Buffer, start: number, end: number): boolean {
    const at = this.#input
    const length = end - start
    const key = this.#key
    if (length > jsonInputBytes || key.length > keyLimit) return false
    const bytes = this.#bytes
    text.copy(bytes, at, start, end)
    bytes[at + length] = 0
    // All packers share the tables.
    for (let i = 0; i < key.length; i++) bytes[this.#tables + i] = key[i] as number
    this.#end = this.#exports.jsonPack(
      at,
      at + length,
      this.#output + headBytes,
      this.#tables,
      key.length,
      this.#keeps,
      this.#lenient,
    )
    return this.#end !== 0
  }

  time(): MsgValue | undefined {
    const length = this.#exports.jsonPackTime()
    if (length === 0) return undefined
    const at = this.#tables + timeOffset
    const head = this.#bytes[at] as number
    if (head >= 0xa0 && head < 0xc0) return this.#bytes.toString('utf8', at + 1, at + length)
    return decode(this.#bytes.subarray(at, at + length))
  }

  entry(time: EventTime): Uint8Array | undefined {
    const { seconds, nanoseconds } = time
    if (nanoseconds === undefined || seconds < 0 || seconds > 0xffff_ffff) return undefined
    const at = this.#output
    this.#view.setUint32(at, 0x92d70000)
    this.#view.setUint32(at + 3, seconds)
    this.#view.setUint32(at + 7, nanoseconds)
    return this.#bytes.subarray(at, this.#end)
  }
}
