import { describe, expect, it } from 'vitest'
import { type EventTime, MsgFloat, type MsgValue } from '../../../src/core/value.ts'
import { jsonAck, packedAck, wantsAck } from '../../../src/forward/ack.ts'
import { createJsonFramer, jsonMessageLimitBytes } from '../../../src/forward/json-framer.ts'
import type { FramerOptions } from '../../../src/kernel/types.ts'
import { decodeBatch } from '../../../src/msgpack/entries.ts'

const options: FramerOptions = {
  skipInvalidEvent: true,
  messageLimitBytes: Number.POSITIVE_INFINITY,
  messageWarnBytes: Number.POSITIVE_INFINITY,
  unfinishedLimitBytes: 1 << 28,
  itemLimit: 1 << 20,
  depthLimit: 64,
}
const now = { seconds: 1_700_000_000, nanoseconds: 7 }

/** Steps as short texts, from bytes in pieces. */
function steps(
  pieces: readonly (string | Uint8Array)[],
  changed: Partial<FramerOptions> = {},
): string[] {
  const framer = createJsonFramer({ ...options, ...changed })
  const out: string[] = []
  for (const piece of pieces) {
    framer.feed(typeof piece === 'string' ? Buffer.from(piece) : piece)
    for (;;) {
      const step = framer.next(now)
      if (step === undefined) break
      if (step.kind === 'run') {
        const times = decodeBatch(step).map(({ time }) => `${time.seconds}${nanos(time)}`)
        const acks = Buffer.from(step.acks).toString()
        out.push(`${Buffer.from(step.tag).toString()} [${times}] -${step.invalid} ${acks}`.trim())
      } else {
        out.push(`${step.kind} ${step.kind === 'compressed' ? '' : step.code}`)
        if (step.kind === 'fatal') return out
      }
    }
  }
  return out
}

function nanos(time: EventTime): string {
  return time.nanoseconds === undefined ? '' : `.${time.nanoseconds}`
}

const cases: { name: string; text: string; steps: string[]; changed?: Partial<FramerOptions> }[] = [
  { name: 'a message', text: '["t",5,{}]', steps: ['t [5] -0'] },
  { name: 'time 0 is now', text: '["t",0,{}]', steps: ['t [1700000000.7] -0'] },
  { name: 'in forward mode it is 1970', text: '["t",[[0,{}]]]', steps: ['t [0] -0'] },
  {
    name: 'but now without skip_invalid_event',
    text: '["t",[[0,{}],[null,{}],[1.5,{}],["x",{}],[1,null]]]',
    changed: { skipInvalidEvent: false },
    steps: ['t [1700000000.7,1700000000.7,1.500000000] -2'],
  },
  { name: 'a negative time', text: '["t",-1,{}]', steps: ['t [-1] -0'] },
  {
    name: 'float, text and null times',
    text: '["t",1.5,{}]["t","5",{}]["t",null,{}]',
    steps: ['t [] -1', 't [] -1', 't [] -1'],
  },
  {
    name: 'a record that is no object',
    text: '["t",1,[]]["t",1,null]["t",1]',
    steps: ['t [] -1', 't [] -1', 't [] -1'],
  },
  { name: 'a tag that is no text', text: '[5,1,{},{"chunk":"c"}]', steps: ['[] -1 {"ack":"c"}'] },
  { name: 'entries that are none', text: '["t",[1,[],[1],[2,{}],{}]]', steps: ['t [2] -4'] },
  {
    name: 'no message',
    text: '{} 12 "x" null [] ["t"] ',
    steps: [
      'note broken',
      'note broken',
      'note broken',
      'note heartbeat',
      'note broken',
      't [] -1',
    ],
  },
  {
    name: 'chunks of all kinds',
    text: '["t",1,{},{"chunk":null}]["t",1,{},{"chunk":false}]["t",1,{},{"chunk":true}]["t",1,{},{"chunk":[1,"a"]}]',
    steps: ['t [1] -0', 't [1] -0', 't [1] -0 {"ack":true}', 't [1] -0 {"ack":[1,"a"]}'],
  },
  { name: 'an option that is none', text: '["t",1,{},5]', steps: ['fatal bad_option'] },
  {
    name: 'what is no JSON',
    text: '["t",1,{}] ["t",1,{"a":nope}] ["t",1,{}]',
    steps: ['t [1] -0', 'fatal invalid_byte'],
  },
  { name: 'NaN', text: '["t",1,{"a":NaN}]', steps: ['fatal invalid_byte'] },
  {
    name: 'nesting',
    text: `["t",1,{"a":${'['.repeat(99)}${']'.repeat(99)}}]`,
    steps: ['fatal too_deep'],
  },
  {
    name: 'too large',
    text: '["t",1,{"a":"0123456789"}]["t",2,{}]',
    changed: { messageLimitBytes: 20 },
    steps: ['note too_large', 't [2] -0'],
  },
  {
    name: 'large',
    text: '["t",1,{"a":"0123456789"}]',
    changed: { messageWarnBytes: 20 },
    steps: ['note large', 't [1] -0'],
  },
]

