import { describe, expect, it } from 'vitest'
import { bindPlugin, createRegistry, parseConfig } from '../../../src/config/index.ts'
import { ParserError } from '../../../src/core/parser.ts'
import { parsers } from '../../../src/parsers/index.ts'
import { createTestContext } from '../../support/plugin-context.ts'

function parse(lines: string, text: string) {
  const world = { env: {}, hostname: 'test', readFile: () => undefined, listDir: () => undefined }
  const config = `<parse>\n@type cri\n${lines}\n</parse>\n`
  const { root } = parseConfig({ ...world, path: 'test.conf', text: config })
  const { bound } = bindPlugin('parser', root.children[0]!, createRegistry([...parsers]))
  const { context } = createTestContext({
    createParser: (inner) =>
      parsers.find(({ name }) => name === inner.type)!.create(inner.params as never, context),
  })
  const made = parsers.find(({ name }) => name === 'cri')!.create(bound!.params as never, context)
  return made.parse(text).map((item) => {
    if (item === undefined || item instanceof ParserError) return item?.message
    return [item.time?.seconds, item.time?.nanoseconds, Object.fromEntries(item.record)]
  })
}

describe('cri', () => {
  const time = '2023-11-14T22:13:20.123456789Z'
  it.each<[string, string, string, unknown]>([
    [
      'a line',
      '',
      `${time} stdout F hello world`,
      [1_700_000_000, 123_456_789, { stream: 'stdout', logtag: 'F', message: 'hello world', time }],
    ],
    [
      'without its time',
      'keep_time_key false',
      `${time} stderr P part`,
      [1_700_000_000, 123_456_789, { stream: 'stderr', logtag: 'P', message: 'part' }],
    ],
    [
      'blanks at the beginning, and a zone',
      '',
      '2023-11-15T07:13:20.5+09:00 stdout F   at x',
      [
        1_700_000_000,
        500_000_000,
        { stream: 'stdout', logtag: 'F', message: '  at x', time: '2023-11-15T07:13:20.5+09:00' },
      ],
    ],
    [
      'an empty message',
      'keep_time_key false',
      `${time} stdout F `,
      [1_700_000_000, 123_456_789, { stream: 'stdout', logtag: 'F', message: '' }],
    ],
    ['something else', '', 'not a line', undefined],
    ['something else', '', ` stdout F x`, undefined],
    ['a time that is none', '', 'yesterday stdout F x', 'invalid time format: value = yesterday'],
    [
      'a message that is parsed',
      '<parse>\n@type json\n</parse>',
      `${time} stdout F {"a":1,"time":5.5}`,
      [5, 500_000_000, { a: 1, stream: 'stdout', logtag: 'F' }],
    ],
    [
      'a message that is parsed, alone',
      'merge_cri_fields false\n<parse>\n@type json\n</parse>',
      `${time} stdout F {"a":1,"time":5}`,
      [5, 0, { a: 1 }],
    ],
    [
      'a message that cannot be parsed',
      '<parse>\n@type json\n</parse>',
      `${time} stdout F text`,
      undefined,
    ],
  ])('%s', (_, lines, text, wanted) => {
    expect(parse(lines, text)).toEqual([wanted])
  })
})
