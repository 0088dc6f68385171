import { defineFilter } from '../../config/define.ts'
import type { Batch } from '../../core/batch.ts'
import type { Filter } from '../../core/filter.ts'
import type { Logger } from '../../core/log.ts'
import type { Kernel } from '../../kernel/types.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { eachEntry } from '../../msgpack/entries.ts'
import { LogLimiter } from '../../routing/log-limiter.ts'
import { RecordPathError } from '../../text/record-path.ts'
import { RegexpInputError } from '../../text/regexp.ts'
import { type Condition, type Conditions, createConditions, keeps, matches } from './conditions.ts'
import { createFields, type Fields } from './fields.ts'
import { grepShape } from './shape.ts'

/** Lets events through by what their fields hold. */
export const grepFilter = defineFilter({
  name: 'grep',
  summary: 'Lets events through by what their fields hold.',
  description:
    'An event for which that cannot be found out (a path leads into a text, a text is too long) goes on, with a warning.',
  shape: grepShape,
  create(params, context) {
    return new GrepFilter(createConditions(params), {
      log: context.log,
      limiter: new LogLimiter(context.host.clock),
      kernel: context.kernel,
    })
  },
})

class GrepFilter implements Filter {
  private readonly conditions: Conditions
  private readonly log: Logger
  private readonly limiter: LogLimiter
  private readonly fields: Fields | undefined
  private readonly encoder = new Encoder()
  private runStart = 0
  private kept = 0

  constructor(
    conditions: Conditions,
    options: { log: Logger; limiter: LogLimiter; kernel: Kernel },
  ) {
    this.conditions = conditions
    this.log = options.log
    this.limiter = options.limiter
    this.fields = createFields(conditions, options.kernel)
  }

  /** Kept entries keep their bytes: runs of them are copied only where something between was dropped. */
  apply(batch: Batch): Batch | undefined {
    const { packed } = batch
    const { encoder } = this
    encoder.reset()
    this.runStart = 0
    this.kept = 0
    const at = this.fields === undefined ? 0 : this.applyFields(packed, this.fields)
    if (at < packed.length) this.applyEach(packed, at)
    if (this.kept === batch.count) return batch
    if (this.kept === 0) return undefined
    encoder.raw(packed, this.runStart, packed.length)
    return { tag: batch.tag, packed: encoder.bytes, count: this.kept }
  }

  /** By what the kernel finds. Returns where that ends. */
  private applyFields(packed: Uint8Array, fields: Fields): number {
    let at = 0
    for (let rows = fields.find(packed, 0); rows > 0; rows = fields.find(packed, at)) {
      for (let row = 0; row < rows; row++) {
        const end = fields.end(row)
        fields.goTo(row)
        this.take(packed, { at, end, kept: this.keepsEntry(fields.test) })
        at = end
      }
    }
    return at
  }

  private applyEach(packed: Uint8Array, from: number): void {
    const rest = from === 0 ? packed : packed.subarray(from)
    eachEntry(rest, (start, timeEnd, end) => {
      const kept = this.keepsEntry((condition) => matches(condition, rest, timeEnd))
      this.take(packed, { at: from + start, end: from + end, kept })
    })
  }

  private take(packed: Uint8Array, entry: { at: number; end: number; kept: boolean }): void {
    if (entry.kept) {
      this.kept += 1
      return
    }
    this.encoder.raw(packed, this.runStart, entry.at)
    this.runStart = entry.end
  }

  private keepsEntry(test: (condition: Condition) => boolean): boolean {
    try {
      return keeps(this.conditions, test)
    } catch (error) {
      if (!(error instanceof RecordPathError || error instanceof RegexpInputError)) throw error
      this.limiter.run({ error }, (fields) => this.log.warn('failed to grep events', fields))
      return true
    }
  }
}
