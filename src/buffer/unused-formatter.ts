import type { Formatter } from '../core/formatter.ts'

/** For sinks that only ever get chunks which somebody else's formatter filled: secondaries. */
export const unusedFormatter: Formatter = {
  format() {
    throw new Error('bug: a secondary formats nothing')
  },
}
