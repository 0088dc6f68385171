import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ConfigInput, parseConfig } from '../../../src/config/index.ts'
import { configLimits } from '../../../src/config/limits.ts'

function input(text: string, more: Partial<ConfigInput> = {}): ConfigInput {
  const nothing = { readFile: () => undefined, listDir: () => undefined }
  return { path: 'fluent.conf', text, env: {}, hostname: 'box', ...nothing, ...more }
}

describe('parseConfig', () => {
  test('-i adds text behind the file, a BOM is left out', () => {
    const { root, errors } = parseConfig(
      input('\ufeff<source>\n</source>', { inlineConfig: '<match **>\\n@type null\\n</match>' }),
    )
    expect(errors).toEqual([])
    expect(root.children.map(({ name }) => name)).toEqual(['source', 'match'])
  })

  test('files of the include directory are read behind the first one, each once', () => {
    const files: Record<string, string> = {
      '/etc/x/b.conf': '<match b>\n</match>',
      '/etc/x/a.yaml': 'config:\n  - match:\n      $tag: a\n',
      '/etc/x/sub/c.conf': '<match c>\n</match>',
      '/etc/x/note.txt': '<broken',
    }
    const directories: Record<string, string[]> = {
      '/etc/x': ['b.conf', 'a.yaml', 'sub', 'note.txt'],
      '/etc/x/sub': ['c.conf'],
    }
    const {
      root,
      errors,
      files: read,
    } = parseConfig(
      input('<system>\nconfig_include_dir /etc/x/\n</system>\n@include /etc/x/b.conf\n', {
        readFile: (path) => files[path],
        listDir: (path) => directories[path],
      }),
    )
    expect(errors).toEqual([])
    expect(root.children.map(({ argument }) => argument)).toEqual(['', 'b', 'a', 'c'])
    expect(read).toEqual(['fluent.conf', '/etc/x/b.conf', '/etc/x/a.yaml', '/etc/x/sub/c.conf'])
  })

  test('an empty config_include_dir reads none', () => {
    const listDir = () => ['x.conf']
    const text = '<system>\nconfig_include_dir ""\n</system>\n'
    expect(parseConfig(input(text, { listDir })).files).toEqual(['fluent.conf'])
  })

  test('a file that cannot be read is an error of its @include', () => {
    const { errors } = parseConfig(
      input('@include a.conf', {
        readFile: () => {
          throw new Error('EACCES: permission denied')
        },
      }),
    )
    expect(errors.map(({ message }) => message)).toEqual([
      'include error a.conf - EACCES: permission denied',
    ])
  })

  test('includes are bounded in depth', () => {
    const readFile = (path: string) => `@include ${Number.parseInt(path, 10) + 1 || 1}.conf`
    const { errors } = parseConfig(input('@include 0.conf', { readFile }))
    expect(errors[0]?.message).toMatch(/include files more than/)
  })

  test.each([
    ['v1', '<a>\n'.repeat(100_000)],
    ['v1', '<a '.repeat(100_000)],
    ['v1', 'x ['.repeat(100_000)],
    ['v1', `x "${'#{('.repeat(100_000)}`],
    ['v1', `x ${'#'.repeat(1_000_000)}`],
    ['v1', `x ${' '.repeat(1_000_000)}y`],
    ['v1', '</a>\n'.repeat(100_000)],
    ['yaml', `config: {${Array.from({ length: 10_000 }, (_, i) => `k${i}: 1`).join(', ')}}`],
    ['yaml', `config: [${'{source: {a: 1}}, '.repeat(4_000)}]`],
    ['yaml', '['.repeat(200_000)],
    ['yaml', '- '.repeat(200_000)],
    ['yaml', `${' '.repeat(100_000)}a: 1`],
    ['yaml', 'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nconfig: [*c, *c]\n'],
  ] as const)(
    'hostile text ends with errors, soon (%s %#)',
    (type, text) => {
      const started = performance.now()
      const { errors } = parseConfig(input(text), type)
      expect(errors.length).toBeLessThanOrEqual(configLimits.errors + 1)
      expect(errors.length + text.trim().length).toBeGreaterThan(0)
      expect(performance.now() - started).toBeLessThan(20_000)
    },
    30_000,
  )

  const v1Token = fc.constantFrom(
    '<source>',
    '</source>',
    '<match **>',
    '</match>',
    '<',
    '>',
    '\n',
    ' ',
    '@type x',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    '#',
    '"#{',
    '}"',
    '\\',
    'a b',
    '@include x',
    '\v',
    '\u00a0',
    '\r',
    ',',
    ':',
  )
  const yamlToken = fc.constantFrom(
    'config:',
    '\n',
    '  ',
    '- ',
    'source:',
    '$type: x',
    '[',
    ']',
    '{',
    '}',
    '&a',
    '*a',
    '<<: ',
    '!include x',
    '!fluent/s "#{',
    '"',
    "'",
    ': ',
    ', ',
    '|',
    '? ',
  )

  test.each([
    ['v1', v1Token],
    ['yaml', yamlToken],
  ] as const)('any text of %s gives a tree or errors, never a throw', (type, token) => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        const { root, errors } = parseConfig(input(tokens.join('')), type)
        expect(root.name).toBe('ROOT')
        for (const { position } of errors) expect(position?.line).toBeGreaterThan(0)
      }),
      { numRuns: 1000 },
    )
  })
})
