import { describe, expect, it } from 'vitest'
import type { PluginContext } from '../../../../src/config/define.ts'
import type { Batch } from '../../../../src/core/batch.ts'
import { ConfigErrors } from '../../../../src/core/errors.ts'
import { RawString } from '../../../../src/core/value.ts'
import { concatFilter } from '../../../../src/filters/concat/index.ts'
import { batchOf, eventsOf } from '../../../support/batches.ts'
import { bindText, createTestContext } from '../../../support/plugin-context.ts'

interface Out {
  /** Unix time less 1700000000. */
  readonly at: number
  readonly record: Record<string, unknown>
}

const shown = (batch: Batch | undefined): Out[] =>
  eventsOf(batch).map(([time, record]) => ({
    at: time - 1_700_000_000,
    record: Object.fromEntries([...record].map(([key, value]) => [String(key), plain(value)])),
  }))
const plain = (value: unknown) =>
  value instanceof RawString ? Buffer.from(value.bytes).toString('latin1') : value

function create(lines: string, more: Partial<PluginContext> = {}) {
  const timedOut: { tag: string; events: Out[] }[] = []
  const failed: { tag: string; name: string; message: string; events: Out[] }[] = []
  const { context, fake } = createTestContext({
    route: () => ({
      emit: (batch) => {
        timedOut.push({ tag: batch.tag, events: shown(batch) })
      },
    }),
    emitError: (batch, error) => {
      const { name, message } = error
      failed.push({ tag: batch.tag, name, message, events: shown(batch) })
    },
    ...more,
  })
  const filter = concatFilter.create(bindText(concatFilter, lines).params as never, context)
  const { ledger } = filter
  if (ledger === undefined) throw new Error('no ledger')
  return { filter, timedOut, failed, clock: fake.clock, ledger }
}

/** What becomes of the events, each in a batch of its own, and of all in one: the same. */
function run(lines: string, records: readonly object[]): Out[] {
  const whole = shown(create(lines).filter.apply(batchOf('t', records)))
  const { filter } = create(lines)
  const single: Out[] = []
  records.forEach((record, i) => {
    const batch = batchOf('t', [...records.slice(0, i).map(() => ({})), record])
    const alone = { tag: 't', packed: cutLast(batch), count: 1 }
    single.push(...shown(filter.apply(alone)))
  })
  expect(single).toEqual(whole)
  return whole
}

/** The last entry's bytes; those before are times with an empty record, six bytes and one each. */
function cutLast(batch: Batch): Uint8Array {
  return batch.packed.subarray((batch.count - 1) * 7)
}

const messages = (...texts: string[]) => texts.map((message, n) => ({ n, message }))
const at = (time: number, record: Record<string, unknown>): Out => ({ at: time, record })

