import { describe, expect, test } from 'vitest'
import {
  bindConfig,
  bindPlugin,
  createRegistry,
  dumpConfig,
  parseConfig,
  referencePages,
} from '../../../src/config/index.ts'
import * as s from '../../../src/config/schema.ts'
import { testRegistry } from '../../golden-config/plugins.ts'

function parse(text: string) {
  const nothing = { readFile: () => undefined, listDir: () => undefined }
  const parsed = parseConfig({ path: 'f.conf', text, env: {}, hostname: 'box', ...nothing })
  expect(parsed.errors).toEqual([])
  return parsed.root
}

describe('binding', () => {
  test('values know where they were written, defaults do not', () => {
    const root = parse('<source>\n  @type forward\n  port 1\n</source>')
    const { bound } = bindPlugin('source', root.children[0]!, testRegistry)
    expect(bound?.params).toMatchObject({ port: 1, bind: '0.0.0.0' })
    expect(s.positionOf(bound!.params, 'port')).toMatchObject({ line: 3, column: 8, length: 1 })
    expect(s.positionOf(bound!.params, 'bind')).toMatchObject({ line: 1, column: 1, length: 8 })
    expect(s.isWritten(bound!.params, 'port')).toBe(true)
    expect(s.isWritten(bound!.params, 'bind')).toBe(false)
  })

  test('a section of one worker may stand beside those of several', () => {
    const text = `<system>\n  workers 4\n</system>\n<worker 0>\n</worker>\n<worker 0-1>\n</worker>`
    const bind = (more: string) =>
      bindConfig(parse(`${text}\n${more}`), { registry: testRegistry }).errors
    expect(bind('<worker 1>\n</worker>')).toEqual([])
    expect(bind('<worker 1-2>\n</worker>').map(({ message }) => message)).toEqual([
      'specified worker_id<1> collisions is detected on <worker> directive',
    ])
  })

  test.each(['counter_server', 'counter_client'])(
    '<%s>: refused, with what to do instead',
    (name) => {
      const root = parse(`<system>\n  <${name}>\n  port 1\n  </${name}>\n</system>`)
      const [error] = bindConfig(root, { registry: testRegistry }).errors
      expect(error?.message).toContain('count with the prometheus filter')
      expect(error?.position).toMatchObject({ line: 2, column: 3 })
    },
  )

  test('a secret is in no error', () => {
    const registry = createRegistry([
      {
        kind: 'source',
        name: 'x',
        shape: { params: { pin: s.integer({ description: 'PIN.', secret: true }) } },
      },
    ])
    const root = parse('<source>\n  @type x\n  pin 12ab34\n</source>')
    const [error] = bindPlugin('source', root.children[0]!, registry).errors
    expect(error?.message).toBe("'pin' must be an integer")
    expect(error?.position?.text).toBe('  pin xxxxxx')
  })

  test('typed values of YAML reach open sections', () => {
    const text = [
      'config:',
      '  - filter:',
      '      $tag: a',
      '      $type: record_transformer',
      '      record:',
      '        n: 12',
      '        f: 1.0',
      '        big: 12345678901234567890',
      '        b: true',
      '        t: text',
      '        z:',
    ].join('\n')
    const nothing = { readFile: () => undefined, listDir: () => undefined }
    const parsed = parseConfig({ path: 'f.yaml', text, env: {}, hostname: 'box', ...nothing })
    const { bound } = bindPlugin('filter', parsed.root.children[0]!, testRegistry)
    const record = bound?.params.record as {
      extra: Map<string, string>
      extraTyped: Map<string, unknown>
    }
    expect([...record.extra]).toEqual([
      ['n', '12'],
      ['f', '1.0'],
      ['big', '12345678901234567890'],
      ['b', 'true'],
      ['t', 'text'],
      ['z', ''],
    ])
    expect([...record.extraTyped]).toEqual([
      ['n', 12],
      ['f', { value: 1 }],
      ['big', 12345678901234567890n],
      ['b', true],
      ['z', null],
    ])
  })

  test('two plugins of one name are a bug', () => {
    const plugin = { kind: 'filter', name: 'x', shape: { params: {} } } as const
    expect(() => createRegistry([plugin, plugin])).toThrow(/two plugins/)
  })

  test('<system> has a typed face', () => {
    const root = parse('<system>\n  workers 4\n  <log>\n    rotate_size 1m\n  </log>\n</system>')
    const { bound, errors } = bindConfig(root, { registry: testRegistry })
    expect(errors).toEqual([])
    const system = bound!.system
    expect([system.workers, system.logLevel, system.log?.rotateSize]).toEqual([
      4,
      'info',
      1_048_576,
    ])
  })

  test('a dump masks what a schema calls secret and what is named like one, wherever it stands', () => {
    const root = parse(
      [
        '<source>',
        '  @type forward',
        '  <security>',
        '    self_hostname me',
        '    shared_key hunter2',
        '    <user>',
        '      username u',
        '      password hunter2',
        '    </user>',
        '  </security>',
        '</source>',
        '<match **>',
        '  @type unknown',
        '  <auth>',
        '    api_token hunter2',
        '  </auth>',
        '</match>',
      ].join('\n'),
    )
    const dump = dumpConfig(root, testRegistry)
    expect(dump).not.toContain('hunter2')
    expect(dump.match(/xxxxxx/g)).toHaveLength(3)
  })

  test('a dump is a configuration that says the same', () => {
    const root = parse(
      '<match a>\n  b "x\\ty # \\"z\\" \\#{1}"\n  c [1,"a"]\n  d ""\n  e it\'s\n</match>',
    )
    const text = dumpConfig(root, testRegistry).replace(/<\/?ROOT>\n/g, '')
    const again = parse(text)
    const values = (from: typeof root) =>
      from.children[0]!.params.map(({ name, value }) => [name, value])
    expect(values(again)).toEqual(values(root))
  })
})

describe('reference pages', () => {
  test('say everything that a shape declares', () => {
    const pages = referencePages([
      {
        kind: 'output',
        name: 'x',
        summary: 'Sends.',
        shape: {
          params: {
            path: s.string({ description: 'Where|to.', required: true }),
            limit: s.size({
              description: 'Limit.',
              default: 8 * 1024 * 1024,
              differs: 'Ours is 8m.',
            }),
            wait: s.time({ description: 'Wait.', default: 90 }),
            key: s.string({ description: 'Key.', secret: true, ours: true, alias: 'k' }),
          },
          sections: {
            buffer: s.plugin('buffer', {
              description: 'B.',
              argument: 'chunk_keys',
              defaultType: 'memory',
            }),
            user: s.section({ params: {} }, { description: 'U.', multi: true }),
          },
        },
      },
    ])
    expect([...pages.keys()]).toEqual(['outputs/x.md', 'system.md', 'README.md'])
    const page = pages.get('outputs/x.md')!
    for (const part of [
      '| `path` | string | required | Where\\|to. |',
      '| `limit` | size | `8m` | Limit. **Differs from Fluentd:** Ours is 8m. |',
      '| `wait` | time | `90s` | Wait. |',
      "Key. Sluice's own; Fluentd does not know it. Never printed. Also written as `k`.",
      '## `<buffer CHUNK_KEYS>`',
      'Its `@type` is `memory` where none is written.',
      'May stand more than once.',
    ]) {
      expect(page).toContain(part)
    }
  })
})
