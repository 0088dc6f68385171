import { describe, expect, it } from 'vitest'
import type { FramerOptions } from '../../../src/kernel/types.ts'
import { hex, newKernel, now, options, run } from './framing.ts'

const kernel = newKernel()

/** 'a', a time of 2023, {"k": 1}. */
const tag = 'a161'
const time = 'ce6553f100'
const record = '81a16b01'
const entry = `92${time}${record}`
const nowTime = 'd7006553f10000000007'
const chunk = '81a56368756e6ba178'
const ack = '81a361636ba178'

const outcomes = (bytes: string, some: Partial<FramerOptions> = {}) =>
  run(kernel.createFramer({ ...options, ...some }), [hex(bytes)])

/** A run of one message. */
const events = (
  bytes: string,
  expected: { tag?: string; entries?: string; count?: number; invalid?: number; ack?: string },
) => ({
  kind: 'events',
  tag: '61',
  entries: '',
  count: 0,
  invalid: 0,
  ack: '',
  wireBytes: bytes.length / 2,
  ...expected,
})

const bin = (body: string): string => `c4${(body.length / 2).toString(16).padStart(2, '0')}${body}`
const one = { entries: entry, count: 1 }

describe('Message mode', () => {
  it.each([
    ['without option', `93${tag}${time}${record}`, one],
    ['with an empty option', `94${tag}${time}${record}80`, one],
    ['with nil as option', `94${tag}${time}${record}c0`, one],
    ['with further elements', `96${tag}${time}${record}80c001`, one],
    ['as array32', `dd00000003${tag}${time}${record}`, one],
    ['with a tag sent as bin', `93c40161${time}${record}`, one],
    ['with an empty tag', `93a0${time}${record}`, { ...one, tag: '' }],
    ['time 0 is now', `93${tag}00${record}`, { entries: `92${nowTime}${record}`, count: 1 }],
    [
      'time 0 in 64 bits is now',
      `93${tag}d3${'00'.repeat(8)}${record}`,
      { entries: `92${nowTime}${record}`, count: 1 },
    ],
    [
      'EventTime of 0 seconds is now',
      `93${tag}d7000000000000000009${record}`,
      { entries: `92${nowTime}${record}`, count: 1 },
    ],
    [
      'EventTime as ext8 stays',
      `93${tag}c708006553f10000000001${record}`,
      { entries: `92c708006553f10000000001${record}`, count: 1 },
    ],
    ['negative time', `93${tag}ff${record}`, { entries: `92ff${record}`, count: 1 }],
    ['float time', `93${tag}cb3ff8000000000000${record}`, { invalid: 1 }],
    ['nil time', `93${tag}c0${record}`, { invalid: 1 }],
    ['record that is no map', `93${tag}${time}a178`, { invalid: 1 }],
    ['nil record is acked', `94${tag}${time}c0${chunk}`, { invalid: 1, ack }],
    ['record missing', `92${tag}${time}`, { invalid: 1 }],
    ['time missing', `91${tag}`, { invalid: 1 }],
    ['tag that is a number', `9305${time}${record}`, { tag: '', invalid: 1 }],
    ['nothing', '90', { tag: '', invalid: 1 }],
  ])('%s', (_name, bytes, expected) => {
    expect(outcomes(bytes)).toEqual([events(bytes, expected)])
  })

  it('consecutive messages of one tag are one run with all their acks', () => {
    const framer = kernel.createFramer(options)
    const message = `94${tag}${time}${record}${chunk}`
    framer.feed(hex(`${message}${message}93a162${time}${record}`))
    const first = framer.next(now)
    expect(first).toMatchObject({ kind: 'run', count: 2, messages: 2, ackCount: 2, partial: false })
    expect(framer.next(now)).toMatchObject({ count: 1, messages: 1, ackCount: 0 })
    expect(framer.next(now)).toBeUndefined()
  })
})