describe('JSON connections', () => {
  it.each(cases)('$name', (one) => {
    expect(steps([one.text], one.changed)).toEqual(one.steps)
    expect(
      steps(
        [...Buffer.from(one.text)].map((byte) => Uint8Array.of(byte)),
        one.changed,
      ),
    ).toEqual(one.steps)
  })

  it('prototype names are data', () => {
    const framer = createJsonFramer(options)
    framer.feed(Buffer.from('["t",1,{"__proto__":{"x":1},"constructor":2}]'))
    const step = framer.next(now)
    const record = step?.kind === 'run' ? decodeBatch(step)[0]!.record : new Map()
    expect([...record.keys()]).toEqual(['__proto__', 'constructor'])
  })

  it('goes on after a hold', () => {
    const framer = createJsonFramer(options)
    const fed = Buffer.from('["a",1,{}]["b",2,{}]["c",')
    framer.feed(fed)
    framer.next(now)
    framer.hold()
    fed.fill(0x58)
    const step = framer.next(now)
    expect(step?.kind === 'run' && Buffer.from(step.tag).toString()).toBe('b')
    expect(framer.next(now)).toBeUndefined()
    framer.feed(Buffer.from('3,{}]'))
    const last = framer.next(now)
    expect(last?.kind === 'run' && Buffer.from(last.tag).toString()).toBe('c')
  })

  it('keeps what is unfinished, up to a limit', () => {
    const framer = createJsonFramer({ ...options, unfinishedLimitBytes: 100 })
    framer.feed(Buffer.from(`["t",1,{"a":"${'x'.repeat(50)}`))
    expect(framer.next(now)).toBeUndefined()
    expect(framer.unfinishedBytes).toBe(63)
    framer.feed(Buffer.from('x'.repeat(60)))
    expect(framer.next(now)).toMatchObject({ kind: 'fatal', code: 'message_too_long' })
  })

  it('costs are linear in the bytes, however they come', () => {
    const size = 300_000
    const framer = createJsonFramer(options)
    const bytes = Buffer.from(`["t",1,{"a":"${'x'.repeat(size)}"}]`)
    let events = 0
    for (const byte of bytes) {
      framer.feed(Uint8Array.of(byte))
      for (let step = framer.next(now); step !== undefined; step = framer.next(now)) events += 1
    }
    expect(events).toBe(1)
    expect(size).toBeLessThan(jsonMessageLimitBytes)
  })
})

describe('acks', () => {
  /** The value; its ack in MessagePack, and in JSON. */
  const values: [MsgValue, string, string][] = [
    ['abc=', '81a361636ba46162633d', '{"ack":"abc="}'],
    ['', '81a361636ba0', '{"ack":""}'],
    [12345, '81a361636bcd3039', '{"ack":12345}'],
    [2n ** 64n - 1n, '81a361636bcfffffffffffffffff', '{"ack":18446744073709551615}'],
    [true, '81a361636bc3', '{"ack":true}'],
    [new MsgFloat(2), '81a361636bcb4000000000000000', '{"ack":2.0}'],
    [Uint8Array.of(1, 255), '81a361636bc40201ff', '{"ack":null}'],
    [new Map([['a', [1, 'x\n']]]), '81a361636b81a1619201a2780a', '{"ack":{"a":[1,"x\\n"]}}'],
  ]
  it.each(values)('number %#', (chunk, bytes, text) => {
    expect(Buffer.from(packedAck(chunk)).toString('hex')).toBe(bytes)
    expect(jsonAck(chunk)).toBe(text)
    expect(wantsAck(chunk)).toBe(true)
  })

  it('are not wanted for nil, false and nothing', () => {
    expect([null, false, undefined].map((chunk) => wantsAck(chunk))).toEqual([false, false, false])
  })
})
