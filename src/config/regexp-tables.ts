/**
 * What Ruby's regular expressions have and JavaScript's do not, as JavaScript (flag v) would write
 * it.
 */

/** POSIX classes: what stands between the brackets. */
export const posix: Readonly<Record<string, string>> = {
  alpha: '\\p{L}\\p{M}',
  digit: '\\p{Nd}',
  alnum: '\\p{L}\\p{M}\\p{N}',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
  space: '\\s\\x85',
  blank: ' \\t',
  cntrl: '\\p{Cc}',
  punct: '\\p{P}\\p{S}',
  xdigit: '0-9A-Fa-f',
  word: '\\p{L}\\p{M}\\p{N}_',
  graph: '[\\S--\\p{Cc}]',
  print: '[[\\S ]--\\p{Cc}]',
  ascii: '\\x00-\\x7f',
}

export const escapes: Readonly<Record<string, string>> = {
  A: '^',
  z: '$',
  Z: '(?=\\n?$)',
  h: '[0-9a-fA-F]',
  H: '[^0-9a-fA-F]',
  s: '[ \\t\\r\\n\\f\\v]',
  S: '[^ \\t\\r\\n\\f\\v]',
  R: '(?:\\r\\n|[\\n\\v\\f\\r\\x85\\u2028\\u2029])',
  a: '\\x07',
  e: '\\x1b',
}
export const classEscapes: Readonly<Record<string, string>> = {
  h: '0-9a-fA-F',
  H: '[^0-9a-fA-F]',
  s: ' \\t\\r\\n\\f\\v',
  S: '[^ \\t\\r\\n\\f\\v]',
  a: '\\x07',
  e: '\\x1b',
  b: '\\b',
  B: '\\x42',
}

/** `\\x41`, `\\u0041`, `\\p{Alpha}`. */
export function longEscape(text: string): string {
  if (text[1] === 'x') return `\\x${text.slice(2).padStart(2, '0')}`
  if (text[1] === 'u') return `\\u{${text.replace(/[^0-9a-fA-F]/g, '')}}`
  const negated = (text[1] === 'P') !== text.includes('^')
  const name = text.replace(/^\\[pP]\{\^?|\}$/g, '').replaceAll(' ', '_')
  const set = posix[name.toLowerCase()]
  if (set !== undefined) return `[${negated ? '^' : ''}${set}]`
  return `\\${negated ? 'P' : 'p'}{${name.length > 2 && !name.includes('_') ? script(name) : name}}`
}

/** Hiragana, Han, Latin …: Ruby names scripts without `Script=`. */
function script(name: string): string {
  try {
    new RegExp(`\\p{${name}}`, 'v')
    return name
  } catch {
    return `Script=${name}`
  }
}

/** One character that stands for itself. */
export function literal(c: string, inClass: boolean): string {
  const special = inClass ? /[()[\]{}/\-\\|^&!#$%*+,.:;<=>?@`~]/ : /[\^$\\.*+?()[\]{}|/]/
  return special.test(c) ? `\\${c}` : c
}
