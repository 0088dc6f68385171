import type { Cursor } from './regexp-set.ts'

const simple: Readonly<Record<string, number | undefined>> = {
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  a: 0x07,
  e: 0x1b,
}

/**
 * Code points of an escape that stands for characters; the cursor stands behind the backslash, and ends behind the
 * escape. More than one only for `\u{61 62}`. Any other escaped character stands for itself.
 */
export function readEscape(cursor: Cursor, start: number, inSet: boolean): readonly number[] {
  const { source } = cursor
  const letter = String.fromCodePoint(source.codePointAt(cursor.at) ?? 0)
  const code = simple[letter] ?? (inSet && letter === 'b' ? 0x08 : undefined)
  if (code !== undefined) {
    cursor.at += 1
    return [code]
  }
  const rest = source.slice(cursor.at, cursor.at + 400)
  if (/^[0-7]/.test(rest)) return [octal(cursor, rest, start)]
  if (letter === 'x') return [hex(cursor, rest, start)]
  if (letter === 'u') return unicode(cursor, rest, start)
  if (letter === 'c' || /^C-/.test(rest)) return [control(cursor, rest, start)]
  if (/^M-/.test(rest)) throw cursor.error('\\M-… cannot be used here', start)
  cursor.at += letter.length
  return [letter.codePointAt(0) as number]
}

function octal(cursor: Cursor, rest: string, start: number): number {
  const digits = (/^[0-7]{1,3}/.exec(rest) as RegExpExecArray)[0]
  const code = Number.parseInt(digits, 8)
  if (code > 0x7f) throw cursor.error(`\\${digits} is no character by itself`, start)
  cursor.at += digits.length
  return code
}

/** `\xHH`. Above 7f it is one byte of a character in UTF-8, whose others must follow. */
function hex(cursor: Cursor, rest: string, start: number): number {
  const found = /^x([0-9a-fA-F]{1,2})((?:\\x[89a-fA-F][0-9a-fA-F])*)/.exec(rest)
  if (found === null) throw cursor.error('invalid hex escape', start)
  const first = Number.parseInt(found[1] as string, 16)
  if (first < 0x80) {
    cursor.at += 1 + (found[1] as string).length
    return first
  }
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  const text = rest.slice(0, length * 4 - 1)
  const bytes = Buffer.from(text.replace(/\\?x/g, ''), 'hex')
  const decoded = bytes.toString('utf8')
  const code = decoded.codePointAt(0)
  if (bytes.length !== length || code === undefined || code === 0xfffd || code < 0x80) {
    throw cursor.error('invalid multibyte escape', start)
  }
  cursor.at += text.length
  return code
}

function unicode(cursor: Cursor, rest: string, start: number): readonly number[] {
  const found = /^u(?:([0-9a-fA-F]{4})|\{\s*([0-9a-fA-F]{1,6}(?:\s+[0-9a-fA-F]{1,6})*)\s*\})/.exec(
    rest,
  )
  if (found === null) throw cursor.error('invalid Unicode escape', start)
  const codes = (found[1] ?? (found[2] as string))
    .split(/\s+/)
    .map((text) => Number.parseInt(text, 16))
  if (codes.some((code) => code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))) {
    throw cursor.error('invalid Unicode range', start)
  }
  cursor.at += found[0].length
  return codes
}

function control(cursor: Cursor, rest: string, start: number): number {
  const found = /^(?:c|C-)([\x21-\x7e])/.exec(rest)
  if (found === null) throw cursor.error('invalid control character', start)
  cursor.at += found[0].length
  const character = found[1] as string
  return character === '?' ? 0x7f : (character.codePointAt(0) as number) & 0x1f
}
