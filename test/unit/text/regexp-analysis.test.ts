import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRegexp } from '../../../src/text/regexp.ts'
import { anyRun, linearity } from '../../../src/text/regexp-analysis.ts'
import { createEngines, engineFor } from '../../../src/text/regexp-engine.ts'
import { regexpInputLimitChars } from '../../../src/text/regexp-limits.ts'
import { parseRegexp } from '../../../src/text/regexp-parse.ts'
import { compileProgram } from '../../../src/text/regexp-program.ts'
import { Backtracker } from '../../support/backtracker.ts'

const plain = { ignoreCase: false, multiline: false, extended: false }

const judged = new Map<string, ReturnType<typeof judgeNow>>()

function judge(source: string, oneLine = true) {
  const key = `${oneLine}${source}`
  const known = judged.get(key) ?? judgeNow(source, oneLine)
  judged.set(key, known)
  return known
}

function judgeNow(source: string, oneLine: boolean) {
  const tree = parseRegexp(source, plain)
  const program = compileProgram(tree)
  return { tree, program, found: linearity(tree, program, oneLine) }
}

/** The expressions that a file of ours holds as texts. */
function readExpressions(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/'\/((?:\^|\\\\A).*)\/m?'/g)].map((m) => m[1]!.replaceAll('\\\\', '\\'))
}

const [apache = '', apacheError = '', nginx = ''] = readExpressions('src/parsers/regexp.ts')
const [apache2 = ''] = readExpressions('src/parsers/apache2.ts')
const [rfc3164 = '', rfc5424 = ''] = readExpressions('src/parsers/syslog.ts')
const formats = { apache, apacheError, nginx, apache2, rfc3164, rfc5424 }

describe('linearity', () => {
  // The white space in a row up to which it is linear; 0: it is not.
  const cases: [string, number][] = [
    ['error|warn', anyRun],
    ['^[45]', anyRun],
    ['^(?<a>.*?) (?<b>.*)$', anyRun],
    ['^(?<time>\\d{4}-\\d\\d-\\d\\d) (?<level>\\w+): (?<msg>.*)$', anyRun],
    ['\\bfoo\\b', anyRun],
    ['\\d{1,3}\\.\\d{1,3}', anyRun],
    ['\\d+', anyRun],
    ['\\d+$', 0],
    ['^\\d+$', anyRun],
    ['(a+)+$', 0],
    ['(a+)+', anyRun],
    ['(?:a|a)*b', 0],
    ['(a|aa)+$', 0],
    ['(?:a?){30}a{30}', 0],
    ['^(.*),(.*),(.*)$', anyRun],
    ['^(.*),(.*),(.*)x$', 0],
    ['.*.*=.*', 0],
    ['a*a*b', 0],
    ['^a*a*b', 0],
    ['a+b', 0],
    ['^a+b', anyRun],
    ['[^=]*=', 0],
    ['\\s+$', 2],
    ['^(?<a>.*?)\\s+(?<b>.*?)\\s+x$', 0],
    ['^(?<a>[^ ]*) +(?<b>[^ ]*) +x$', 2],
    ['^(?<a>\\S*) (?<b>[^"]*?)(?: +\\S*)?"$', 2],
    ['^([^,]*),([^,]*),(.*)$', anyRun],
    ['(a*)*', 0],
    ['(a)\\1', 0],
    ['^(?:(a)|b)*$', 0],
    ['^[éa]*[üa]*$', 0],
    // What a condition leads to is not certain.
    ['[^a]+\\z(?:a|[^a])', 0],
    // Whatever comes later than what matches for certain is never tried.
    ['^(?<ident>[^ ]*)(?:[^:]*:)? *(?<message>.*)$', anyRun],
    ['^(?<ident>[^ ]*)(?:[^:]*:)? *(?<message>.*)x$', 0],
    [apache, 2],
    [apacheError, anyRun],
    [nginx, 1],
    [apache2, 1],
    [rfc3164, anyRun],
    [rfc5424, anyRun],
  ]
  it.each(cases)('%s: %s', (source, expected) => {
    expect(source).not.toBe('')
    expect(judge(source).found?.spaceRun ?? 0).toBe(expected)
  })

  const repeated: [string, boolean][] = [
    ['\\d+', true],
    [',\\s*', true],
    ['\\s+', true],
    ['[a-z]+', true],
    ['a.*?b', false],
    ['a(?:.*b)?', false],
    ['a(?:.*b)?\\b', false],
    ['(?:ab.*q|ab\\b|b)', false],
    ['a(?:b*c)?', false],
  ]
  it.each(repeated)('%s again and again: %s', (source, expected) => {
    expect(judge(source).found?.repeated ?? false).toBe(expected)
  })
})

