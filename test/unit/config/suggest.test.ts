import { describe, expect, test } from 'vitest'
import { didYouMean, nearest } from '../../../src/config/suggest.ts'

describe('suggestions', () => {
  test.each([
    ['prot', ['port', 'bind'], ['port']],
    ['FlushInterval', ['flush_interval', 'flush_mode'], ['flush_interval']],
    ['flush-interval', ['flush_interval', 'flush_mode'], ['flush_interval']],
    ['stdotu', ['stdout', 'file'], ['stdout']],
    ['xyz', ['port', 'bind'], []],
    ['', ['port'], []],
    ['a'.repeat(1000), ['port'], []],
  ])('%s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toEqual(expected)
  })

  test('says them as a question', () => {
    expect(didYouMean('fil', ['file', 'fill', 'null'])).toBe('did you mean `file` or `fill`?')
    expect(didYouMean('zzz', ['file'])).toBeUndefined()
  })
})
