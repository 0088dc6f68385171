import { describe, expect, test } from 'vitest'
import { renderAll, renderError } from '../../../src/config/diagnostics.ts'
import { SourceText } from '../../../src/config/source-text.ts'
import { ConfigError } from '../../../src/core/errors.ts'

describe('diagnostics', () => {
  test('without a place there is only the message', () => {
    expect(renderError(new ConfigError('no sources', { hint: 'add one' }))).toBe(
      'no sources\n  add one',
    )
  })

  test('tabs and control characters do not move the caret', () => {
    const source = new SourceText('f.conf', '\tport\t\u001b[31mx')
    const position = source.position(6, 5)
    expect(renderError(new ConfigError('wrong', { position }))).toBe(
      'f.conf:1:7: wrong\n  1 |  port  [31mx\n    |       ^^^^^',
    )
  })

  test('a long line is cut around the caret', () => {
    const source = new SourceText('f.conf', `${'x'.repeat(5000)}!${'y'.repeat(5000)}`)
    const lines = renderError(
      new ConfigError('wrong', { position: source.position(5000, 1) }),
    ).split('\n')
    expect(lines[1]!.length).toBeLessThan(250)
    expect(lines[1]![lines[2]!.indexOf('^')]).toBe('!')
  })

  test('errors come in the order of the file, each once', () => {
    const source = new SourceText('f.conf', 'a\nb\n')
    const at = (offset: number, message: string) =>
      new ConfigError(message, { position: source.position(offset) })
    const text = renderAll([at(2, 'second'), at(0, 'first'), at(2, 'second')])
    expect(text.match(/first|second/g)).toEqual(['first', 'second'])
    expect(text).toMatch(/2 errors in the configuration$/)
  })

  test.each([
    ['password hunter2', 10],
    ['  shared_key: hunter2', 15],
    ['endpoint https://me:hunter2@host/', 10],
    ['aws_sec_key "hunter2" x', 23],
  ])('%s: the secret is not printed', (line, column) => {
    const position = new SourceText('f', line).position(column - 1, 4)
    expect(renderError(new ConfigError('wrong', { position }))).not.toContain('hunter2')
  })

  test('lines end at \\n, \\r and \\r\\n', () => {
    const source = new SourceText('f', 'a\r\nb\rc\nd')
    expect([0, 3, 5, 7].map((offset) => source.position(offset).line)).toEqual([1, 2, 3, 4])
    expect([1, 2, 3, 4].map((line) => source.line(line))).toEqual(['a', 'b', 'c', 'd'])
  })
})
