import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventTime, type MsgMap, type MsgValue } from '../../../src/core/value.ts'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel } from '../../../src/kernel/index.ts'
import { Encoder, encode } from '../../../src/msgpack/encode.ts'
import { JsonError, parseJson } from '../../../src/text/json.ts'

const kernel = createKernel(loadKernel())
const now = new EventTime(1_700_000_000, 123_456_789)
const runs = Number(process.env.FUZZ_RUNS ?? 2000)

interface Options {
  timeKey?: string
  keepTimeKey?: boolean
  lenient?: boolean
}

function pack(text: string | Uint8Array, options: Options = {}) {
  const packer = kernel.createJsonPacker({
    timeKey: options.timeKey,
    keepTimeKey: options.keepTimeKey ?? false,
    lenient: options.lenient ?? true,
  })
  // Something in front and behind, which is not its own.
  const bytes = Buffer.concat([Buffer.from('{"'), Buffer.from(text), Buffer.from('"}')])
  if (!packer.pack(bytes, 2, bytes.length - 2)) return undefined
  const time = packer.time()
  return { time, entry: Buffer.from(packer.entry(now) ?? []) }
}

/** undefined: no JSON, or no object. */
function reference(text: string | Uint8Array, options: Options = {}) {
  let value: MsgValue
  try {
    value = parseJson(Buffer.from(text), { lenient: options.lenient ?? true })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return undefined
  }
  if (!(value instanceof Map)) return undefined
  const record: MsgMap = value
  const { timeKey } = options
  const time = timeKey === undefined ? undefined : record.get(timeKey)
  if (timeKey !== undefined && !options.keepTimeKey) record.delete(timeKey)
  const encoder = new Encoder()
  encoder.entry(now)
  encoder.value(record)
  return { time, entry: Buffer.from(encoder.bytes) }
}

/** What it packs is the same; what it does not pack, it may leave. Returns whether it packed. */
function expectSame(text: string | Uint8Array, options: Options = {}): boolean {
  const packed = pack(text, options)
  if (packed === undefined) return false
  const expected = reference(text, options)
  expect([text, packed.entry.toString('hex')]).toEqual([text, expected?.entry.toString('hex')])
  if (packed.time !== undefined) expect(encode(packed.time)).toEqual(encode(expected?.time ?? null))
  else expect(expected?.time).toBeUndefined()
  return true
}

const numberText = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.integer(), fc.nat(99999), fc.integer({ min: -40, max: 40 }))
    .map(([a, b, e]) => `${a}.${b}e${e}`),
  fc.tuple(fc.integer(), fc.nat(999_999)).map(([a, b]) => `${a}.${b}`),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }), fc.nat(19))
    .map(([n, at]) => `${n}`.replace(new RegExp(`^(.{${at}})(.)`), '$1.$2')),
  fc.bigInt({ min: 0n, max: 10n ** 18n }).map((n) => `0.${n}`),
  fc.constantFrom(
    '0',
    '-0',
    '-0.0',
    '00',
    '1.',
    '.5',
    '1e',
    '1E+2',
    '-',
    '127',
    '128',
    '255',
    '256',
  ),
  fc.constantFrom('-32', '-33', '-128', '-129', '-32768', '-32769', '-2147483648', '-2147483649'),
  fc.constantFrom(
    '65535',
    '65536',
    '4294967295',
    '4294967296',
    '999999999999999999',
    '1e400',
    'NaN',
  ),
)
const stringText = fc.oneof(
  fc.string({ maxLength: 40 }).map((s) => JSON.stringify(s)),
  fc.string({ unit: 'binary', maxLength: 40 }).map((s) => JSON.stringify(s)),
  fc.string({ minLength: 250, maxLength: 300 }).map((s) => JSON.stringify(s)),
  fc
    .array(
      fc.constantFrom(
        'a',
        'ä',
        '😀',
        '\\n',
        '\\u00e9',
        '\\ud83d\\ude00',
        '\\ud83d',
        '\\u12',
        '\\x',
        '\t',
        '\u0000',
        '\\/',
        '\\"',
      ),
      { maxLength: 30 },
    )
    .map((parts) => `"${parts.join('')}"`),
)
const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r ')
const { object } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    stringText,
    numberText,
    fc.constantFrom('true', 'false', 'null', 'nul', 'Infinity', 'truee'),
    tie('object'),
    fc
      .tuple(space, fc.array(tie('value'), { maxLength: 20 }))
      .map(([s, a]) => `[${s}${a.join(`,${s}`)}${s}]`),
  ),
  object: fc
    .tuple(
      space,
      fc.array(
        fc.tuple(fc.oneof(stringText, fc.constantFrom('"a"', '"b"', '"time"')), tie('value')),
        {
          maxLength: 20,
        },
      ),
    )
    .map(([s, pairs]) => `{${s}${pairs.map(([k, v]) => `${k}${s}:${s}${v}`).join(`${s},`)}${s}}`),
}))
const options = fc.record({
  timeKey: fc.constantFrom('time', 'a', undefined as unknown as string),
  keepTimeKey: fc.boolean(),
  lenient: fc.boolean(),
})

