import { ConfigError } from '../../core/errors.ts'
import { EventTime } from '../../core/value.ts'
import { jsonText, noCounts } from '../../kernel/format-reference.ts'
import { fieldKey } from '../../msgpack/entries.ts'
import { JsonError, parseJson } from '../../text/json.ts'
import { compileRegexpSource } from '../../text/regexp.ts'
import { localZone } from '../../time/zones.ts'
import { parseText, singleQuoted } from './literals.ts'
import { textArgument } from './method-table.ts'
import type { Parser, Run } from './parse.ts'
import {
  ExpressionError,
  float,
  isNumber,
  numberOf,
  RangeValue,
  RegexpValue,
  type RubyValue,
  recordValue,
  TimeValue,
  TypeValue,
  textOf,
} from './values.ts'

const types = new Set([
  ...['String', 'Integer', 'Float', 'Numeric', 'Array', 'Hash', 'NilClass', 'TrueClass'],
  ...['FalseClass', 'Time', 'Object', 'Symbol'],
])

/** What an expression begins with: a literal, something of the event, a constant. */
export function parsePrimary(parser: Parser): Run {
  const { reader } = parser
  reader.space()
  const { char } = reader
  if (char === '"') {
    reader.at++
    return parseText(parser, '"')
  }
  if (char === "'") return constant(singleQuoted(reader))
  if (char === '/') return regexp(parser)
  if (char === '(') {
    reader.at++
    const inner = parser.statement()
    reader.expect(')')
    return inner
  }
  if (char === '[') {
    reader.at++
    const items = parser.list(']')
    return (scope) => items.map((item) => item(scope))
  }
  if (char === '{') return hash(parser)
  if (char === '$') return lastMatch(parser)
  if (char === ':' && /[a-z_]/i.test(reader.text[reader.at + 1] ?? '')) return symbol(parser)
  const number = /^-?\d[\d_]*(?:\.\d+(?:[eE][+-]?\d+)?)?/.exec(
    reader.text.slice(reader.at, reader.at + 40),
  )
  if (number !== null) return numberLiteral(parser, number[0])
  return named(parser)
}

function constant(value: RubyValue): Run {
  return () => value
}

function numberLiteral(parser: Parser, written: string): Run {
  const { reader } = parser
  reader.at += written.length
  const digits = written.replaceAll('_', '')
  if (digits.includes('.')) return constant(float(Number(digits)))
  const from = Number(digits)
  if (!Number.isSafeInteger(from)) return constant(BigInt(digits))
  // A range of literals, as in text[0..5].
  const range = /^\s*(\.\.\.?)\s*(-?\d{1,9})?/.exec(reader.text.slice(reader.at, reader.at + 30))
  if (range === null) return constant(from)
  reader.at += range[0].length
  const to = range[2] === undefined ? -1 : Number(range[2]) - (range[1] === '...' ? 1 : 0)
  return constant(new RangeValue(from, to))
}

function symbol(parser: Parser): Run {
  const { reader } = parser
  reader.at++
  const name = reader.peekWord()
  reader.at += name.length
  return constant(name)
}

/** `/…/imx`; the slash may stand inside with a backslash. */
function regexp(parser: Parser): Run {
  const { reader } = parser
  const start = reader.at
  let at = start + 1
  while (at < reader.text.length && reader.text[at] !== '/') at += reader.text[at] === '\\' ? 2 : 1
  const source = reader.text.slice(start + 1, at)
  const flags = /^[a-z]*/.exec(reader.text.slice(at + 1, at + 10))?.[0] ?? ''
  reader.at = Math.min(at + 1 + flags.length, reader.text.length)
  if (at >= reader.text.length)
    reader.fail('an expression between slashes does not end', { offset: start })
  if (/[^imx]/.test(flags) || source.includes('#{')) {
    reader.fail('only plain expressions with the options i, m and x are known here', {
      offset: start,
    })
  }
  try {
    return constant(new RegexpValue(compileRegexpSource(source, undefined, flags)))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return reader.fail(error.message, { offset: start })
  }
}

