import { didYouMean } from '../../config/suggest.ts'
import { methodNames } from './methods.ts'

/** Words that many take to exist, and what stands in their place. */
const instead: Readonly<Record<string, string>> = {
  map: 'blocks are not run here; <record> fields name the values one by one',
  each: 'blocks are not run here',
  select: 'blocks are not run here; hash.slice("a", "b") and except("a") need none',
  reject: 'blocks are not run here; hash.except("a") and slice("a", "b") need none',
  delete_if: 'use remove_keys',
  eval: 'no Ruby is evaluated',
  send: 'no Ruby is evaluated',
  system: 'no command is run',
  'gsub!': 'use gsub, which gives the new text',
  'merge!': 'use merge, which gives the new hash',
  store: 'set fields by <record>',
}

/** A way out for a name that is no method here. */
export function nearestMethod(name: string): string {
  return (
    instead[name] ??
    didYouMean(name, methodNames) ??
    'no Ruby is evaluated: what is known is listed in docs/expressions.md'
  )
}
