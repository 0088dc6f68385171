import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/errors.ts'
import {
  compileRegexp,
  compileRegexpSource,
  RegexpInputError,
  regexpInputLimitChars,
} from '../../../src/text/regexp.ts'

const position = { file: 'f.conf', line: 3, column: 5, length: 4, text: '    pattern x' }

describe('compileRegexp: found or not', () => {
  const cases: [string, string, boolean][] = [
    // literals and options
    ['^[45]', '499', true],
    ['^[45]', '299', false],
    ['/warn|error/', 'an error', true],
    ['a/b', 'xa/b', true],
    ['/a\\/b/', 'a/b', true],
    ['/WARN/i', 'warn', true],
    ['WARN', 'warn', false],
    ['/a b # c\n c/x', 'abc', true],
    ['/[a b]+\\ c/x', 'a c', true],
    // lines: only \n ends one
    ['^b$', 'a\nb\nc', true],
    ['^b$', 'a\rb', false],
    ['^$', 'a\n', false],
    ['a$', 'a\n', true],
    ['\\Ab', 'a\nb', false],
    ['a\\Z', 'a\n', true],
    ['a\\z', 'a\n', false],
    ['a.b', 'a\nb', false],
    ['/a.b/m', 'a\nb', true],
    ['a.b', 'a\u2028b', true],
    ['a.b', 'a😀b', true],
    ['^\\h{4}\\H$', 'dEaDx', true],
    // ASCII classes
    ['^\\w+$', 'é', false],
    ['^\\s$', '\u00a0', false],
    ['^\\d$', '٣', false],
    ['^[[:digit:]]$', '٣', true],
    ['^[[:alpha:][:space:]]+$', 'é x', true],
    ['^[[:^alpha:]]+$', '12', true],
    ['^[[:^alpha:]]+$', 'a', false],
    ['^[[:punct:]]+$', '$+<|~!', true],
    ['^[[:print:]]+$', 'a b', true],
    ['^[[:graph:]]+$', 'a b', false],
    ['^\\p{Alpha}\\p{Lu}\\p{Hiragana}\\p{^Digit}\\P{digit}$', 'aÄあxy', true],
    ['\\bfoo\\b', 'a foo.', true],
    ['\\bfoo\\b', 'éfoo', false],
    ['\\Boo', 'foo', true],
    // sets
    ['^[]a]$', ']', true],
    ['^[a\\]b-]+$', 'a]b-', true],
    ['^[^a-c]$', 'd', true],
    ['^[a-z&&[^aeiou]]+$', 'xyz', true],
    ['^[a-z&&[^aeiou]]+$', 'xay', false],
    ['^[a[0-9]&&[^5]]+$', 'a4', true],
    ['^[a[0-9]&&[^5]]+$', '5', false],
    ['^[(){}|/&.]+$', '(){}|/&.', true],
    ['^[\\x41-\\u0043\\n\\b]+$', 'ABC\n\b', true],
    ['^[a-\\d]+$', 'a-5', true],
    ['^[^\\n]$', '\n', false],
    // escapes
    ['^\\x41\\u00e9\\u{1f600 62}\\t\\e\\101$', 'Aé😀b\t\u001bA', true],
    ['^\\xE3\\x81\\x82$', 'あ', true],
    ['^\\y\\-\\/\\"$', 'y-/"', true],
    ['^\\cA\\C-a$', '\u0001\u0001', true],
    ['^a\\Rb$', 'a\r\nb', true],
    // quantifiers
    ['^a{2}$', 'aa', true],
    ['^a{,2}$', '', true],
    ['^a{,2}$', 'aaa', false],
    ['^a{2,}$', 'aaaa', true],
    ['^a{x}$', 'a{x}', true],
    ['^{1}', 'x', true],
    ['^a{2}?$', '', true],
    ['^(?:ab)+?$', 'abab', true],
    ['^a*+a$', 'aaa', false],
    ['^a++b$', 'aab', true],
    ['^a?+a$', 'a', false],
    ['^(?>a|ab)c$', 'abc', false],
    ['^(a)(?>b(c)d)\\2$', 'abcdc', true],
    ['^(?:a|b)*\\z', 'abab', true],
    ['a**', '', true],
    // groups
    ['(a)\\1', 'aa', true],
    ['(?<x>a|b)\\k<x>', 'ab', false],
    ["(?'x'a|b)\\k'x'", 'bb', true],
    ['a(?#comment \\) more)b', 'ab', true],
    ['^(?=.*b)a', 'ab', true],
    ['(?<!a)b', 'ab', false],
    ['(?<=a)b', 'ab', true],
    ['(?!a)?b', 'b', true],
    // options inside
    ['^(?i)ab$', 'AB', true],
    ['^a(?i)b|c$', 'aC', true],
    ['^a(?i)b|c$', 'AC', false],
    ['^a(?i:b)c$', 'aBc', true],
    ['^a(?i:b)c$', 'aBC', false],
    ['^(?i:[a-c]é)d$', 'BÉd', true],
    ['^(?i:[^a])b$', 'Ab', false],
    ['/^(?-i:a)b$/i', 'aB', true],
    ['/^(?-i:a)b$/i', 'AB', false],
    ['^(?m:a.b).$', 'a\nb\n', false],
    ['^(?mx: a . b )$', 'a\nb', true],
    ['a|', '', true],
    ['^[-a]+$', '-a', true],
    ['^[a-]+$', '-a', true],
    ['^[\\w.-]+$', 'a.b-c', true],
    ['^[\\d\\-]+$', '1-2', true],
    ['^[^"\\\\]+$', 'a"', false],
    ['^{a}$', '{a}', true],
    ['^[ab]*+c$', 'abac', true],
    ['(a)++', 'aa', true],
    ['(|a)b', 'b', true],
  ]
  it.each(cases)('%s on %j: %s', (source, text, found) => {
    expect(compileRegexp(source).test(text)).toBe(found)
  })
})

