import { describe, expect, test } from 'vitest'
import { createApp } from '../../../../src/app.ts'
import { parseConfig } from '../../../../src/config/index.ts'
import type { Batch } from '../../../../src/core/batch.ts'
import { ConfigErrors } from '../../../../src/core/errors.ts'
import type { Kernel } from '../../../../src/kernel/index.ts'
import { rewriteTagFilterOutput } from '../../../../src/outputs/rewrite_tag_filter/index.ts'
import { batchOf, eventsOf } from '../../../support/batches.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { bindText, createTestContext } from '../../../support/plugin-context.ts'
import { createStage } from '../../app-plugins.ts'

const rule = (...lines: string[]) => `<rule>\n${lines.join('\n')}\n</rule>\n`

function create(lines: string, answer?: (batch: Batch) => void | Promise<void>) {
  const failed: { tag: string; message: string }[] = []
  const labelled: Batch[] = []
  const keep = (list: Batch[]) => (batch: Batch) => {
    const taken = answer?.(batch)
    list.push({ ...batch, packed: batch.packed.slice() })
    return taken
  }
  const emitted: Batch[] = []
  const { context, metrics } = createTestContext({
    router: { emit: keep(emitted) },
    route: () => ({ emit: keep(labelled) }),
    emitError: (batch, error) => failed.push({ tag: batch.tag, message: error.message }),
  })
  const bound = bindText(rewriteTagFilterOutput, lines)
  const output = rewriteTagFilterOutput.create!(bound.params as never, context)
  const drops = async () => /reason="not_rewritten"\} (\d+)/.exec(await metrics.expose())?.[1]
  return { output, emitted, labelled, failed, drops }
}

/** `tag: n n` of what went on, n being the records' numbers. */
const told = (batches: readonly Batch[]) =>
  batches.map(
    (b) =>
      `${b.tag}: ${eventsOf(b)
        .map(([, record]) => record.get('n'))
        .join(' ')}`,
  )

function tagsOf(lines: string, tag: string, record: object): string[] {
  const { output, emitted } = create(lines)
  output.emit(batchOf(tag, [record]))
  return emitted.map((batch) => batch.tag)
}

