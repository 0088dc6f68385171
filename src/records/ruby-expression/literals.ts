import { isUtf8 } from 'node:buffer'
import { RawString } from '../../core/value.ts'
import type { Parser, Run } from './parse.ts'
import type { Reader } from './reader.ts'
import type { Scope } from './scope.ts'
import { bounded, isText, type RubyValue, textOf } from './values.ts'

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  s: ' ',
  '0': '\0',
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  v: '\v',
}

/** What a backslash and what follows it stand for; the reader stands behind the backslash. */
function escaped(reader: Reader): string {
  const { char } = reader
  const unicode = /^u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})/.exec(
    reader.text.slice(reader.at, reader.at + 9),
  )
  if (unicode !== null) {
    const code = Number.parseInt(unicode[1] ?? unicode[2] ?? '', 16)
    if (code > 0x10ffff) reader.fail('no such character', { length: unicode[0].length })
    reader.at += unicode[0].length
    return String.fromCodePoint(code)
  }
  const hex = /^x([0-7][0-9a-fA-F])/.exec(reader.text.slice(reader.at, reader.at + 3))
  if (hex !== null) {
    reader.at += 3
    return String.fromCharCode(Number.parseInt(hex[1] as string, 16))
  }
  reader.at++
  return escapes[char] ?? char
}

/** Between single quotes, where only \' and \\ mean something. */
export function singleQuoted(reader: Reader): string {
  const start = reader.at++
  let text = ''
  while (reader.char !== "'") {
    if (reader.char === '') reader.fail('a text does not end', { offset: start })
    if (reader.char === '\\' && /['\\]/.test(reader.text[reader.at + 1] ?? '')) reader.at++
    text += reader.char
    reader.at++
  }
  reader.at++
  return text
}

/**
 * A text with `#{…}` in it, and `${…}` too where `end` is undefined (a whole value of the configuration). The reader stands
 * at its first character, and ends behind `end`.
 */
export function parseText(parser: Parser, end: '"' | undefined): Run {
  const { reader } = parser
  const start = reader.at
  const parts: (string | Run)[] = []
  let text = ''
  for (;;) {
    const { char } = reader
    if (char === '' && end === undefined) break
    if (char === '') reader.fail('a text does not end', { offset: start - 1, length: 1 })
    reader.at++
    if (char === end) break
    const opens = reader.char === '{' && (char === '#' || (char === '$' && end === undefined))
    if (opens) {
      reader.at++
      parts.push(text, parser.statement())
      text = ''
      reader.expect('}')
    } else text += char === '\\' && reader.char !== '' ? escaped(reader) : char
  }
  parts.push(text)
  return joined(parts.filter((part) => part !== ''))
}

function joined(parts: readonly (string | Run)[]): Run {
  if (parts.every((part) => typeof part === 'string')) {
    const fixed = parts.join('')
    return () => fixed
  }
  return (scope) => concatenated(parts, scope)
}

/** Bytes that are not UTF-8 stay as they are. */
function concatenated(parts: readonly (string | Run)[], scope: Scope): RubyValue {
  let text = ''
  let bytes: Buffer[] | undefined
  for (const part of parts) {
    const value = typeof part === 'string' ? part : part(scope)
    if (isText(value) && typeof value !== 'string') {
      bytes ??= []
      const raw = value instanceof Uint8Array ? value : value.bytes
      bytes.push(Buffer.from(text), Buffer.from(raw))
      text = ''
    } else text += typeof value === 'string' ? value : textOf(value)
  }
  if (bytes === undefined) return bounded(text)
  const whole = Buffer.concat([...bytes, Buffer.from(text)])
  return isUtf8(whole) ? whole.toString('utf8') : new RawString(whole)
}