describe('concat joins', () => {
  const start = 'key message\nmultiline_start_regexp /^start/'
  it.each<[string, string, object[], Out[]]>([
    [
      'n_lines',
      'key message\nn_lines 2',
      messages('a', 'b', 'c'),
      [at(1, { n: 0, message: 'a\nb' })],
    ],
    [
      'with a separator, and the first part’s time',
      'key message\nn_lines 2\nseparator "-"\nuse_first_timestamp true',
      messages('a', 'b'),
      [at(0, { n: 0, message: 'a-b' })],
    ],
    [
      'from one start to the next, whose time it has',
      start,
      messages('start 1', ' more', ' more', 'start 2', 'start 3'),
      [at(3, { n: 0, message: 'start 1\n more\n more' }), at(4, { n: 3, message: 'start 2' })],
    ],
    [
      'nothing before the first start',
      start,
      messages('lost', 'start'),
      [at(0, { n: 0, message: 'lost' })],
    ],
    [
      'from start to end',
      `${start}\nmultiline_end_regexp /end$/`,
      messages('start', 'x', 'end', 'start end', 'between'),
      [
        at(2, { n: 0, message: 'start\nx\nend' }),
        at(3, { n: 3, message: 'start end' }),
        at(4, { n: 4, message: 'between' }),
      ],
    ],
    [
      'a start that is also an end, behind one that waits',
      `${start}\nmultiline_end_regexp /end$/`,
      messages('start', 'start end'),
      [at(1, { n: 0, message: 'start' }), at(1, { n: 1, message: 'start end' })],
    ],
    [
      'up to an end',
      'key message\nmultiline_end_regexp /\\.$/',
      messages('a', 'b.', 'c.'),
      [at(1, { n: 0, message: 'a\nb.' }), at(2, { n: 2, message: 'c.' })],
    ],
    [
      'while lines go on',
      `${start}\ncontinuous_line_regexp /^ /`,
      messages('start', ' a', 'other', ' b'),
      [
        at(2, { n: 0, message: 'start\n a' }),
        at(2, { n: 2, message: 'other' }),
        at(3, { n: 3, message: ' b' }),
      ],
    ],
    [
      'by stream',
      'key message\nn_lines 2\nstream_identity_key s',
      [
        { s: 1, message: 'a' },
        { s: 2, message: 'x' },
        { s: 1, message: 'b' },
        { s: 2, message: 'y' },
      ],
      [at(2, { s: 1, message: 'a\nb' }), at(3, { s: 2, message: 'x\ny' })],
    ],
    [
      'partial_key',
      'key message\npartial_key more\npartial_value yes',
      [
        { message: 'a', more: 'yes' },
        { message: 'whole' },
        { message: 'b', more: 'no' },
        { other: 1, more: 'yes' },
      ],
      [at(1, { message: 'whole' }), at(2, { message: 'a\nb' }), at(3, { other: 1, more: 'yes' })],
    ],
    [
      'partial_key that stays',
      'key message\npartial_key more\npartial_value yes\nkeep_partial_key true',
      [
        { message: 'a', more: 'yes' },
        { message: 'b', more: 'no' },
      ],
      [at(1, { message: 'a\nb', more: 'no' })],
    ],
    [
      'fields of the last part where the first has none',
      'key message\nn_lines 2',
      [
        { message: 'a', x: 1, both: 1 },
        { message: 'b', y: 2, both: 2 },
      ],
      [at(1, { message: 'a\nb', y: 2, both: 1, x: 1 })],
    ],
    [
      'values that are no text',
      'key message\nn_lines 3',
      [{ message: 1 }, { message: null }, { message: 2.5 }],
      [at(2, { message: '1\n\n2.5' })],
    ],
  ])('%s', (_, lines, records, wanted) => {
    expect(run(lines, records)).toEqual(wanted)
  })

  it('keeps bytes that are not UTF-8', () => {
    const raw = new RawString(Uint8Array.of(0xff, 0x61))
    const out = run('key m\nn_lines 2', [new Map([['m', raw]]), { m: 'b' }] as object[])
    expect(out).toEqual([at(1, { m: '\u00ffa\nb' })])
  })

  it('gives back the same batch where nothing is concerned', () => {
    const { filter } = create(start)
    const batch = batchOf('t', [{ other: 1 }, { message: 'before' }])
    expect(filter.apply(batch)).toBe(batch)
    const own = batchOf('fluent.warn', [{ message: 'start' }])
    expect(filter.apply(own)).toBe(own)
  })

  it('keeps what it holds although the bytes it came in are used again', () => {
    const { filter } = create('key m\nn_lines 3')
    const bytes = Buffer.from(batchOf('t', [{ m: 'one', x: 1 }]).packed)
    filter.apply({ tag: 't', packed: bytes, count: 1 })
    bytes.fill(0)
    const more = Buffer.from(batchOf('t', [{ m: 'two' }]).packed)
    filter.apply({ tag: 't', packed: more, count: 1 })
    more.fill(0)
    expect(shown(filter.apply(batchOf('t', [{ m: 'three' }])))).toEqual([
      at(0, { m: 'one\ntwo\nthree', x: 1 }),
    ])
  })

  it('tells tags apart', () => {
    const { filter } = create('key message\nn_lines 2')
    filter.apply(batchOf('a', [{ message: '1' }]))
    expect(filter.apply(batchOf('b', [{ message: '2' }]))).toBeUndefined()
    expect(shown(filter.apply(batchOf('a', [{ message: '3' }])))).toEqual([
      at(0, { message: '1\n3' }),
    ])
  })
})

