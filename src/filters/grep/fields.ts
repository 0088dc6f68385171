import type { FieldFinder, Kernel } from '../../kernel/types.ts'
import { packedText } from '../../text/packed-text.ts'
import type { Condition, Conditions } from './conditions.ts'

/** Conditions on keys of the record: the kernel finds all their fields in one walk. */
export class Fields {
  private readonly finder: FieldFinder
  private packed: Uint8Array = new Uint8Array(0)
  private row = 0

  constructor(finder: FieldFinder) {
    this.finder = finder
  }

  /** As FieldFinder. */
  find(packed: Uint8Array, at: number): number {
    this.packed = packed
    return at < packed.length ? this.finder.find(packed, at) : 0
  }

  end(row: number): number {
    return this.finder.end(row)
  }

  /** `test` is about this row from here on. */
  goTo(row: number): void {
    this.row = row
  }

  /** Throws RegexpInputError. */
  readonly test = (condition: Condition): boolean => {
    const { finder, row } = this
    const key = condition.number
    const text = finder.text(row, key) ?? packedText(this.packed, finder.at(row, key))
    return condition.matcher.test(text)
  }
}

/** undefined: a condition's path is no single key. */
export function createFields(conditions: Conditions, kernel: Kernel): Fields | undefined {
  if (conditions.fields === undefined) return undefined
  const finder = kernel.createFieldFinder(conditions.fields)
  return finder && new Fields(finder)
}
