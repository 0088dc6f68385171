import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MsgFloat, type MsgValue } from '../../../src/core/value.ts'
import { JsonError, parseJson } from '../../../src/text/json.ts'

/** What JSON.parse would give, so that the two can be compared. */
function plain(value: MsgValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
  }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'bigint') return Number(value)
  return value instanceof MsgFloat ? value.value : value
}

/** What is thrown for the text; only JsonError may be. */
function refusal(text: string | Uint8Array): string | undefined {
  try {
    parseJson(text)
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError)
    return (error as JsonError).code
  }
}

const document = fc.json({ depthSize: 'medium' })

describe('parseJson, as a property', () => {
  it('agrees with JSON.parse, from text and from bytes', () => {
    fc.assert(
      fc.property(document, (text) => {
        fc.pre(!/-0\b|__proto__|\\ud[89a-f]/i.test(text))
        expect(plain(parseJson(text))).toEqual(JSON.parse(text))
        expect(parseJson(Buffer.from(text))).toEqual(parseJson(text))
      }),
      { numRuns: 300, seed: 7 },
    )
  })

  it('finds every truncation of an object or array incomplete', () => {
    fc.assert(
      fc.property(document, (json) => {
        const text = `[${json},{"k":${json}}]`
        for (let end = 0; end < text.length; end += 1 + Math.floor(text.length / 40)) {
          expect(refusal(text.slice(0, end))).toBe('incomplete')
        }
      }),
      { numRuns: 60, seed: 8 },
    )
  })

  it('throws nothing but JsonError for any bytes', () => {
    const token = fc.constantFrom(
      ...'{}[],:"\\-+.0159eEtrufalsn\n\u0000 '.split(''),
      'é',
      '\\u',
      'true',
    )
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        refusal(tokens.join(''))
      }),
      { numRuns: 2000, seed: 9 },
    )
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        refusal(bytes)
        refusal(Buffer.concat([Buffer.from('{"a":"'), bytes, Buffer.from('"}')]))
      }),
      { numRuns: 1000, seed: 10 },
    )
  })

  it('is linear in texts made to hurt', () => {
    const hostile = [
      '['.repeat(1e6),
      '"'.repeat(1e6),
      '9'.repeat(1e6),
      `"${'\\u0041'.repeat(2e5)}`,
      ' '.repeat(1e6),
      '{"a":'.repeat(2e5),
      `-${'0'.repeat(1e6)}`,
      `1e${'9'.repeat(1e6)}`,
    ]
    for (const text of hostile) refusal(text)
    expect(parseJson(`1${'0'.repeat(1e5)}`)).toBe(Number.POSITIVE_INFINITY)
  })
})