const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[^ ]', '\\S', '\\s', ' ', '"', 'é')
const anchor = fc.constantFrom('^', '$', '\\A', '\\z', '\\b', '(?<=a)')
const times = fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{2,}')
const pattern: fc.Arbitrary<string> = fc.letrec<{ full: string; any: string }>((tie) => ({
  full: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    piece,
    fc
      .tuple(piece, times)
      .map(([a, t]) => `${a}${t}`)
      .filter((p) => !/[*?]\??$|\{0/.test(p)),
    fc.tuple(tie('full'), tie('full')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('full'), tie('full')).map(([a, b]) => `(?:${a}|${b})`),
  ),
  any: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    tie('full'),
    anchor,
    fc.tuple(piece, times).map(([a, t]) => `${a}${t}`),
    fc.tuple(tie('full'), times).map(([a, t]) => `(?:${a})${t}`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(?:${a}|${b})`),
  ),
})).any

/** Something, something again and again, something. */
function pumped(parts: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> {
  const text = fc.array(parts, { maxLength: 4 }).map((p) => p.join(''))
  return fc
    .tuple(
      text,
      text,
      fc.integer({ min: 1, max: most }),
      text,
      fc.integer({ min: 1, max: most }),
      text,
    )
    .map(([a, b, n, c, m, d]) => `${a}${b.repeat(n)}${c.repeat(m)}${d}`)
}

/** Characters taken at each place of a text, at worst: by the ways alive, and by a loop to the end that cannot fail. */
const perCharacter = 16 + 1

function searchAll(backtracker: Backtracker, text: string): void {
  for (let from = 0; from <= text.length; ) {
    const found = backtracker.find(text, from)
    if (found === undefined) return
    from = Math.max(found.end, from + 1)
  }
}

function expectLinear(source: string, text: string): boolean {
  const { program, found } = judge(source, !text.includes('\n'))
  if (found === undefined) return false
  if (found.spaceRun !== anyRun && new RegExp(`\\s{${found.spaceRun + 1}}`).test(text)) return false
  const limit = perCharacter * (text.length + 1)
  new Backtracker(program, limit).find(text)
  if (found.repeated) searchAll(new Backtracker(program, 2 * limit), text)
  return true
}

describe('an engine that backtracks takes a bounded number of characters', () => {
  it('for any expression that is called linear', () => {
    const parts = fc.constantFrom('a', 'b', ' ', '"', 'é', '\n', '\t')
    let tried = 0
    fc.assert(
      fc.property(
        pattern,
        fc.array(pumped(parts, 200), { minLength: 5, maxLength: 5 }),
        (p, texts) => {
          for (const text of texts) if (expectLinear(p, text)) tried += 1
        },
      ),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 400) },
    )
    expect(tried).toBeGreaterThan(100)
  })

  it.each(Object.entries(formats))('for %s', (_, source) => {
    const parts = fc.constantFrom(
      'a',
      '- ',
      ' ',
      '"',
      '" "',
      '\\"',
      ' "',
      '[',
      ']',
      '[a] "',
      '\t',
      ':',
    )
    const start = fc.constantFrom('', 'a - b [c] "', 'a - b [c] "G /x HTTP" 1 2 "', '[a b] [c] ')
    fc.assert(
      fc.property(start, pumped(parts, 300), (a, b) => {
        expectLinear(source, `${a}${b}`)
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 150) },
    )
  })
})

describe('expressions of formats', () => {
  it('go to the native engine with lines as they are, and to ours with repeated white space', () => {
    const engines = createEngines(judge(nginx).tree, true)
    const line =
      '127.0.0.1 - - [28/Feb/2013:12:00:00 +0900] "GET / HTTP/1.1" 200 777 "-" "Opera/12.0"'
    expect(engineFor(engines, line, false)).toBe(engines.native)
    for (const odd of ['  ', ' \t', '\t\t', '\r ']) {
      expect(engineFor(engines, line.replace('GET ', `GET${odd}`), false)).toBe(engines.linear())
    }
  })

  it('find the same in both', () => {
    const parts = fc.constantFrom(
      'a',
      '-',
      ' ',
      '"',
      '" "',
      '\\"',
      ' "',
      '[',
      ']',
      '] "',
      '  ',
      ':',
    )
    const lines = fc.array(parts, { maxLength: 30 }).map((p) => `a - b [c] "${p.join('')}`)
    const all = Object.values(formats).map((source) => createEngines(judge(source).tree, true))
    fc.assert(
      fc.property(lines, (line) => {
        for (const { native, linear } of all) {
          expect(native?.match(line)).toEqual(linear().match(line))
        }
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
    )
  })

  it.each(Object.entries(formats))('%s ends on lines of a megabyte', (_, source) => {
    const matcher = compileRegexp(`/${source}/`)
    const pumps = [' ', 'a', 'a ', '"', '\\"', '" "', ' "', '\t', '[', '[a] ', ':', 'é']
    const starts = [
      '',
      'a - b [c] "',
      'a - b [c] "G /x',
      'a - b [c] "G /x HTTP" 1 2 "',
      '[a b] [c] ',
    ]
    for (const start of starts) {
      for (const pump of pumps) {
        const length = regexpInputLimitChars - start.length - 1
        matcher.test(`${start}${pump.repeat(Math.floor(length / pump.length))}\u0001`)
      }
    }
  })

  it('all finds of an expression that looks far ahead take linear time', () => {
    const text = 'a'.repeat(200_000)
    expect(compileRegexp('/a(?:.*b)?/').split(`x${text}`)).toEqual(['x'])
    const matcher = compileRegexp('/a(?:.*b)?/')
    let finds = 0
    for (let at = 0; matcher.find(text, at) !== undefined; at++) finds += 1
    expect(finds).toBe(text.length)
  })
})
