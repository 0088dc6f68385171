import { describe, expect, it } from 'vitest'
import { createLogger, type LogSettings } from '../../../src/observe/log.ts'
import { inspectValue } from '../../../src/observe/log-format.ts'

/** A clock that stands still until it is moved. */
function stoppedClock() {
  let ms = 0
  let timers: { at: number; run: () => void }[] = []
  return {
    wallMs: () => Date.UTC(2026, 10, 20, 21, 37, 15) + ms,
    monotonicMs: () => ms,
    localOffsetSeconds: () => 5.5 * 3600,
    after(delayMs: number, run: () => void) {
      const timer = { at: ms + delayMs, run }
      timers.push(timer)
      return {
        cancel() {
          timers = timers.filter((other) => other !== timer)
        },
      }
    },
    advance(byMs: number) {
      ms += byMs
      const due = timers.filter((timer) => timer.at <= ms)
      timers = timers.filter((timer) => timer.at > ms)
      for (const timer of due) timer.run()
    },
  }
}

function open(settings: Partial<LogSettings> = {}) {
  const lines: string[] = []
  const clock = stoppedClock()
  const destination = {
    write: (line: string) => void lines.push(line),
    reopen() {},
    flush: async () => undefined,
    close() {},
  }
  const log = createLogger({ clock, settings: { destination, ...settings } })
  return { log, lines, clock }
}

const prefix = '2026-11-21 03:07:15 +0530'

describe('text', () => {
  it('has the form of Fluentd', () => {
    const { log, lines } = open()
    log.child({ id: 'out_s' }).warn('failed to flush', { retry: 3, chunk: 'ab"c', next: null })
    expect(lines).toEqual([
      `${prefix} [warn]: #0 [out_s] failed to flush retry=3 chunk="ab\\"c" next=nil\n`,
    ])
  })

  const errors: [string, Error, string][] = [
    ['a plain one', new TypeError('no'), 'error_class=TypeError error="no"'],
    [
      'its code',
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      'error_class=Error error="refused" error_code="ECONNREFUSED"',
    ],
    ['its cause', new Error('outer', { cause: new Error('inner') }), 'error="outer: inner"'],
  ]
  it.each(errors)('shows of an error %s', (_, error, expected) => {
    const { log, lines } = open()
    log.error('failed', { error })
    expect(lines[0]).toContain(expected)
  })

  const hostile: [string, string, string][] = [
    ['a newline', 'a\nb', 'a\\nb'],
    ['an escape sequence', '\u001b[2J', '\\x1B[2J'],
    ['C1', '\u009b1m', '\\x9B1m'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
    ['a direction mark', 'a\u202eb', 'a\\u202Eb'],
    ['half a character', 'a\ud800', 'a\\uD800'],
  ]
  it.each(hostile)('escapes %s in messages, values and ids', (_, text, escaped) => {
    const { log, lines } = open()
    log.child({ id: text }).warn(text, { tag: text })
    expect(lines).toEqual([`${prefix} [warn]: #0 [${escaped}] ${escaped} tag="${escaped}"\n`])
  })

  it('keeps whole characters outside the basic plane', () => {
    expect(inspectValue('😀')).toBe('"😀"')
  })

  it('keeps the newlines of a block', () => {
    const { log, lines } = open()
    log.block('info', 'using configuration file: ', '<ROOT>\n\t<system>\u0007\n</ROOT>')
    expect(lines[0]).toMatch(/file: <ROOT>\n\t<system>\\x07\n<\/ROOT>\n$/)
  })

  it('bounds what one message takes', () => {
    const { log, lines } = open()
    log.warn('m'.repeat(100_000), { tag: 't'.repeat(100_000) })
    expect(lines[0]?.length).toBeLessThan(20_000)
  })

  it('colours lines on a terminal', () => {
    const { log, lines } = open({ color: true })
    log.error('x')
    expect(lines).toEqual([`\u001b[1;35m${prefix} [error]: #0 x\u001b[0;39m\n`])
  })
})

describe('secrets', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['a password', { password: 'p4ss' }, 'password="xxxxxx"'],
    ['a key', { shared_key: 'p4ss' }, 'shared_key="xxxxxx"'],
    ['a header in a hash', { headers: { Authorization: 'p4ss' } }, '"Authorization"=>"xxxxxx"'],
    ['a URL', { proxy: 'http://u:p4ss@h:80/' }, 'proxy="http://u:xxxxxx@h:80/"'],
    ['an error text', { error: new Error('GET http://u:p4ss@h') }, 'http://u:xxxxxx@h'],
  ]
  it.each(cases)('does not show %s', (_, fields, expected) => {
    const { log, lines } = open()
    log.warn('http://u:p4ss@h/', fields)
    expect(lines[0]).toContain(expected)
    expect(lines[0]).not.toContain('p4ss')
  })
})