describe('the new tag', () => {
  test.each<[string, string, string, object, string[]]>([
    ['fixed', rule('key a', 'pattern /^x/', 'tag new'), 't', { a: 'xy' }, ['new']],
    ['no rule holds', rule('key a', 'pattern /^x/', 'tag new'), 't', { a: 'y' }, []],
    ['the same tag', rule('key a', 'pattern /./', 'tag ${tag}'), 't', { a: 'y' }, []],
    ['a missing field', rule('key b', 'pattern /^$/', 'tag new'), 't', { a: 'y' }, []],
    ['an empty field', rule('key a', 'pattern /^$/', 'tag new'), 't', { a: '' }, []],
    [
      'groups',
      rule('key domain', 'pattern /^(mail)\\.(example)\\.com$/', 'tag site.$2$1'),
      't',
      { domain: 'mail.example.com' },
      ['site.examplemail'],
    ],
    [
      'groups with capitals',
      `capitalize_regex_backreference yes\n${rule('key d', 'pattern /^(mAIL)\\.(example)/', 'tag s.$2$1')}`,
      't',
      { d: 'mAIL.example' },
      ['s.ExampleMail'],
    ],
    [
      'groups that take no part, or are not there',
      rule('key a', 'pattern /(x)(y)?/', 'tag a$2b$9c$1'),
      't',
      { a: 'x' },
      ['abcx'],
    ],
    [
      'named groups count as numbers',
      rule('key a', 'pattern /(?<one>x)(y)(?<two>z)/', 'tag $1-$2'),
      't',
      { a: 'xyz' },
      ['x-z'],
    ],
    [
      'placeholders',
      rule(
        'key a',
        'pattern /./',
        'tag ${tag_parts[1]}.${tag}.__TAG__.__TAG_PARTS[0]__.${hostname}',
      ),
      'p.q',
      { a: 1 },
      ['q.p.q.p.q.p.sluice.test'],
    ],
    [
      'unknown placeholders are empty',
      rule('key a', 'pattern /./', 'tag a${tag_parts[7]}${nothing}__NOTHING__b'),
      'p.q',
      { a: 1 },
      ['ab'],
    ],
    [
      'what a group holds is not filled in again',
      rule('key a', 'pattern /(.+)/', 'tag x.$1'),
      'p.q',
      { a: '${hostname}' },
      ['x.${hostname}'],
    ],
    [
      'invert',
      rule('key a', 'pattern /^200$/', 'tag no.$1', 'invert true'),
      't',
      { a: 404 },
      ['no.$1'],
    ],
    [
      'invert, found',
      rule('key a', 'pattern /^200$/', 'tag no', 'invert true'),
      't',
      { a: 200 },
      [],
    ],
    ['invert, missing', rule('key a', 'pattern /^200$/', 'tag no', 'invert true'), 't', {}, ['no']],
    [
      'remove_tag_prefix with its dot',
      `remove_tag_prefix apache\n${rule('key a', 'pattern /./', 'tag r.${tag}.${tag_parts[0]}')}`,
      'apache.access',
      { a: 1 },
      ['r.access.access'],
    ],
    [
      'remove_tag_prefix of another tag',
      `remove_tag_prefix nginx\n${rule('key a', 'pattern /./', 'tag r.${tag}')}`,
      'apache.access',
      { a: 1 },
      ['r.apache.access'],
    ],
    [
      'remove_tag_regexp',
      `remove_tag_regexp /^input\\.(apache|nginx)\\./\n${rule('key a', 'pattern /./', 'tag http.${tag}')}`,
      'input.nginx.access.log',
      { a: 1 },
      ['http.access.log'],
    ],
    [
      'hostname -s',
      `hostname_command hostname -s\n${rule('key a', 'pattern /./', 'tag ${hostname}')}`,
      't',
      { a: 1 },
      ['sluice'],
    ],
    [
      'a nested field',
      rule('key $.k.ns', 'pattern ^(.+)$', 'tag $1.${tag}'),
      'k.log',
      { k: { ns: 'default' } },
      ['default.k.log'],
    ],
    [
      'the first rule that holds',
      `${rule('key a', 'pattern /z/', 'tag one')}${rule('key a', 'pattern /x/', 'tag two')}${rule('key a', 'pattern /./', 'tag three')}`,
      't',
      { a: 'x' },
      ['two'],
    ],
  ])('%s', (_, lines, tag, record, wanted) => {
    expect(tagsOf(lines, tag, record)).toEqual(wanted)
  })
})

describe('a batch', () => {
  const lines = rule('key a', 'pattern /^(\\w)$/', 'tag t.$1')
  const records = ['x', 'x', 'y', '-', 'x'].map((a, n) => ({ a, n }))

  test('goes on in one batch a tag, and what no rule wants is counted', async () => {
    const { output, emitted, drops } = create(lines)
    expect(output.emit(batchOf('in', records))).toBeUndefined()
    expect(told(emitted)).toEqual(['t.x: 0 1 4', 't.y: 2'])
    expect(eventsOf(emitted[0]).map(([time]) => time)).toEqual([
      1_700_000_000, 1_700_000_001, 1_700_000_004,
    ])
    expect(await drops()).toBe('1')
  })

  test('goes on in the order of the events with emit_mode record', () => {
    const { output, emitted } = create(`emit_mode record\n${lines}`)
    output.emit(batchOf('in', records))
    expect(told(emitted)).toEqual(['t.x: 0 1', 't.y: 2', 't.x: 4'])
  })

  test('goes where each rule’s label leads, also with its old tag', () => {
    const { output, emitted, labelled } = create(
      `${rule('key a', 'pattern /x/', 'tag ${tag}', 'label @L')}${lines}`,
    )
    output.emit(batchOf('in', records))
    expect(told(labelled)).toEqual(['in: 0 1 4'])
    expect(told(emitted)).toEqual(['t.y: 2'])
  })

  test('waits for who pushes back, and counts what is dropped when the rest is safe', async () => {
    let settle = () => {}
    const { output, drops } = create(
      lines,
      () => new Promise<void>((resolve) => (settle = resolve)),
    )
    const taken = output.emit(batchOf('in', [{ a: 'x' }, { a: '-' }]))
    expect(await drops()).toBeUndefined()
    settle()
    await taken
    expect(await drops()).toBe('1')
  })

  test('throws what the next output throws, and has dropped nothing', async () => {
    const { output, drops } = create(lines, () => {
      throw new Error('no room')
    })
    expect(() => output.emit(batchOf('in', records))).toThrow('no room')
    expect(await drops()).toBeUndefined()
  })
})