/** `{"a" => 1, b: 2}` */
function hash(parser: Parser): Run {
  const { reader } = parser
  reader.expect('{')
  const pairs: { key: Run; value: Run }[] = []
  while (!reader.accept('}')) {
    if (pairs.length > 0) reader.expect(',')
    reader.space()
    const name = /^[A-Za-z_][A-Za-z0-9_]*(?=:(?!:))/.exec(
      reader.text.slice(reader.at, reader.at + 100),
    )?.[0]
    let key: Run
    if (name !== undefined) {
      reader.at += name.length + 1
      key = constant(name)
    } else {
      key = parser.ternary()
      reader.expect('=>')
    }
    pairs.push({ key, value: parser.ternary() })
    if (pairs.length > 1000) reader.fail('too many pairs')
  }
  return (scope) => new Map(pairs.map(({ key, value }) => [key(scope), value(scope)]))
}

/** `$1` to `$9` and `$~`: what the last =~ or match found. */
function lastMatch(parser: Parser): Run {
  const { reader } = parser
  const found = /^\$([1-9~])/.exec(reader.text.slice(reader.at, reader.at + 2))
  if (found === null) reader.fail('global variables are not known here', { length: 1 })
  reader.at += 2
  const which = found?.[1]
  if (which === '~') return (scope) => scope.lastMatch
  const number = Number(which)
  return (scope) => scope.lastMatch?.group(number) ?? null
}

function named(parser: Parser): Run {
  const { reader, world } = parser
  const start = reader.at
  const name = reader.peekWord()
  if (name === '') {
    const shown = reader.char
    reader.fail(shown === '' ? 'the expression ends here' : `\`${shown}\` is not understood`, {
      length: 1,
    })
  }
  reader.at += name.length
  switch (name) {
    case 'nil':
      return constant(null)
    case 'true':
      return constant(true)
    case 'false':
      return constant(false)
    case 'record':
      return record(parser)
    case 'tag':
      return (scope) => scope.tag
    case 'tag_parts':
      return (scope) => [...scope.tagParts]
    case 'hostname':
      return constant(world.hostname)
    case 'time':
      return timeOfEvent(parser)
    case 'ENV':
      return environment(parser)
    case 'Socket':
      return socket(parser)
    case 'Time':
      return timeClass(parser)
    case 'JSON':
      return json(parser)
    case 'Integer':
    case 'Float':
    case 'String':
      return conversion(parser, name)
    default:
      if (types.has(name)) return constant(new TypeValue(name))
  }
  if (world.tagRanges && name === 'tag_prefix') return (scope) => ranges(scope.tagParts, 'prefix')
  if (world.tagRanges && name === 'tag_suffix') return (scope) => ranges(scope.tagParts, 'suffix')
  return reader.fail(`\`${name}\` is not known here`, {
    offset: start,
    length: name.length,
    hint: 'known are record, tag, tag_parts, time, hostname, ENV["X"], Socket.gethostname, Time, JSON.parse and literals: docs/expressions.md',
  })
}

function ranges(parts: readonly string[], kind: 'prefix' | 'suffix'): RubyValue {
  return parts.map((_, i) => (kind === 'prefix' ? parts.slice(0, i + 1) : parts.slice(i)).join('.'))
}