describe('levels', () => {
  it('writes from its level up, which may change', () => {
    const { log, lines } = open()
    const child = log.child({ id: 'c' })
    child.debug('one')
    log.configure({ level: 'debug' })
    child.debug('two')
    log.configure({ level: 'error' })
    child.warn('three')
    expect(lines.map((line) => line.slice(-4, -1))).toEqual(['two'])
    expect(child.enabled('warn')).toBe(false)
  })

  it('lets a child have a level of its own', () => {
    const { log, lines } = open({ level: 'error' })
    log.child({ id: 'c', level: 'trace' }).child({}).trace('seen')
    log.info('not seen')
    expect(lines).toHaveLength(1)
  })
})

describe('json', () => {
  it('has the fields of Fluentd', () => {
    const { log, lines } = open({ format: 'json', workerId: 2 })
    log.child({ id: 'a' }).info('hello "you"', { n: 1 })
    expect(lines[0]?.endsWith('}\n')).toBe(true)
    expect(JSON.parse(lines[0] as string)).toEqual({
      time: prefix,
      level: 'info',
      worker_id: 2,
      message: '[a] hello "you" n=1',
    })
  })
})

describe('repeated messages', () => {
  it('are written ten times in thirty seconds, then counted', () => {
    const { log, lines, clock } = open()
    for (let index = 0; index < 25; index++) log.warn('bad tag', { index })
    log.warn('other')
    expect(lines).toHaveLength(11)
    clock.advance(30_000)
    expect(lines[11]).toContain(
      '[warn]: #0 suppressed 15 more messages like this one in 30s: bad tag',
    )
    log.warn('bad tag')
    expect(lines).toHaveLength(13)
  })

  it('are summed up when the log is flushed', async () => {
    const { log, lines } = open()
    for (let index = 0; index < 12; index++) log.child({ id: 'x' }).error('broken')
    await log.flush()
    expect(lines.at(-1)).toContain('[x] suppressed 2 more messages like this one')
    await log.flush()
    expect(lines).toHaveLength(11)
  })

  it('of lesser levels are all written', () => {
    const { log, lines } = open()
    for (let index = 0; index < 50; index++) log.info('adding source')
    expect(lines).toHaveLength(50)
  })

  it('remember a bounded number of messages', () => {
    const { log, lines } = open()
    for (let index = 0; index < 5_000; index++) log.warn(`message ${index}`)
    expect(lines).toHaveLength(5_000)
  })

  it('follow ignore_repeated_log_interval', () => {
    const { log, lines, clock } = open({ ignoreRepeatedSeconds: 10 })
    for (const text of ['a', 'a', 'b', 'a']) log.info(text)
    clock.advance(10_001)
    log.info('a')
    expect(lines.map((line) => line.slice(-2, -1))).toEqual(['a', 'b', 'a', 'a'])
  })

  it('follow ignore_same_log_interval', () => {
    const { log, lines, clock } = open({ ignoreSameSeconds: 10 })
    for (const text of ['a', 'a', 'b', 'a']) log.info(text)
    clock.advance(10_001)
    log.info('a')
    expect(lines.map((line) => line.slice(-2, -1))).toEqual(['a', 'b', 'a'])
  })
})
