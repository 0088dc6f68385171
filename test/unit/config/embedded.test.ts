import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EmbeddedError, evaluateEmbedded } from '../../../src/config/embedded.ts'

const world = {
  env: { A: 'a b', EMPTY: '', N: '42', HOST: 'web-1.example.com' },
  hostname: 'box',
  workerId: '3',
}

function evaluate(code: string) {
  const { end, ...outcome } = evaluateEmbedded(`"#{${code}}"`, 3, world)
  expect(end).toBe(3 + code.length)
  return outcome
}

describe('embedded expressions', () => {
  test.each([
    ["ENV['A']", 'a b'],
    ['ENV["A"]', 'a b'],
    [" ENV[ 'A' ] ", 'a b'],
    ["ENV['MISSING']", ''],
    ["ENV['MISSING'] || 'x'", 'x'],
    ["ENV['EMPTY'] || 'x'", ''],
    ["ENV['MISSING'] || ENV['N'] || 1", '42'],
    ["ENV.fetch('A')", 'a b'],
    ["ENV.fetch('MISSING', 'd')", 'd'],
    ["ENV.fetch('MISSING', nil)", ''],
    ["ENV['toString'] || 'none'", 'none'],
    ['hostname', 'box'],
    ['Socket.gethostname', 'box'],
    ["hostname.upcase + '-' + worker_id", 'BOX-3'],
    ["ENV['HOST'].split('.')[0]", 'web-1'],
    ["ENV['HOST'].split('.').first.capitalize", 'Web-1'],
    ["ENV['HOST'].split('.').last", 'com'],
    ["[1, 'b', nil].join('-')", '1-b-'],
    ['1 + 2 * 3 - -4', '11'],
    ['(1 + 2) * 3', '9'],
    ['-7 / 2', '-4'],
    ['-7 % 3', '2'],
    ["ENV['N'].to_i + 1", '43'],
    ["'it\\'s'", "it's"],
    ['"a\\tb"', 'a\tb'],
    ["ENV['N'] == '42'", 'true'],
    ["ENV['N'] != '42'", 'false'],
    ['nil', ''],
    ["' x '.strip", 'x'],
  ])('%s is %j', (code, text) => {
    expect(evaluate(code)).toEqual({ kind: 'text', text })
  })

  test('use_nil and use_default count only where they are reached', () => {
    expect(evaluate('use_nil')).toEqual({ kind: 'nil' })
    expect(evaluate("ENV['MISSING'] || use_default")).toEqual({ kind: 'default' })
    expect(evaluate("ENV['A'] || use_nil")).toEqual({ kind: 'text', text: 'a b' })
  })

  test.each([
    ['Time.now', /cannot have `Time.now`/],
    ['system("ls")', /cannot have `system\(`/],
    ["ENV.fetch('MISSING')", /MISSING is not set/],
    ["ENV['A'", /cannot have/],
    ['1 / 0', /divided by 0/],
    ["1 + 'a'", /integers/],
    ['[1]', /makes an array/],
    ["ENV['MISSING'].upcase", /needs a text, but got nil/],
    ['hostname.constructor', /cannot have `\.constructor`/],
    ['hostname.to_s.foo', /cannot have `\.foo`/],
    ['99999999999999999999', /cannot have/],
    ['999999999999999 * 999999999999999', /too large/],
    ['"a#{1}"', /no plain end/],
    ['', /cannot have `}`/],
    ['('.repeat(200), /too deep/],
  ])('%s is refused', (code, message) => {
    expect(() => evaluateEmbedded(`#{${code}}`, 2, world)).toThrow(message)
  })

  test('whatever is written, it ends with a value or an EmbeddedError', () => {
    const word = fc.constantFrom(
      "ENV['A']",
      '||',
      '+',
      '-',
      '[',
      ']',
      '(',
      ')',
      '.',
      ',',
      "'x'",
      '"',
      '1',
      ' ',
      '}',
      'hostname',
      '.join',
      'nil',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        try {
          evaluateEmbedded(words.join(''), 0, world)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(EmbeddedError)
        }
      }),
    )
  })
})
