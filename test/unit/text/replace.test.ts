import { describe, expect, it } from 'vitest'
import { compileRegexp } from '../../../src/text/regexp.ts'
import { fillReplacement, parseReplacement, replaceFound } from '../../../src/text/replace.ts'

describe('find', () => {
  it('gives what groups hold by number, from a place on', () => {
    const matcher = compileRegexp('/(a)(x)?(b+)/')
    expect(matcher.groupNames).toEqual([undefined, undefined, undefined])
    expect(matcher.find('-abb-ab')).toEqual({
      start: 1,
      end: 4,
      captures: ['abb', 'a', undefined, 'bb'],
    })
    expect(matcher.find('-abb-ab', 2)).toMatchObject({ start: 5, end: 7 })
    expect(matcher.find('-abb-ab', 6)).toBeUndefined()
  })

  it('gives plain groups no number beside named ones', () => {
    const matcher = compileRegexp('/(?<one>a)(-)(?<two>b)/')
    expect(matcher.groupNames).toEqual(['one', 'two'])
    expect(matcher.find('a-b')?.captures).toEqual(['a-b', 'a', 'b'])
  })

  it('looks at what stands before the place', () => {
    expect(compileRegexp('/^b/').find('ab', 1)).toBeUndefined()
    expect(compileRegexp('/^b/').find('a\nb', 1)).toMatchObject({ start: 2 })
    expect(compileRegexp('/(?<=a)b/').find('ab', 1)).toMatchObject({ start: 1 })
  })
})

describe('replaceFound as Ruby’s gsub', () => {
  it.each([
    ['/o/', '0', 'foo boo', 'f00 b00'],
    ['/(a)(b)?/', '[\\1\\2]', 'abac', '[ab][a]c'],
    ['/x*/', '-', 'abc', '-a-b-c-'],
    ['/x*/', '-', '😀', '-😀-'],
    ['/^/', '> ', 'a\nb', '> a\n> b'],
    ['/(?<start>.+).{2}(?<end>.)$/', '\\k<start>or\\k<end>', 'hooge', 'hoore'],
    ['/a/', '\\0\\0\\&\\\\1\\9\\x', 'a', 'aaa\\1\\x'],
    ['/(a)/', '\\k<none>|\\k<1>', 'a', '|a'],
    ['/z/', 'y', 'abc', 'abc'],
  ])('%s with %s: %s becomes %s', (expression, replacement, text, wanted) => {
    const matcher = compileRegexp(expression)
    const parts = parseReplacement(replacement, matcher)
    expect(replaceFound(text, matcher, (found) => fillReplacement(parts, found))).toBe(wanted)
  })

  it('replaces the first place alone where that is asked', () => {
    expect(replaceFound('aa', compileRegexp('a'), () => 'b', { all: false })).toBe('ba')
  })
})
