import { jsonProblem } from './json-check.ts'
import { configLimits } from './limits.ts'
import type { Scanner } from './scanner.ts'

/**
 * A JSON array or hash as a value (`scan_json` of Fluentd's literal_parser.rb): over several lines,
 * with comments, and "#{…}" inside strings or as a hash value. Gives the JSON text without spaces
 * and comments, numbers as they were written. Starts at the opening bracket and takes everything up
 * to its closing one. Throws ConfigError.
 */
export function scanJson(scanner: Scanner): string {
  const start = scanner.offset
  const what = scanner.text[start] === '[' ? 'array' : 'hash'
  const closers: string[] = []
  let out = ''
  while (!scanner.atEnd) {
    const c = scanner.text[scanner.offset]!
    if (c === '"') {
      out += jsonString(scanner, what, start)
      continue
    }
    if (c === '#') {
      if (scanner.text[scanner.offset + 1] === '{' && out.endsWith(':')) {
        out += embeddedText(scanner)
      } else scanner.offset = scanner.endOfLine()
      continue
    }
    scanner.offset++
    if (c === '[' || c === '{') {
      closers.push(c === '[' ? ']' : '}')
      if (closers.length > configLimits.depth) {
        throw scanner.error(`JSON is nested deeper than ${configLimits.depth}`, scanner.offset - 1)
      }
    }
    if (!/[ \t\r\n]/.test(c)) out += c
    if (c === ']' || c === '}') {
      if (closers.pop() !== c)
        throw scanner.error(`unexpected token at '${c}' in JSON`, scanner.offset - 1)
      if (closers.length === 0) return checked(scanner, out, what, start)
    }
  }
  throw incomplete(scanner, what, start)
}

function incomplete(scanner: Scanner, what: string, start: number) {
  const line = scanner.position(start).line
  return scanner.error(
    `got incomplete JSON ${what} configuration, which begins on line ${line}`,
    start,
    scanner.endOfLine(start) - start,
    `close it with ${what === 'array' ? ']' : '}'}`,
  )
}

function checked(scanner: Scanner, json: string, what: string, start: number): string {
  const problem = jsonProblem(json)
  if (problem === undefined) return json
  throw scanner.error(
    `the JSON ${what} is broken: ${problem}`,
    start,
    scanner.offset - start,
    what === 'array' ? 'JSON looks like ["a", "b", 1]' : 'JSON looks like {"key": "value", "n": 1}',
  )
}

/**
 * One string with its quotes; texts of "#{…}" are put in as JSON, so that quotes in them stay data.
 */
function jsonString(scanner: Scanner, what: string, start: number): string {
  let from = scanner.offset
  let out = ''
  for (let i = from + 1; i < scanner.text.length; i++) {
    const c = scanner.text[i]!
    if (c === '"') {
      scanner.offset = i + 1
      return out + scanner.text.slice(from, i + 1)
    }
    if (c === '\\') i++
    else if (c === '#' && scanner.text[i + 1] === '{') {
      out += scanner.text.slice(from, i)
      scanner.offset = i
      out += JSON.stringify(embeddedText(scanner)).slice(1, -1)
      from = scanner.offset
      i = from - 1
    }
  }
  throw incomplete(scanner, what, start)
}

function embeddedText(scanner: Scanner): string {
  const outcome = scanner.embedded(scanner.offset + 2)
  if (outcome.kind !== 'text') {
    throw scanner.error(
      'use_nil and use_default stand for a whole value, not for a part of JSON',
      scanner.offset,
      outcome.end + 1 - scanner.offset,
    )
  }
  scanner.offset = outcome.end + 1
  return outcome.text
}
