import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/core/errors.ts'
import { compilePattern } from '../../../src/routing/pattern.ts'

/** [pattern, tags it matches, tags it does not]. */
const table: [string, string[], string[]][] = [
  // The golden cases b-match-*, recorded from Fluentd.
  ['a.*', ['a.b', 'a.'], ['a', 'a.b.c', 'ab']],
  ['*.z', ['x.z', '.z'], ['x.y.z', 'z']],
  ['*', ['a', 'q', ''], ['a.b', '.']],
  ['b.*.c', ['b.1.c', 'b..c'], ['b.c', 'b.1.2.c']],
  ['a.**', ['a', 'a.b', 'a.b.c', 'a.'], ['ab', 'b', 'xa']],
  ['m.**.n', ['m.n', 'm.1.n', 'm.1.2.n'], ['mn', 'm.1n', 'mx.n', 'm']],
  ['**.z', ['z', 'q.z', 'q.r.z', '.z'], ['zz', 'q.zz', 'z.q']],
  ['{a,b}.c', ['a.c', 'b.c'], ['c.c', 'ab.c', '.c', '{a,b}.c']],
  ['{x.**,y.*}', ['x', 'x.1.2', 'y.1'], ['y.1.2', 'y', 'z']],
  ['pre{1,2,}.end', ['pre1.end', 'pre2.end', 'pre.end'], ['pre3.end', 'pre12.end']],
  ['', ['a', 'b.c', ''], []],
  ['**', ['a', 'b.c', ''], []],
  ['a b.* c.**', ['a', 'b.1', 'c', 'c.1.2'], ['b', 'a b', 'd']],
  ['d  e', ['d', 'e'], ['', 'f']],
  ['web*.access', ['web1.access', 'web.access'], ['web.1.access', 'xweb.access']],
  ['a+b.c', ['a+b.c'], ['aab.c']],
  ['x.y-*', ['x.y-z', 'x.y-'], ['x.yz', 'x.y-z.1']],
  ['/^(web|db)\\.\\d+$/', ['web.1', 'db.22'], ['web.x', 'xweb.1', 'db.1.2']],
  // fluent/fluentd: lib/fluent/match.rb read as a specification.
  ['a**', ['a', 'ab', 'a.b', 'abc.d'], ['b', 'ba']],
  ['**a', ['a', 'ba', 'x.a', 'x.ba'], ['ab']],
  ['a.**b', ['a.b', 'a.x.b', 'a.xb'], ['ab', 'a']],
  ['***', ['a', 'a.b', ''], []],
  ['**.**', ['a', 'a.b', '', '.'], []],
  ['a.b', ['a.b'], ['axb', 'a.b.c', 'a']],
  ['a.', ['a'], ['a.']],
  ['*.', ['a', ''], ['a.']],
  ['a\\.', ['a.'], ['a']],
  ['\\*', ['*'], ['a', '']],
  ['a\\{b', ['a{b'], ['ab']],
  ['a}', ['a}'], ['a']],
  ['a,b', ['a,b'], ['a', 'b']],
  ['a\\', ['a'], ['a\\']],
  ['{a,{b,c}.d}.e', ['a.e', 'b.d.e', 'c.d.e'], ['b.e', 'd.e']],
  ['{a,b', ['a', 'b'], ['{a,b', 'ab']],
  ['{*,x.**}', ['a', 'x.y.z', ''], ['a.b']],
  ['x{.y,.z.**}', ['x.y', 'x.z', 'x.z.1'], ['x', 'x.y.1']],
  ['/a|b/', ['a', 'axx', 'xxb'], ['x', 'ba']],
  ['/\\h+/', ['0fA'], ['g', '0g']],
  ['docker.**', ['docker.web'], ['2dad5dc6df2a']],
  ['é.*', ['é.1'], ['e.1']],
]

describe('compilePattern', () => {
  for (const [text, yes, no] of table) {
    test(`<match ${text}>`, () => {
      const pattern = compilePattern(text)
      expect(yes.filter((tag) => !pattern.matches(tag))).toEqual([])
      expect(no.filter((tag) => pattern.matches(tag))).toEqual([])
    })
  }

  test.each(['/abc', '/', '/(/', 'a /x'])('refuses %s', (text) => {
    expect(() => compilePattern(text)).toThrow(ConfigError)
  })

  test('takes linear time where a backtracking expression takes cubic', () => {
    const pattern = compilePattern('**.a.**.a.**.a.**.b')
    const steps = countSetUses(() => {
      expect(pattern.matches('a.'.repeat(2_000))).toBe(false)
    })
    expect(steps).toBeLessThan(4_000 * 40)
  })
})

/** Work is counted, not timed: how often the matcher put a state into a set. */
function countSetUses(run: () => void): number {
  const add = Set.prototype.add
  let count = 0
  Set.prototype.add = function (this: Set<unknown>, value: unknown) {
    count++
    return add.call(this, value)
  } as typeof add
  try {
    run()
  } finally {
    Set.prototype.add = add
  }
  return count
}
