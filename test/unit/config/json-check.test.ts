import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonProblem } from '../../../src/config/json-check.ts'

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('jsonProblem', () => {
  test('agrees with JSON.parse on what is JSON', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"a"',
      '"\\n"',
      '"\\x"',
      '1',
      '-0.5e3',
      '01',
      'true',
      'null',
      '\u00a0',
      '\v',
      ' ',
      '\n',
      'x',
      '"',
    )
    const text = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.array(piece, { maxLength: 12 }).map((all) => all.join('')),
    )
    fc.assert(
      fc.property(text, (one) => {
        expect(jsonProblem(one) === undefined).toBe(parses(one))
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['[1, two]', "unexpected token at 'two]'"],
    ['{"a":1', 'unexpected token: it ends too early'],
    ['[1] x', "unexpected token at 'x'"],
    ['['.repeat(1000), "unexpected token at '[[[[[[[[[[[[[[[[[[[[…'"],
  ])('%s', (text, problem) => {
    expect(jsonProblem(text)).toBe(problem)
  })
})
