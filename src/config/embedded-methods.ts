/** The values of `"#{…}"`, and what can be done with them: only what has no effect. */
export type Value = string | number | boolean | null | readonly Value[]

/** Integers, and two texts by `+`. Throws Error with a sentence. */
export function arithmetic(operator: string, a: Value, b: Value): Value {
  if (operator === '+' && typeof a === 'string' && typeof b === 'string') return a + b
  if (typeof a !== 'number' || typeof b !== 'number') {
    throw new Error(`\`${operator}\` works on integers (and + on two texts)`)
  }
  if ((operator === '/' || operator === '%') && b === 0) throw new Error('divided by 0')
  const results: Readonly<Record<string, number>> = {
    '+': a + b,
    '-': a - b,
    '*': a * b,
    '/': Math.floor(a / b),
    '%': a - b * Math.floor(a / b),
  }
  const result = results[operator]!
  if (!Number.isSafeInteger(result)) throw new Error('the number is too large')
  return result
}

/** Methods without effects on texts and arrays. Each checks what it is called on. */
export const methods: Readonly<Record<string, (on: Value, ...given: Value[]) => Value>> = {
  upcase: (on) => textOf(on, 'upcase').toUpperCase(),
  downcase: (on) => textOf(on, 'downcase').toLowerCase(),
  capitalize: (on) => {
    const text = textOf(on, 'capitalize')
    return text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()
  },
  strip: (on) => textOf(on, 'strip').replace(/^[\s\0]+|[\s\0]+$/g, ''),
  to_s: (on) => (on === null ? '' : scalarText(on)),
  to_i: (on) => Number.parseInt(/^\s*[-+]?\d{1,15}/.exec(scalarText(on ?? ''))?.[0] ?? '0', 10),
  split: (on, by = ' ') => {
    const text = textOf(on, 'split')
    const parts = by === ' ' ? text.trim().split(/\s+/) : text.split(textOf(by, 'split'))
    while (parts.at(-1) === '') parts.pop()
    return parts
  },
  join: (on, by = '') => arrayOf(on, 'join').map(scalarText).join(textOf(by, 'join')),
  first: (on) => arrayOf(on, 'first')[0] ?? null,
  last: (on) => arrayOf(on, 'last').at(-1) ?? null,
}

function textOf(value: Value, method: string): string {
  if (typeof value === 'string') return value
  throw new Error(`\`${method}\` needs a text${value === null ? ', but got nil' : ''}`)
}

function arrayOf(value: Value, method: string): readonly Value[] {
  if (Array.isArray(value)) return value
  throw new Error(`\`${method}\` needs an array${value === null ? ', but got nil' : ''}`)
}

export function at(value: Value, index: Value): Value {
  if (typeof index !== 'number') throw new Error('an index must be an integer')
  return arrayOf(value, '[]').at(index) ?? null
}

export function scalarText(value: Value): string {
  if (typeof value === 'object' && value !== null) throw new Error('an array is no text')
  return value === null ? '' : String(value)
}