describe('compileRegexp: groups', () => {
  const cases: [string, string, string[], (string | undefined)[] | undefined][] = [
    ['^(?<a>\\S+) (?<b>.*)$', 'x y z', ['a', 'b'], ['x', 'y z']],
    ['(?<a>x)|(?<b>y)', 'y', ['a', 'b'], [undefined, 'y']],
    ['(p)(?<a>x)', 'px', ['a'], ['x']],
    ['(?<a>x)|(?<a>y)', 'y', ['a'], ['y']],
    ['(?<a>x)(?<a>y)', 'xy', ['a'], ['y']],
    ['(?>(?<a>x+))(?<b>y)', 'xxy', ['a', 'b'], ['xx', 'y']],
    ['(?<b>b)*+(?<c>c)', 'bbc', ['b', 'c'], ['b', 'c']],
    ['(?<a.b>x)(?<__proto__>y)', 'xy', ['a.b', '__proto__'], ['x', 'y']],
    ['(?<日本>x)', 'x', ['日本'], ['x']],
    ['(a)(b)', 'ab', [], []],
    ['^x ?(?<rest>.*)?$', 'x', ['rest'], ['']],
    ['^(?<a>y)?x(?<b>z*)??$', 'x', ['a', 'b'], [undefined, undefined]],
    ['^(?<a>.*)?+x?$', 'x', ['a'], ['x']],
    ['^(?<a>|b)?b$', 'b', ['a'], ['']],
    ['(?<a>x)', 'y', ['a'], undefined],
    ['/^(?<first>.+?)\n(?<second>.*)$/m', 'l1\nl2\nl3', ['first', 'second'], ['l1', 'l2\nl3']],
    ['\\(\\?<no>[(?<no>](?:x)', '(?<no>(x', [], []],
  ]
  it.each(cases)('%s on %j', (source, text, names, values) => {
    const matcher = compileRegexp(source)
    expect(matcher.names).toEqual(names)
    expect(matcher.match(text)).toEqual(values)
  })
})

describe('compileRegexp: split', () => {
  const cases: [string, string, string[]][] = [
    ['[,;]', 'a,b;c', ['a', 'b', 'c']],
    ['\\s+', 'a  b ', ['a', 'b']],
    [',', ',a,,b,,', ['', 'a', '', 'b']],
    [',', '', []],
  ]
  it.each(cases)('%s on %j', (source, text, parts) => {
    expect(compileRegexp(source).split(text)).toEqual(parts)
  })
})

describe('compileRegexp: refused', () => {
  const cases: [string, string][] = [
    ['(', 'unmatched parenthesis'],
    [')', 'unmatched close parenthesis'],
    ['[a', 'premature end of char-class'],
    ['[]', 'empty char-class'],
    ['[b-a]', 'empty range'],
    ['*a', 'target of repeat operator'],
    ['a{200000}', 'too big number'],
    ['\\', 'too short escape'],
    ['\\xff', 'invalid multibyte escape'],
    ['\\u12', 'invalid Unicode escape'],
    ['\\p{Nonsense}', 'unknown character property {Nonsense}'],
    ['[[:nonsense:]]', 'there is no class [:nonsense:]'],
    ['(?<a>x)\\1', 'numbered backref is not allowed'],
    ['(?<a>x)\\k<b>', 'there is no group b'],
    ['(?<>x)', 'group name is empty'],
    ['(?~a)', 'absence operator'],
    ['(?(1)a|b)', 'condition'],
    ['(?<a>x\\g<a>)', 'call of a group'],
    ['a\\Kb', '\\K cannot be used'],
    ['(?u:a)', 'option u cannot be used'],
    ['/abc', 'missing right slash'],
    ['/abc/q', 'unknown option q'],
    [`${'('.repeat(300)}${')'.repeat(300)}`, 'nested too deep'],
    [`${'['.repeat(99)}a${']'.repeat(99)}`, 'nested too deep'],
  ]
  it.each(cases)('%s: %s', (source, words) => {
    const attempt = () => compileRegexp(source, position)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(expect.objectContaining({ position }))
    expect(attempt).toThrow(words)
  })

  it('compiles whatever is written, or is a ConfigError', () => {
    const pieces = 'a [ ] ^ - ( ) ? <n> * + {1, } \\ w && [:alpha:] | . # / >'.split(' ')
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { maxLength: 20 }),
        fc.constantFrom('', 'x', 'imx'),
        (parts, flags) => {
          try {
            expect(compileRegexpSource(parts.join(''), position, flags).flags).toBe(flags)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ConfigError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('does not try an expression on a text without end', () => {
    const matcher = compileRegexp('a$')
    expect(matcher.test('a'.repeat(regexpInputLimitChars))).toBe(true)
    expect(() => matcher.test('a'.repeat(regexpInputLimitChars + 1))).toThrow(RegexpInputError)
  })
})
