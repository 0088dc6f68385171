import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rubyRegexp } from '../../../src/config/regexp.ts'

describe("Ruby's regular expressions", () => {
  test.each([
    // Line anchors always; text anchors.
    ['^b$', '', 'a\nb\nc', 'b'],
    ['\\Ab', '', 'a\nb', undefined],
    ['a\\z', '', 'a\n', undefined],
    ['a\\Z', '', 'a\n', 'a'],
    ['^b', '', 'a\rb', undefined],
    // The dot and m.
    ['a.b', '', 'a\nb', undefined],
    ['a.b', 'm', 'a\nb', 'a\nb'],
    ['a.b', '', 'a\u2028b', 'a\u2028b'],
    ['ABC', 'i', 'xabc', 'abc'],
    // Extended syntax.
    ['a b # comment\n c\\ d', 'x', 'abc d', 'abc d'],
    ['a(?#no)b', '', 'ab', 'ab'],
    // Classes.
    ['\\h+', '', 'xyz12af', '12af'],
    ['[\\h]+', '', 'xyz12af', '12af'],
    ['[[:alpha:]]+', '', '12äb', 'äb'],
    ['[[:^digit:]]+', '', '12ab', 'ab'],
    ['[a-z&&[^aeiou]]+', '', 'aeixyz', 'xyz'],
    ['[]a]+', '', 'x]a', ']a'],
    ['[a-]+', '', 'x-a', '-a'],
    ['[-a]+', '', 'x-a', '-a'],
    ['[\\w.-]+', '', ' a.b-c ', 'a.b-c'],
    ['[\\d\\-]+', '', 'a1-2', '1-2'],
    ['[^"\\\\]+', '', '"ab"', 'ab'],
    ['[(){}|/&]+', '', 'a(){}|/&', '(){}|/&'],
    ['\\s', '', '\u00a0', undefined],
    ['\\p{Alpha}+\\p{Digit}', '', '--ab1', 'ab1'],
    ['\\p{^Alpha}', '', 'a1', '1'],
    ['\\p{Hiragana}', '', 'aあ', 'あ'],
    ['\\x41\\u0042', '', 'AB', 'AB'],
    // Braces and slashes that stand for themselves.
    ['{a}', '', '{a}', '{a}'],
    ['a{,2}b', '', 'aaab', 'aab'],
    ['a{2}', '', 'aaa', 'aa'],
    ['a/b\\/c', '', 'a/b/c', 'a/b/c'],
    ['\\-\\_\\"\\:', '', '-_":', '-_":'],
    // Groups.
    ['(?>a+)ab', '', 'aaab', undefined],
    ['(?>a|ab)c', '', 'abc', undefined],
    ['a++a', '', 'aaa', undefined],
    ['[ab]*+c', '', 'abac', 'abac'],
    ['(a)(?>b)(c)\\2', '', 'abcc', 'abcc'],
    ["(?'x'a)\\k<x>", '', 'aa', 'aa'],
    ['(?<=a)b(?!c)', '', 'abd', 'b'],
    ['a\\R', '', 'a\r\n', 'a\r\n'],
  ])('/%s/%s on %j', (source, flags, text, expected) => {
    expect(rubyRegexp(source, flags).exec(text)?.[0]).toBe(expected)
  })

  test('with named groups, plain parentheses do not capture', () => {
    const match = rubyRegexp('^(?<host>[^ ]*) (-|x) (?<user>[^ ]*)$').exec('h - u')
    expect({ ...match?.groups }).toEqual({ host: 'h', user: 'u' })
    expect(match?.length).toBe(3)
  })

  test.each([
    ['(', /unmatched parenthesis/],
    ['a)', /unmatched parenthesis/],
    ['[a', /premature end of char-class/],
    ['*a', /target of repeat operator/],
    ['(?i)a', /`\(\?i` is not supported/],
    ['\\Ga', /not supported/],
    ['(a)\\2', /invalid backref/],
    ['(a)++', /possessive/],
    ['a\\', /too short escape/],
    ['(?#', /end pattern in group/],
  ])('/%s/ is refused in words', (source, message) => {
    expect(() => rubyRegexp(source)).toThrow(message)
  })

  test('whatever is written, it compiles or is a SyntaxError', () => {
    const piece = fc.constantFrom(
      'a',
      '[',
      ']',
      '^',
      '-',
      '(',
      ')',
      '?',
      '<n>',
      '*',
      '+',
      '{1,',
      '}',
      '\\',
      'w',
      '&&',
      '[:alpha:]',
      '|',
      '.',
      '#',
      '/',
      '>',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.constantFrom('', 'x', 'imx'),
        (pieces, flags) => {
          try {
            expect(rubyRegexp(pieces.join(''), flags)).toBeInstanceOf(RegExp)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(SyntaxError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
