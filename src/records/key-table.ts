import { stringLength } from '../msgpack/entries.ts'
import { headLength } from '../msgpack/walk.ts'

interface Slot<U> {
  readonly bytes: Uint8Array
  readonly use: U
  readonly matchesBinary: boolean
}

/** Finds keys in packed bytes: few are of interest, and most differ in length already. */
export class KeyTable<U extends { readonly key: string }> {
  private readonly byLength = new Map<number, Slot<U>[]>()

  private readonly byName = new Map<string, U>()

  constructor(uses: readonly U[]) {
    for (const use of uses) {
      this.byName.set(use.key, use)
      const bytes = Buffer.from(use.key)
      const slots = this.byLength.get(bytes.length) ?? []
      slots.push({ bytes, use, matchesBinary: bytes.every((byte) => byte < 0x80) })
      this.byLength.set(bytes.length, slots)
    }
  }

  /** What is known of that key. */
  get(key: string): U | undefined {
    return this.byName.get(key)
  }

  /** What is known of the key whose head stands at `at`. */
  find(packed: Uint8Array, at: number): U | undefined {
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
