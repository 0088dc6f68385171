import { defineFilter } from '../../config/define.ts'
import type { Batch } from '../../core/batch.ts'
import type { Filter } from '../../core/filter.ts'
import type { Logger } from '../../core/log.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { eachEntry } from '../../msgpack/entries.ts'
import { LogLimiter } from '../../routing/log-limiter.ts'
import { RecordPathError } from '../../text/record-path.ts'
import { RegexpInputError } from '../../text/regexp.ts'
import { type Conditions, createConditions, keeps } from './conditions.ts'
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
    })
  },
})

class GrepFilter implements Filter {
  private readonly conditions: Conditions
  private readonly log: Logger
  private readonly limiter: LogLimiter
  private readonly encoder = new Encoder()

  constructor(conditions: Conditions, options: { log: Logger; limiter: LogLimiter }) {
    this.conditions = conditions
    this.log = options.log
    this.limiter = options.limiter
  }

  /** Kept entries keep their bytes: runs of them are copied only where something between was dropped. */
  apply(batch: Batch): Batch | undefined {
    const { packed } = batch
    const { encoder } = this
    encoder.reset()
    let runStart = 0
    let kept = 0
    eachEntry(packed, (start, timeEnd, end) => {
      if (this.keepsEntry(packed, timeEnd)) {
        kept += 1
        return
      }
      encoder.raw(packed, runStart, start)
      runStart = end
    })
    if (kept === batch.count) return batch
    if (kept === 0) return undefined
    encoder.raw(packed, runStart, packed.length)
    return { tag: batch.tag, packed: encoder.bytes, count: kept }
  }

  private keepsEntry(packed: Uint8Array, recordAt: number): boolean {
    try {
      return keeps(this.conditions, packed, recordAt)
    } catch (error) {
      if (!(error instanceof RecordPathError || error instanceof RegexpInputError)) throw error
      this.limiter.run({ error }, (fields) => this.log.warn('failed to grep events', fields))
      return true
    }
  }
}
