import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRegexp } from '../../../src/text/regexp.ts'
import { emitRegexp, toRegExp } from '../../../src/text/regexp-emit.ts'
import { createEngines, engineFor } from '../../../src/text/regexp-engine.ts'
import { RegexpInputError, regexpBacktrackSteps } from '../../../src/text/regexp-limits.ts'
import { parseRegexp } from '../../../src/text/regexp-parse.ts'
import { compileProgram } from '../../../src/text/regexp-program.ts'
import { Walker } from '../../../src/text/regexp-walk.ts'

const plain = { ignoreCase: false, multiline: false, extended: false }
const mebi = 1024 * 1024

function build(source: string) {
  const tree = parseRegexp(source, plain)
  const program = compileProgram(tree)
  return { tree, program, walker: new Walker(program) }
}

/** Where it begins and ends, and the text of each capture. */
function found(walker: Walker, text: string) {
  const match = walker.match(text)
  if (match === undefined) return null
  const captures: (string | null)[] = []
  for (let i = 2; i < match.length; i += 2) {
    const [start, end] = [match[i]!, match[i + 1]!]
    captures.push(start < 0 || end < 0 ? null : text.slice(start, end))
  }
  return [match[0], match[1], ...captures]
}

const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\s', ' ', 'é', '😀', '\\n')
const anchor = fc.constantFrom('^', '$', '\\b', '\\B', '\\A', '\\z', '\\Z', '(?<=a)', '(?<!b)')
const times = fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{0,2}', '{2,}')

/** Patterns without what JavaScript does otherwise than Ruby: groups inside loops, loops of what may be empty. */
const pattern: fc.Arbitrary<string> = fc.letrec<{ any: string; full: string }>((tie) => ({
  // Takes at least one character and has no groups that capture.
  full: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    piece,
    fc.tuple(tie('full'), tie('full')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('full'), tie('full')).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie('full'), times, piece).map(([a, t, b]) => `(?:${a})${t}${b}`),
  ),
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('full'),
    anchor,
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie('full'), times).map(([a, t]) => `(?:${a})${t}`),
    tie('any').map((a) => `(${a})`),
    tie('full').map((a) => `(?=${a})`),
    tie('full').map((a) => `(?!${a})`),
  ),
})).any

/** Without characters of two units: V8 finds empty matches in their middle, which Ruby does not have. */
const subject = fc
  .array(fc.constantFrom('a', 'a', 'b', ' ', 'é', '\u30a2', '\n'), { maxLength: 10 })
  .map((parts) => parts.join(''))

describe('our engine', () => {
  it("finds what JavaScript's finds, captures included", () => {
    fc.assert(
      fc.property(pattern, fc.array(subject, { minLength: 4, maxLength: 4 }), (source, texts) => {
        const { tree, walker } = build(source)
        const native = toRegExp(emitRegexp(tree, false))
        for (const text of texts) {
          const match = native.exec(text)
          const expected =
            match === null
              ? null
              : [
                  match.index,
                  match.index + match[0].length,
                  ...match.slice(1).map((c) => c ?? null),
                ]
          expect([source, text, found(walker, text)]).toEqual([source, text, expected])
          expect(walker.test(text)).toBe(match !== null)
        }
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 1500) },
    )
  })

  it("splits as JavaScript's does", () => {
    fc.assert(
      fc.property(pattern, subject, (source, text) => {
        const { tree, walker } = build(source)
        const expected = text.split(toRegExp(emitRegexp(tree, false))).map((part) => part ?? '')
        expect([source, text, walker.split(text)]).toEqual([source, text, expected])
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 500) },
    )
  })

  it('finds what Ruby found (test/fixtures/ruby-regexps.jsonl)', () => {
    const cases: { source: string; texts: string[]; found: (unknown[] | null)[] }[] = readFileSync(
      'test/fixtures/ruby-regexps.jsonl',
      'utf8',
    )
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(cases.length).toBeGreaterThan(500)
    for (const { source, texts, found: expected } of cases) {
      const { walker } = build(source)
      const matcher = compileRegexp(`/${source}/`)
      texts.forEach((text, i) => {
        expect([source, text, found(walker, text)]).toEqual([source, text, expected[i]])
        const values = expected[i] === null ? undefined : expected[i]?.slice(2)
        expect([source, text, matcher.match(text)?.map((value) => value ?? null)]).toEqual([
          source,
          text,
          values,
        ])
      })
    }
  })
})

/** The expressions that a file of ours holds as texts. */
function readExpressions(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/'\/(\^.*)\/'/g)].map((m) => m[1]!.replaceAll('\\\\', '\\'))
}

const [apache = '', , nginx = ''] = readExpressions('src/parsers/regexp.ts')
const [apache2 = ''] = readExpressions('src/parsers/apache2.ts')