describe('hostile fields', () => {
  const lines = rule('key $.a.b', 'pattern /^([\\s\\S]*)$/', 'tag t.$1')
  test.each<[string, object, string]>([
    ['a tag too long', { a: { b: 'x'.repeat(2000) } }, 'longer than 1024 bytes'],
    ['a tag that breaks lines', { a: { b: 'x\n2024 forged' } }, 'control characters'],
    ['a path into a text', { a: 'text' }, 'has no fields'],
  ])('%s is an error of that event alone', (_, record, message) => {
    const { output, emitted, failed } = create(lines)
    output.emit(batchOf('in', [record, { a: { b: 'good' } }]))
    expect(emitted.map((batch) => batch.tag)).toEqual(['t.good'])
    expect(failed).toEqual([{ tag: 'in', message: expect.stringContaining(message) }])
  })

  test('bytes that are not UTF-8 are question marks to the pattern', () => {
    const { output, emitted } = create(rule('key a', 'pattern /^\\?x$/', 'tag found'))
    const batch = batchOf('in', [{ a: '\u0001x' }])
    batch.packed[batch.packed.indexOf(1, batch.packed.length - 2)] = 0xff
    output.emit(batch)
    expect(emitted).toHaveLength(1)
  })
})

describe('refused at start', () => {
  const good = rule('key a', 'pattern /x/', 'tag b')
  test.each<[string, string, string]>([
    ['no rule', '', 'missing rewriterules'],
    ['a rule twice', good + good, 'duplicated rewriterules'],
    [
      'both ways to shorten the tag',
      `remove_tag_prefix a\nremove_tag_regexp /b/\n${good}`,
      'exclusive',
    ],
    ['a range of parts', rule('key a', 'pattern /x/', 'tag ${tag_parts[0..1]}'), 'no range'],
    ['a command', `hostname_command curl http://evil\n${good}`, 'is not run'],
    ['a rule without pattern', rule('key a', 'tag b'), "'pattern' parameter is required"],
  ])('%s', (_, lines, message) => {
    let text = ''
    try {
      create(lines)
    } catch (error) {
      text = error instanceof ConfigErrors ? error.errors.map(String).join() : String(error)
    }
    expect(text).toContain(message)
  })
})

describe('in a whole configuration', () => {
  test('events that rules send round in a circle are given up and counted', () => {
    const host = createFakeHost()
    const stage = createStage()
    const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
    const text = `<source>\n@type button\n</source>
      <match done.**>\n@type spy\nname done\n</match>
      <match **>\n@type rewrite_tag_filter
      ${rule('key a', 'pattern /^(round)$/', 'tag $1.${tag}')}
      </match>`
    const { root } = parseConfig({ path: 'test.conf', text, ...world })
    createApp({
      host,
      plugins: [...stage.plugins, rewriteTagFilterOutput],
      kernel: {} as Kernel,
      config: { root, path: 'test.conf' },
    })
    stage.press('button_0', batchOf('in', [{ a: 'round' }, { a: 'round' }]))
    const dropped = host.metrics.value('sluice_routing_dropped_events_total', { reason: 'circle' })
    expect(dropped).toBe(2)
    stage.press('button_0', batchOf('done', [{}]))
    expect(stage.taken).toEqual(['done done x1'])
  })
})