describe('Forward and PackedForward', () => {
  it.each([
    ['forward', `92${tag}92${entry}${entry}`, { entries: entry + entry, count: 2 }],
    ['forward as array32', `92${tag}dd00000001${entry}`, one],
    ['empty forward is acked', `93${tag}90${chunk}`, { ack }],
    ['pairs as array32', `92${tag}91dd00000002${time}${record}`, one],
    [
      'metadata',
      `92${tag}9292${`92${time}80`}${record}${entry}`,
      { entries: entry + entry, count: 2 },
    ],
    ['metadata that is not empty', `92${tag}919292${time}81a16b91c0${record}`, one],
    ['an entry with more elements', `92${tag}9193${time}${record}a178`, one],
    ['time 0 stays', `92${tag}919200${record}`, { entries: `9200${record}`, count: 1 }],
    [
      'invalid entries are left out',
      `92${tag}96${entry}92a178${record}92${time}c09190${'05'}${entry}`,
      { entries: entry + entry, count: 2, invalid: 4 },
    ],
    ['packed', `92${tag}${bin(entry + entry)}`, { entries: entry + entry, count: 2 }],
    ['packed as str', `92${tag}d9${(entry.length / 2).toString(16).padStart(2, '0')}${entry}`, one],
    ['empty packed is acked', `93${tag}c400${chunk}`, { ack }],
    ['compressed: text', `93${tag}${bin(entry)}81aa636f6d70726573736564a474657874`, one],
    [
      'a truncated last entry',
      `93${tag}${bin(entry + entry.slice(0, -2))}${chunk}`,
      { ...one, invalid: 1, ack },
    ],
    ['a time that is a string makes it packed', `93${tag}a3303031${record}`, { invalid: 3 }],
    ['option.size that is no number', `93${tag}${bin(entry)}81a473697a65a178`, one],
    ['a tag that is nil', `92c0${bin(entry)}`, { tag: '', invalid: 1 }],
  ])('%s', (_name, bytes, expected) => {
    expect(outcomes(bytes)).toEqual([events(bytes, expected)])
  })

  it('in place: a run of canonical entries is a view of the bytes that were read', () => {
    const bytes = hex(`92${tag}${bin(entry + entry)}`)
    kernel.readArea.set(bytes)
    const framer = kernel.createFramer(options)
    framer.feed(kernel.readArea.subarray(0, bytes.length))
    const step = framer.next(now)
    if (step?.kind !== 'run') throw new Error('a run was expected')
    expect(step.packed.buffer).toBe(kernel.readArea.buffer)
    expect(step.packed.byteOffset).toBe(kernel.readArea.byteOffset + 5)
  })

  it('compressed', () => {
    const bytes = `93${tag}${bin('1f8b')}82aa636f6d70726573736564a4677a6970a56368756e6ba178`
    expect(outcomes(bytes)).toEqual([
      {
        kind: 'compressed',
        tag: '61',
        codec: 'gzip',
        payload: '1f8b',
        ack,
        wireBytes: bytes.length / 2,
      },
    ])
    const odd = `93${tag}${bin('1f8b')}81aa636f6d7072657373656405`
    expect(outcomes(odd)).toMatchObject([{ kind: 'compressed', codec: 'not a string' }])
  })
})

describe('acks', () => {
  it.each([
    ['str', 'a178', 'a178'],
    ['bin', 'c403 0102ff', 'c4030102ff'],
    ['integer', 'cd3039', 'cd3039'],
    ['empty str', 'a0', 'a0'],
    ['nil: none', 'c0', ''],
    ['false: none', 'c2', ''],
  ])('%s', (_name, value, expected) => {
    const bytes = `94${tag}${time}${record}81a56368756e6b${value}`.replaceAll(' ', '')
    const one_ = expected && `81a361636b${expected}`
    expect(outcomes(bytes)).toEqual([events(bytes, { ...one, ack: one_ })])
    expect(outcomes(bytes + bytes)).toEqual([
      events(bytes + bytes, { entries: entry + entry, count: 2, ack: one_ + one_ }),
    ])
  })
})

describe('skip_invalid_event false', () => {
  it('nil and zero times are now, nil records are left out, floats become times', () => {
    const float = 'cb41d954fc40080000'
    const entries = [
      entry,
      `92${time}c0`,
      `92c0${record}`,
      `9200${record}`,
      `93${time}${record}a178`,
      `92${float}${record}`,
    ]
    const bytes = `92${tag}96${entries.join('')}`
    const ofNow = `92${nowTime}${record}`
    expect(outcomes(bytes, { skipInvalidEvent: false })).toEqual([
      events(bytes, {
        entries: `${entry}${ofNow}${ofNow}${entry}92d7006553f10007735940${record}`,
        count: 5,
        invalid: 1,
      }),
    ])
  })
})

describe('what is no message', () => {
  it.each([
    ['nil', 'c0', { kind: 'note', code: 'heartbeat', bytes: 1, tag: '' }],
    ['a map', '81a16101', { kind: 'note', code: 'broken', bytes: 4, tag: '' }],
    ['a number', '11', { kind: 'note', code: 'broken', bytes: 1, tag: '' }],
  ])('%s is noted, and the stream goes on', (_name, bytes, noted) => {
    const message = `93${tag}${time}${record}`
    expect(outcomes(bytes + message)).toEqual([noted, events(message, one)])
  })
})