const lines = {
  a: 'a'.repeat(mebi),
  aThenMark: `${'a'.repeat(mebi - 1)}!`,
  spaces: `a a a [a] "a ${' '.repeat(mebi - 13)}`,
  quotes: `a a a [a] "a ${'\\"'.repeat(mebi / 2 - 8)}`,
  words: 'ab '.repeat(mebi / 3),
  newlines: '\n'.repeat(mebi),
  wide: 'é😀'.repeat(mebi / 3),
}
type Line = keyof typeof lines

/** A walker that has tried the expression on the line, or was cut off. */
function tryOn(source: string, line: Line): Walker {
  const { tree, program, walker } = build(source)
  // What JavaScript's engine is given is proved linear: not these.
  const engines = createEngines(tree, !lines[line].includes('\n'))
  expect(engineFor(engines, lines[line], false) === engines.linear()).toBe(true)
  try {
    walker.match(lines[line])
  } catch (error) {
    expect(error).toBeInstanceOf(RegexpInputError)
    expect(program.exact).toBe(false)
  }
  return walker
}

describe('bounded on hostile lines of a megabyte', () => {
  const readOnce: [string, Line][] = [
    ['(a+)+$', 'aThenMark'],
    ['(a|a)*b', 'a'],
    ['(a|aa)+$', 'aThenMark'],
    ['(.*)(.*)(.*)x', 'wide'],
    ['(\\w+\\s?)+$', 'words'],
    ['\\s+$', 'spaces'],
    ['(?!.*health).*x$', 'a'],
    ['(?=(.*)!).{9}$', 'aThenMark'],
    ['^[^x]*y', 'newlines'],
    [nginx, 'spaces'],
    [apache, 'spaces'],
    [apache2, 'spaces'],
  ]
  it.each(readOnce)('%s on %s: read once', (source, line) => {
    // Beside reading: a few steps to learn what characters lead to.
    expect(tryOn(source, line).steps).toBeLessThan(20_000)
  })

  const cutOff: [string, Line][] = [
    ['(.*)*x', 'a'],
    ['(a*)*$', 'aThenMark'],
    ['(a+)\\1+b', 'a'],
    ['(?<x>.+)\\k<x>\\k<x>!', 'aThenMark'],
    ['(?>a|aa)+b', 'a'],
    ['(?<=a+b)c', 'words'],
    ['a++$', 'aThenMark'],
  ]
  it.each(cutOff)('%s on %s: ends by itself or is cut off', (source, line) => {
    expect(tryOn(source, line).steps).toBeLessThan(regexpBacktrackSteps(mebi) + mebi)
  })

  const behind: [string, string, number[] | undefined][] = [
    ['(?<=^ab)c', 'abc', [2, 3]],
    ['(?<!ab)c', 'abcc', [3, 4]],
    ['(?<=a+)b', 'caab', [3, 4]],
    ['(?<=(?=b)..)d', 'abcd', [3, 4]],
    ['(?<=(?!b)..)d', 'abcd', undefined],
    ['(?<=\\bab|x)c', 'abcxc', [2, 3]],
  ]
  it.each(behind)('%s in %s', (source, text, place) => {
    expect(build(source).walker.match(text)?.slice(0, 2)).toEqual(place)
    const native = toRegExp(emitRegexp(build(source).tree, true)).exec(text)
    expect(native?.index).toBe(place?.[0])
  })

  it('short lines are cut off soon', () => {
    const { walker } = build('(?<x>.+)\\k<x>.+\\k<x>.+\\k<x>!')
    expect(() => walker.match(`${'a'.repeat(500)}!!`.repeat(2).slice(0, -1))).toThrow(
      RegexpInputError,
    )
    expect(walker.steps).toBeLessThan(regexpBacktrackSteps(1003) + 1000)
    expect(walker.test('aababa!')).toBe(true)
  })

  it('forgets what it learnt before that takes much memory', () => {
    const { walker } = build('(?:a|b){14}a(?:a|b)*c?$')
    let bits = 1
    const text = Array.from({ length: 20_000 }, () => {
      bits = (Math.imul(bits, 1103515245) + 12345) & 0x7fffffff
      return (bits >> 16) & 1 ? 'a' : 'b'
    }).join('')
    for (let i = 0; i < 3; i++) {
      expect(walker.match(text)?.slice(0, 2)).toEqual([text.slice(14).indexOf('a'), text.length])
    }
  })

  it('takes characters of two units whole', () => {
    expect(build('.').walker.match('😀')).toEqual([0, 2])
    expect(build('(?!😀)$').walker.match('😀')).toEqual([2, 2])
    expect(build('(?<=^.)(?:.|a)+$').walker.match('😀é😀')).toEqual([2, 5])
  })
})
