import { describe, expect, test } from 'vitest'
import { glob, matches } from '../../../src/config/glob.ts'

const tree: Readonly<Record<string, readonly string[]>> = {
  '.': ['a.conf', 'b.conf', '.hidden.conf', 'c.txt', 'dir'],
  dir: ['x.conf', 'deep'],
  'dir/deep': ['y.conf'],
  '/etc': ['a.conf', 'z'],
  '/etc/z': ['q.conf'],
}
const files = { listDir: (path: string) => tree[path] }

describe('glob', () => {
  test.each([
    ['*.conf', ['a.conf', 'b.conf']],
    ['.*.conf', ['.hidden.conf']],
    ['?.conf', ['a.conf', 'b.conf']],
    ['[!a].conf', ['b.conf']],
    ['[a-c].*', ['a.conf', 'b.conf', 'c.txt']],
    ['{a,c}.{conf,txt}', ['a.conf', 'c.txt']],
    ['dir/*.conf', ['dir/x.conf']],
    ['*/x.conf', ['dir/x.conf']],
    ['**/*.conf', ['a.conf', 'b.conf', 'dir/deep/y.conf', 'dir/x.conf']],
    ['/etc/*/*.conf', ['/etc/z/q.conf']],
    ['nothing/*', []],
  ])('%s', (pattern, expected) => {
    expect(glob(pattern, files)).toEqual(expected)
  })

  test('a pattern full of stars stays cheap', () => {
    expect(matches(`${'*a'.repeat(100)}b`, 'a'.repeat(5000))).toBe(false)
  })

  test('too many alternatives are refused', () => {
    expect(() => glob('{a,b}'.repeat(12), files)).toThrow(RangeError)
  })
})