describe('packing JSON', () => {
  it('packs what is usual', () => {
    const texts = [
      '{}',
      ' { "a" : 1 } ',
      '{"level":"info","status":200,"ok":true,"no":null,"f":false,"t":0.25,"n":-1.5e3}',
      '{"log":"line\\n\\u00e9\\ud83d\\ude00 ä 😀\\t","stream":"stdout","time":"2024-01-02T03:04:05.678Z"}',
      JSON.stringify({ a: { b: [1, [2, { c: {} }], []] }, d: 'x'.repeat(70_000).slice(0, 60_000) }),
      JSON.stringify(
        Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, i * 1000])),
      ),
      JSON.stringify({ a: Array.from({ length: 300 }, (_, i) => i - 150) }),
    ]
    for (const text of texts) {
      expect([text, expectSame(text)]).toEqual([text, true])
      expect(expectSame(text, { timeKey: 'time' })).toBe(true)
    }
    expect(pack(texts[3]!, { timeKey: 'time' })?.time).toBe('2024-01-02T03:04:05.678Z')
  })

  const left: [string, string][] = [
    ['no object', '[{"a":1}]'],
    ['a key twice', '{"a":1,"b":2,"a":3}'],
    ['a key twice inside', '{"x":{"abcdefghijkl":1,"b":2,"abcdefghijkl":3}}'],
    ['what follows', '{"a":1} x'],
    ['many digits', '{"a":0.12345678901234567890}'],
    ['half a pair', '{"a":"\\ud83d"}'],
    ['NUL inside', '{"a":"\u0000"}'],
    ['NUL behind', '{"a":1}\u0000'],
    ['too deep', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`],
    ['too long', JSON.stringify({ a: 'x'.repeat(70_000) })],
    ['nothing', ''],
    ['a comma', '{"a":1,}'],
  ]
  it.each(left)('leaves %s', (_, text) => {
    expect(pack(text)).toBeUndefined()
  })

  it('packs as the reader and the encoder do', () => {
    let packed = 0
    fc.assert(
      fc.property(object, options, (text, with_) => {
        if (expectSame(text, with_)) packed += 1
      }),
      { numRuns: runs },
    )
    expect(packed).toBeGreaterThan(runs / 20)
  })

  it('packs numbers as Number reads them', () => {
    let packed = 0
    fc.assert(
      fc.property(numberText, (number) => {
        if (expectSame(`{"n":${number}}`)) packed += 1
      }),
      { numRuns: 5 * runs },
    )
    expect(packed).toBeGreaterThan(2 * runs)
    // Halfway between two floats, and next to that.
    for (const n of [
      '9007199254740993',
      '9007199254740992.9',
      '9007199254740993.001',
      '1700000000.1234567',
    ]) {
      expect(expectSame(`{"n":${n}.0}`.replace(/(\..*)\.0/, '$1'))).toBe(true)
    }
  })

  it('packs any JSON that JSON.stringify writes', () => {
    let packed = 0
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 20 }),
        (value) => {
          if (expectSame(JSON.stringify(value), { timeKey: 'a' })) packed += 1
        },
      ),
      { numRuns: runs },
    )
    expect(packed).toBeGreaterThan(runs / 10)
  })

  it('packs nothing else of bytes that are changed or cut', () => {
    const start = Buffer.from(
      '{"log":"a\\n\\u00e9 ä€😀","n":-12.5e3,"m":[1,2,{"x":null}],"time":"2024","t":true}',
    )
    fc.assert(
      fc.property(fc.nat(start.length), fc.nat(255), fc.nat(start.length), (at, byte, length) => {
        const bytes = Buffer.from(start)
        if (at < bytes.length) bytes[at] = byte
        expectSame(bytes, { timeKey: 'time' })
        expectSame(bytes.subarray(0, length), { timeKey: 'time' })
      }),
      { numRuns: runs },
    )
  })
})