describe('Docker’s partial messages', () => {
  const part = (log: string, ordinal: number, last: boolean, id = 'i', source = 'stdout') => ({
    source,
    log,
    container_name: '/c',
    partial_message: 'true',
    partial_id: id,
    partial_ordinal: String(ordinal),
    partial_last: String(last),
  })
  const lines = 'key log\nuse_partial_metadata true\nseparator ""'

  it('are joined by their id, in the order of their numbers', () => {
    const out = run(lines, [
      part('a', 1, false),
      part('x', 1, false, 'j', 'stderr'),
      { log: 'whole', source: 'stdout' },
      part('c', 3, false),
      part('y', 2, true, 'j', 'stderr'),
      part('b', 2, false),
      part('', 4, true),
    ])
    expect(out).toEqual([
      at(2, { log: 'whole', source: 'stdout' }),
      at(4, { source: 'stderr', log: 'xy', container_name: '/c' }),
      at(6, { source: 'stdout', log: 'abc', container_name: '/c' }),
    ])
  })

  it('keep what Docker said of them where that is wanted', () => {
    const [out] = run(`${lines}\nkeep_partial_metadata true`, [
      part('a', 1, false),
      part('b', 2, true),
    ])
    expect(out?.record).toMatchObject({ log: 'ab', partial_id: 'i', partial_ordinal: '1' })
  })

  it.each([
    ['docker-journald', (name: string) => name.toUpperCase()],
    ['docker-journald-lowercase', (name: string) => name.toLowerCase()],
  ])('in the names of %s, whose last part has only the id', (format, cased) => {
    const of = (MESSAGE: string, ordinal: string, last: string, more: boolean) => ({
      MESSAGE,
      ...(more ? { [cased('container_partial_message')]: 'true' } : {}),
      [cased('container_partial_id')]: 'i',
      [cased('container_partial_ordinal')]: ordinal,
      [cased('container_partial_last')]: last,
    })
    const out = run(
      `key MESSAGE\nuse_partial_metadata true\npartial_metadata_format ${format}\nseparator ""`,
      [of('a', '1', 'false', true), of('b', '2', 'true', false), { MESSAGE: 'whole' }],
    )
    expect(out).toEqual([at(1, { MESSAGE: 'ab' }), at(2, { MESSAGE: 'whole' })])
  })

  it('a last line without its end is given out when Docker stays silent', async () => {
    const { filter, timedOut, clock, ledger } = create(
      `${lines}\nflush_interval 5\ntimeout_label @T`,
    )
    filter.apply(batchOf('docker.busybox:test', [part('unfinished', 1, false)]))
    expect(ledger).toEqual({ heldEvents: 1, joinedEvents: 0, passedEvents: 0 })
    await clock.advance(4000)
    expect(timedOut).toEqual([])
    await clock.advance(2000)
    expect(timedOut).toMatchObject([
      {
        tag: 'docker.busybox:test',
        events: [{ record: { log: 'unfinished', partial_last: 'false' } }],
      },
    ])
    expect(ledger).toEqual({ heldEvents: 0, joinedEvents: 0, passedEvents: 1 })
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('lines of the container runtime interface', () => {
  const lines = 'key log\nuse_partial_cri_logtag true\npartial_cri_logtag_key logtag\nseparator ""'
  const line = (log: string, logtag: string, stream = 'stdout') => ({
    stream,
    logtag,
    log,
    pod: 'p',
  })

  it('are joined up to one marked F, by stream', () => {
    const out = run(lines, [
      line('a', 'P'),
      line('x', 'P', 'stderr'),
      line('b', 'P:more'),
      line('y', 'F', 'stderr'),
      line('c', 'F:end'),
      line('whole', 'F'),
    ])
    expect(out).toEqual([
      at(3, { log: 'xy', pod: 'p' }),
      at(4, { log: 'abc', pod: 'p' }),
      at(5, { log: 'whole', pod: 'p' }),
    ])
  })

  it('keep their tag where that is wanted', () => {
    const [out] = run(`${lines}\nkeep_partial_key true`, [line('a', 'P'), line('b', 'F')])
    expect(out?.record).toEqual({ log: 'ab', pod: 'p', logtag: 'F' })
  })

  it('are errors without a tag', () => {
    const { filter, failed } = create(lines)
    expect(shown(filter.apply(batchOf('t', [{ log: 'a' }, line('b', 'F')])))).toHaveLength(1)
    expect(failed).toMatchObject([
      { name: 'ConcatError', message: 'the event has no field logtag' },
    ])
  })
})

describe('what is never completed', () => {
  const lines = 'key message\nmultiline_start_regexp /^start/'
  const events = messages('start', ' a')

  it('is an error without timeout_label, with the time it is given out at', async () => {
    const { filter, failed, clock, ledger } = create(`${lines}\nflush_interval 5`)
    filter.apply(batchOf('t', events))
    clock.setWallMs(1_700_000_100_000)
    await clock.advance(6000)
    expect(failed).toEqual([
      {
        tag: 't',
        name: 'TimeoutError',
        message: 'Timeout flush: t',
        events: [at(105, { n: 0, message: 'start\n a' })],
      },
    ])
    expect(ledger).toEqual({ heldEvents: 0, joinedEvents: 1, passedEvents: 0 })
  })

  it('waits as long as its stream goes on', async () => {
    const { filter, failed, clock } = create(`${lines}\nflush_interval 5`)
    filter.apply(batchOf('t', events))
    for (let i = 0; i < 4; i++) {
      await clock.advance(3000)
      filter.apply(batchOf('t', [{ message: ' more' }]))
    }
    expect(failed).toEqual([])
  })

  it('waits for ever with flush_interval 0', async () => {
    const { filter, failed, clock } = create(`${lines}\nflush_interval 0`)
    filter.apply(batchOf('t', events))
    await clock.advance(1_000_000)
    expect([failed, clock.pendingTimers]).toEqual([[], 0])
  })

  it('is given out at the end, with its first part’s time; nothing is held after that', async () => {
    const { filter, timedOut, clock } = create(`${lines}\ntimeout_label @T`)
    filter.apply(batchOf('t', events))
    await filter.stop?.(AbortSignal.abort())
    await filter.stop?.(AbortSignal.abort())
    const wanted = { tag: 't', events: [at(0, { n: 0, message: 'start\n a' })] }
    expect(timedOut).toEqual([wanted])
    filter.apply(batchOf('t', events))
    expect(timedOut).toEqual([wanted, wanted])
    expect(clock.pendingTimers).toBe(0)
  })

  it('counts as held until the label has it, and as an error if that refuses', async () => {
    let refuse: (error: Error) => void = () => undefined
    const emit = () => new Promise<void>((_, reject) => (refuse = reject))
    const { filter, failed, ledger } = create(`${lines}\ntimeout_label @T`, {
      route: () => ({ emit }),
    })
    filter.apply(batchOf('t', [{ message: 'start' }]))
    const stopped = filter.stop?.(AbortSignal.abort())
    expect(ledger).toMatchObject({ heldEvents: 1, passedEvents: 0 })
    refuse(new Error('no room'))
    await stopped
    expect(failed).toMatchObject([{ message: 'no room' }])
    expect(ledger).toMatchObject({ heldEvents: 0, passedEvents: 0 })
  })
})

describe('limits', () => {
  const partial = 'key m\npartial_key p\npartial_value y\nbuffer_limit_size 300'
  const big = (m: string, p = 'y') => ({ m: m.repeat(100), p })
  it.each<[string, string[]]>([
    ['ignore', ['aaabbbcccddd']],
    ['truncate', ['aaabbb', 'ddd']],
    ['drop', ['ddd']],
    ['new', ['aaabbb', 'cccddd']],
  ])('buffer_overflow_method %s', (method, wanted) => {
    const records = [big('aaa'), big('bbb'), big('ccc'), big('ddd', 'n')].map((r) => ({
      ...r,
      m: r.m.slice(0, 3).padEnd(120, ' '),
    }))
    const out = run(`${partial}\nseparator ""\nbuffer_overflow_method ${method}`, records)
    expect(out.map(({ record }) => String(record.m).replaceAll(' ', ''))).toEqual(wanted)
  })

  it('a stream that holds too much goes on as it is', () => {
    const { filter, ledger } = create('key m\nmultiline_start_regexp /^s/\nstream_limit_size 1k')
    const out: Out[] = []
    for (let i = 0; i < 50; i++) {
      out.push(...shown(filter.apply(batchOf('t', [{ m: i === 0 ? 's' : 'x'.repeat(100) }]))))
    }
    expect(out.length).toBeGreaterThan(3)
    expect(ledger.heldEvents).toBeLessThan(12)
    expect(ledger.heldEvents + ledger.joinedEvents + out.length).toBe(50)
  })

  it('all streams together: the one silent longest is given out', () => {
    const { filter, timedOut, ledger } = create(
      'key m\nn_lines 2\nstream_identity_key s\ntotal_limit_size 10k\ntimeout_label @T',
    )
    for (let s = 0; s < 1000; s++) filter.apply(batchOf('t', [{ s, m: 'x' }]))
    expect(ledger.heldEvents).toBeLessThan(20)
    expect(ledger.heldEvents + ledger.passedEvents).toBe(1000)
    expect(timedOut[0]?.events[0]?.record).toEqual({ s: 0, m: 'x' })
  })
})

describe('refused at start', () => {
  it.each([
    ['key m', 'Either n_lines, multiline_start_regexp'],
    ['n_lines 2', "'key' parameter is required"],
    ['key m\nn_lines 2\nmultiline_end_regexp /x/', 'exclusive'],
    ['key m\nn_lines 2\npartial_key x', 'partial_key and n_lines are exclusive'],
    ['key m\npartial_key x', 'partial_value is required'],
    ['key m\nuse_partial_metadata true\nuse_partial_cri_logtag true', 'exclusive'],
    ['key m\nuse_partial_cri_logtag true', 'partial_cri_logtag_key is required'],
    ['key m\nmultiline_start_regexp ^x', 'between slashes'],
    ['key m\nmultiline_start_regexp /(/', 'invalid regexp'],
  ])('%j', (lines, message) => {
    let text = ''
    try {
      create(lines)
    } catch (error) {
      text = error instanceof ConfigErrors ? error.errors.map(String).join() : String(error)
    }
    expect(text).toContain(message)
  })
})
