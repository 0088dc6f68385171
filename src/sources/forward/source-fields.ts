import { Encoder } from '../../msgpack/encode.ts'
import { eachEntry, eachPair, type FieldKey, fieldKey, pairCount } from '../../msgpack/entries.ts'
import { headLength } from '../../msgpack/walk.ts'

/** source_address_key and source_hostname_key: who sent an event, written into its record. */
export interface SourceFields {
  readonly addressKey: string | undefined
  readonly hostnameKey: string | undefined
}

interface Field {
  readonly key: FieldKey
  readonly value: string
}

/**
 * Entries with the fields set in each record: in their old place where they were there, last
 * otherwise, the address before the name. The result is valid until the next call.
 */
export class FieldWriter {
  readonly #fields: readonly Field[]
  readonly #encoder = new Encoder()

  constructor(keys: SourceFields, client: { address: string; hostname: string }) {
    const fields: Field[] = []
    if (keys.addressKey !== undefined) {
      fields.push({ key: fieldKey(keys.addressKey), value: client.address })
    }
    if (keys.hostnameKey !== undefined) {
      fields.push({ key: fieldKey(keys.hostnameKey), value: client.hostname })
    }
    // One key for both: the name is written last, and stays.
    const sameKey = keys.addressKey === keys.hostnameKey
    this.#fields = sameKey ? fields.slice(-1) : fields
  }

  write(packed: Uint8Array): Uint8Array {
    const encoder = this.#encoder
    encoder.reset()
    eachEntry(packed, (start, timeEnd, end) => {
      encoder.raw(packed, start, timeEnd)
      this.#record(packed, timeEnd, end)
    })
    return encoder.bytes
  }

  #record(packed: Uint8Array, at: number, end: number): void {
    const encoder = this.#encoder
    const missing = this.#fields.filter((field) => !hasKey(packed, at, field.key))
    encoder.mapHeader(pairCount(packed, at) + missing.length)
    if (missing.length === this.#fields.length) {
      encoder.raw(packed, at + headLength(packed[at]!), end)
    } else {
      eachPair(packed, at, (keyAt, valueAt, pairEnd) => {
        const field = this.#fields.find(({ key }) => isKey(packed, keyAt, valueAt, key))
        encoder.raw(packed, keyAt, field === undefined ? pairEnd : valueAt)
        if (field !== undefined) encoder.string(field.value)
      })
    }
    for (const field of missing) {
      encoder.string(field.key.name)
      encoder.string(field.value)
    }
  }
}

function hasKey(packed: Uint8Array, at: number, key: FieldKey): boolean {
  let found = false
  eachPair(packed, at, (keyAt, valueAt) => {
    found ||= isKey(packed, keyAt, valueAt, key)
  })
  return found
}

/** Whether the str (or, to Ruby the same, ASCII bin) between the offsets is the key. */
function isKey(packed: Uint8Array, keyAt: number, keyEnd: number, key: FieldKey): boolean {
  const head = packed[keyAt]!
  const isStr = (head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb)
  const isBin = head >= 0xc4 && head <= 0xc6
  if (!isStr && !(isBin && key.matchesBinary)) return false
  const start = keyAt + headLength(head)
  if (keyEnd - start !== key.bytes.byteLength) return false
  return key.bytes.every((byte, index) => packed[start + index] === byte)
}
