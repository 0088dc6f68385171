import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { FluentClient } from '@fluent-org/logger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, freePort, listening, type Running, run, until } from './support.ts'

/** Clients as people have them, against the built command. */

const require = createRequire(import.meta.url)
let port: number
let sluice: Running

const records = (tag: string) =>
  sluice.lines
    .filter((line) => line.includes(` ${tag}: `))
    .map((line) => JSON.parse(line.slice(line.indexOf(': ') + 2)) as Record<string, unknown>)

const received = (tag: string, count: number) =>
  until(
    () => `${count} events of ${tag}; have ${JSON.stringify(records(tag))}; log ${sluice.log()}`,
    () => records(tag).length >= count && records(tag),
  )

beforeAll(async () => {
  port = await freePort()
  sluice = run({
    config: `<source>\n  @type forward\n  bind 127.0.0.1\n  port ${port}\n</source>\n<match **>\n  @type stdout\n</match>\n`,
  })
  await listening(port, sluice)
}, 20_000)

afterAll(async () => {
  expect(await sluice.stop()).toBe(0)
})

describe('fluent-logger for Node.js', () => {
  it('sends messages, and sees its acks', async () => {
    const logger = require('fluent-logger').createFluentSender('js.old', {
      host: '127.0.0.1',
      port,
      timeout: 3.0,
      requireAckResponse: true,
      ackResponseTimeout: 5000,
    })
    const problems: unknown[] = []
    logger.on('error', (error: unknown) => problems.push(error))
    await new Promise<void>((done) => logger.emit('one', { message: 'first', n: 1 }, () => done()))
    await new Promise<void>((done) =>
      logger.emit('one', { message: 'dva ž', f: 1.5 }, () => done()),
    )
    logger.end()
    expect(await received('js.old.one', 2)).toEqual([
      { message: 'first', n: 1 },
      { message: 'dva ž', f: 1.5 },
    ])
    expect(problems).toEqual([])
  })
})

describe('@fluent-org/logger', () => {
  it.each(['Message', 'Forward', 'PackedForward', 'CompressedPackedForward'] as const)(
    'sends in %s mode with acks',
    async (eventMode) => {
      const tag = `js.new.${eventMode.toLowerCase()}`
      const client = new FluentClient(tag, {
        socket: { host: '127.0.0.1', port },
        eventMode,
        ack: { ackTimeout: 5000 },
      })
      await Promise.all([client.emit({ i: 1 }), client.emit({ i: 2 })])
      await client.disconnect()
      expect(await received(tag, 2)).toEqual([{ i: 1 }, { i: 2 }])
    },
  )
})

const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import fluent.sender']).status === 0,
)

describe('fluent-logger for Python (Debian: python3-fluent-logger)', () => {
  // Only where Debian's package is installed: .ci/run installs it.
  it.skipIf(python === undefined)('sends events with nanoseconds', async () => {
    const script = `
from fluent import sender
s = sender.FluentSender('py', host='127.0.0.1', port=${port}, nanosecond_precision=True)
assert s.emit_with_time('one', sender.EventTime(1700000000.25), {'message': 'from python', 'n': 2**40})
assert s.emit('one', {'list': [1, None, True]})
s.close()
`
    execFileSync(python!, ['-c', script])
    expect(await received('py.one', 2)).toEqual([
      { message: 'from python', n: 2 ** 40 },
      { list: [1, null, true] },
    ])
    expect(sluice.lines.find((line) => line.includes('from python'))).toMatch(
      /^2023-11-14 22:13:20\.250000000 \+0000 py\.one: /,
    )
  })
})

describe('sluice cat', () => {
  it('sends JSON lines of its standard input', async () => {
    const child = spawn(process.execPath, [cli, 'cat', 'cat.one', '--port', String(port)])
    child.stdin.end('{"a":1}\n{"b":[true,null]}\n')
    const code = await new Promise((done) => child.once('exit', done))
    expect(code).toBe(0)
    expect(await received('cat.one', 2)).toEqual([{ a: 1 }, { b: [true, null] }])
  })
})