describe('what ends the connection', () => {
  const deep = (levels: number): string => `${'91'.repeat(levels)}01`
  it.each([
    ['0xc1', 'c1', 'invalid_byte'],
    ['0xc1 in a record', `93${tag}${time}81a16bc1`, 'invalid_byte'],
    ['0xc1 in a packed payload', `92${tag}${bin('92c1')}`, 'malformed_entries'],
    ['an unknown ext', `93${tag}${time}81a16bd60501020304`, 'unknown_ext'],
    ['an unknown ext in a payload', `92${tag}${bin('9200d60501020304')}`, 'unknown_ext'],
    ['ext 0 of another length', `93${tag}${time}81a16bd60001020304`, 'unknown_ext'],
    ['an option that is a string', `94${tag}${time}${record}a178`, 'bad_option'],
    ['an option that is a number', `93${tag}${bin(entry)}05`, 'bad_option'],
    ['a record nested too deep', `93${tag}${time}81a16b${deep(63)}`, 'too_deep'],
    ['an entry nested too deep', `92${tag}91${`92${time}81a16b${deep(63)}`}`, 'too_deep'],
    ['an array of 4 billion', 'ddffffffff', 'too_many_items'],
    ['a map of 4 billion', `93${tag}${time}dfffffffff`, 'too_many_items'],
  ])('%s', (_name, bytes, code) => {
    const message = `93${tag}${time}${record}`
    expect(outcomes(message + bytes + message)).toEqual([
      events(message, one),
      { kind: 'fatal', code },
    ])
  })

  it('nothing comes after it', () => {
    const framer = kernel.createFramer(options)
    framer.feed(hex('c1'))
    expect(framer.next(now)).toMatchObject({ kind: 'fatal', code: 'invalid_byte' })
    framer.feed(hex(`93${tag}${time}${record}`))
    expect(framer.next(now)).toBeUndefined()
  })

  it.each([
    ['a record', `93${tag}${time}81a16b${deep(62)}`],
    ['an entry of Forward mode', `92${tag}91${`92${time}81a16b${deep(62)}`}`],
    ['an entry of Packed mode', `92${tag}${bin(`92${time}81a16b${deep(62)}`)}`],
  ])('%s as deep as allowed is taken', (_name, bytes) => {
    expect(outcomes(bytes)).toMatchObject([{ kind: 'events', count: 1 }])
  })
})

describe('limits', () => {
  const message = `94${tag}${time}81a16bd920${'78'.repeat(32)}${chunk}`
  const small = `93${tag}${time}${record}`

  it.each([[1000], [10], [1]])(
    'a message above the limit is dropped without ack, in pieces of %i',
    (size) => {
      const framer = kernel.createFramer({ ...options, messageLimitBytes: 40 })
      const bytes = hex(message + small)
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      expect(run(framer, pieces)).toEqual([
        { kind: 'note', code: 'too_large', bytes: message.length / 2, tag: '61' },
        events(small, one),
      ])
    },
  )

  it('names the tag of a message above the limit though its last byte comes with the end', () => {
    const framer = kernel.createFramer({ ...options, messageLimitBytes: 60 })
    const bytes = hex(`93d93c${'61'.repeat(60)}${time}80`)
    expect(run(framer, [bytes.subarray(0, 61), bytes.subarray(61)])).toEqual([
      { kind: 'note', code: 'too_large', bytes: bytes.length, tag: '61'.repeat(60) },
    ])
  })

  it('a message above the warning limit is noted first, once', () => {
    expect(outcomes(message + small, { messageWarnBytes: 40 })).toMatchObject([
      { kind: 'note', code: 'large', bytes: message.length / 2, tag: '61' },
      { kind: 'events', count: 2 },
    ])
  })

  it('an unfinished message above its limit ends the connection', () => {
    const framer = kernel.createFramer({ ...options, unfinishedLimitBytes: 100 })
    expect(run(framer, [hex(`92${tag}`), hex('c600ffffff00')])).toEqual([
      { kind: 'fatal', code: 'message_too_long' },
    ])
  })

  it('unfinishedBytes is what is kept', () => {
    const framer = kernel.createFramer(options)
    expect(run(framer, [hex(`${small}93${tag}`)])).toHaveLength(1)
    expect(framer.unfinishedBytes).toBe(3)
    run(framer, [hex(`${time}${record}`)])
    expect(framer.unfinishedBytes).toBe(0)
  })
})

describe('kernels', () => {
  it('are independent of each other', () => {
    const [one_, two] = [newKernel(), newKernel()]
    const first = one_.createFramer(options)
    const second = two.createFramer(options)
    first.feed(hex(`93${tag}${time}${record}`))
    second.feed(hex(`93a162${time}${record}`))
    expect(first.next(now)).toMatchObject({ tag: hex('61') })
    expect(second.next(now)).toMatchObject({ tag: hex('62') })
  })
})