/** `record["x"]` looks for that field alone; anything else decodes the record. */
function record(parser: Parser): Run {
  const { reader } = parser
  const literal = /^\[\s*(?:"((?:[^"\\#]|#(?!\{))*)"|'([^'\\]*)')\s*\]/.exec(
    reader.text.slice(reader.at, reader.at + 300),
  )
  if (literal === null) return (scope) => scope.record()
  reader.at += literal[0].length
  const key = fieldKey(literal[1] ?? literal[2] ?? '')
  return (scope) => scope.field(key) ?? null
}

function timeOfEvent({ world }: Parser): Run {
  if (!world.timeIsTime) return (scope) => scope.time()
  const zone = localZone(world.clock)
  return (scope) => {
    const { seconds, nanoseconds } = scope.time()
    return new TimeValue(seconds, nanoseconds ?? 0, zone)
  }
}

/** `ENV["X"]`, `ENV.fetch("X", "d")`: read once, at start. */
function environment(parser: Parser): Run {
  const { reader, world } = parser
  const start = reader.at
  const found = /^(?:\[|\.fetch\()\s*(?:"([^"\\#]*)"|'([^'\\]*)')\s*(?:\]|\)|,)/.exec(
    reader.text.slice(reader.at, reader.at + 300),
  )
  if (found === null) {
    return reader.fail('ENV is read by ENV["NAME"] or ENV.fetch("NAME", "default")', {
      offset: start - 3,
      length: 3,
    })
  }
  reader.at += found[0].length
  const value = world.env[found[1] ?? found[2] ?? ''] ?? null
  if (!found[0].endsWith(',')) return constant(value)
  const otherwise = parser.ternary()
  reader.expect(')')
  return value === null ? otherwise : constant(value)
}

function socket({ reader, world }: Parser): Run {
  if (!reader.accept('.gethostname')) {
    reader.fail('of Socket only Socket.gethostname is known here', { length: 1 })
  }
  if (reader.accept('(')) reader.expect(')')
  return constant(world.hostname)
}

/** Time.at(seconds), Time.now, and the class itself. */
function timeClass(parser: Parser): Run {
  const { reader, world } = parser
  const zone = localZone(world.clock)
  if (reader.accept('.now')) {
    return () => fromSeconds(world.clock.wallMs() / 1000, zone)
  }
  if (!reader.accept('.at(')) {
    if (reader.char === '.')
      reader.fail('of Time only Time.at and Time.now are known here', { length: 1 })
    return constant(new TypeValue('Time'))
  }
  const [argument, ...more] = parser.list(')')
  if (argument === undefined || more.length > 0) reader.fail('Time.at takes one argument')
  return (scope) => {
    const value = (argument as Run)(scope)
    if (value instanceof EventTime)
      return new TimeValue(value.seconds, value.nanoseconds ?? 0, zone)
    if (value instanceof TimeValue) return value
    if (!isNumber(value)) throw new ExpressionError("can't convert the value into an exact number")
    return fromSeconds(numberOf(value), zone)
  }
}

function fromSeconds(value: number, zone: ReturnType<typeof localZone>): TimeValue {
  const seconds = Math.floor(value)
  if (!Number.isSafeInteger(seconds)) throw new ExpressionError('a time is out of range')
  return new TimeValue(seconds, Math.min(Math.round((value - seconds) * 1e9), 999_999_999), zone)
}

/** JSON.parse(text) */
function json(parser: Parser): Run {
  const { reader } = parser
  const generates = reader.accept('.generate(') || reader.accept('.dump(')
  if (!generates && !reader.accept('.parse(')) {
    reader.fail('of JSON only JSON.parse and JSON.generate are known here', { length: 1 })
  }
  const [argument, ...more] = parser.list(')')
  if (argument === undefined || more.length > 0) reader.fail('JSON takes one argument here')
  const run = argument as Run
  if (generates) {
    return (scope) => jsonText(recordValue(run(scope)), 'yajl', noCounts())
  }
  return (scope) => {
    try {
      return parseJson(textArgument(run(scope)), { depthLimit: 60 })
    } catch (error) {
      if (error instanceof JsonError) throw new ExpressionError(error.message)
      throw error
    }
  }
}

/** Integer(x), Float(x), String(x); without brackets the class. */
function conversion(parser: Parser, name: 'Integer' | 'Float' | 'String'): Run {
  const { reader } = parser
  if (reader.char !== '(') return constant(new TypeValue(name))
  reader.at++
  const [argument, ...more] = parser.list(')')
  if (argument === undefined || more.length > 0) reader.fail(`${name} takes one argument here`)
  const run = argument as Run
  return (scope) => converted(name, run(scope))
}

function converted(name: 'Integer' | 'Float' | 'String', value: RubyValue): RubyValue {
  if (name === 'String' || value === null) {
    if (name === 'String') return textOf(value)
    throw new ExpressionError(`can't convert nil into ${name}`)
  }
  const text = textOf(value).trim().replaceAll('_', '').slice(0, 400)
  const form =
    name === 'Integer' && !isNumber(value) ? /^[+-]?\d+$/ : /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
  if (!form.test(text))
    throw new ExpressionError(`invalid value for ${name}(): ${text.slice(0, 50)}`)
  if (name === 'Float') return float(Number(text))
  const whole = BigInt(text.includes('.') || /e/i.test(text) ? Math.trunc(Number(text)) : text)
  if (whole < -(2n ** 63n) || whole >= 2n ** 64n)
    throw new ExpressionError('an integer is beyond 64 bits')
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
}
