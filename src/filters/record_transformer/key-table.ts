import { stringLength } from '../../msgpack/entries.ts'
import { headLength } from '../../msgpack/walk.ts'

/** What a record's key means to the filter. */
export interface KeyUse {
  readonly key: string
  /** Index of the <record> field that sets it, or -1. */
  readonly sets: number
  readonly removed: boolean
  /** A placeholder asks for it. */
  readonly read: boolean
}

interface Slot {
  readonly bytes: Uint8Array
  readonly use: KeyUse
  readonly matchesBinary: boolean
}

/** Finds keys in packed bytes: few are of interest, and most differ in length already. */
export class KeyTable {
  private readonly byLength = new Map<number, Slot[]>()

  constructor(uses: readonly KeyUse[]) {
    for (const use of uses) {
      const bytes = Buffer.from(use.key)
      const slots = this.byLength.get(bytes.length) ?? []
      slots.push({ bytes, use, matchesBinary: bytes.every((byte) => byte < 0x80) })
      this.byLength.set(bytes.length, slots)
    }
  }

  /** What is known of the key whose head stands at `at`. */
  find(packed: Uint8Array, at: number): KeyUse | undefined {
    const length = stringLength(packed, at, true)
    const slots = this.byLength.get(length)
    if (slots === undefined) return undefined
    const start = at + headLength(packed[at] as number)
    const isBinary = (packed[at] as number) < 0xc7 && (packed[at] as number) >= 0xc4
    for (const slot of slots) {
      if ((slot.matchesBinary || !isBinary) && isAt(packed, start, slot.bytes)) return slot.use
    }
    return undefined
  }
}

function isAt(packed: Uint8Array, start: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (packed[start + i] !== bytes[i]) return false
  }
  return true
}
