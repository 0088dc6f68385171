import { describe, expect, it } from 'vitest'
import { backupDirectory } from '../../../src/buffer/backup.ts'
import { createBufferedOutput } from '../../../src/buffer/buffered-output.ts'
import { PermanentError } from '../../../src/core/errors.ts'
import { diskError } from '../../support/memory-disk.ts'
import { booksClose, bufferOf, numbers, spySink, world } from './support.ts'

async function rig(written: Readonly<Record<string, unknown>> = {}, rootDir?: string) {
  const { host, context } = world()
  const sink = Object.assign(spySink(), { eventEnd: '\n' as const })
  const system = { ...context.system, rootDir }
  const output = createBufferedOutput({
    sink,
    buffer: bufferOf({ flush_mode: 'immediate', chunk_keys: ['tag'], ...written }),
    context: Object.assign(Object.create(context), { system }),
  })
  await output.start()
  const texts = () => host.disk.texts()
  return { host, output, sink, texts, stats: () => output.statistics!() }
}

const refuse = (bad: string) => (text: string) => {
  if (text.includes(bad)) {
    throw new PermanentError('http_400', '400 bad event', { because: 'events' })
  }
}

describe('the backup directory', () => {
  it('gets the refused event alone, with its reason; the rest is delivered', async () => {
    const { host, output, sink, texts, stats } = await rig({}, '/store')
    const judge = refuse('t 3\n')
    sink.behave = async (chunk) => judge(Buffer.concat(await chunk.read()).toString())
    await output.emit(numbers('t', 1, 5))
    await host.clock.settle()
    const [path] = host.disk
      .paths()
      .filter((one) => /backup\/worker0\/out\/[0-9a-f]{32}\.log$/.test(one))
    expect(texts()[path!]).toBe('t 3\n')
    expect(path!.startsWith('/store/backup/worker0/out/')).toBe(true)
    expect(JSON.parse(texts()[`${path}.json`]!)).toMatchObject({
      output: 'out',
      events: 1,
      bytes: 4,
      code: 'http_400',
      reason: '400 bad event',
      tag: 't',
      timekey: null,
      refused: [{ events: 1, bytes: 4, code: 'http_400' }],
    })
    expect(stats()).toMatchObject({ deliveredEvents: 4, droppedEvents: { backed_up: 1 } })
    expect(stats().bufferedEvents).toBe(0)
    expect(booksClose(stats())).toBe(true)
  })

  it('is /tmp/fluent without root_dir, and then only ours to read', async () => {
    const { host, output, sink } = await rig()
    sink.behave = () => {
      throw new PermanentError('x', 'no')
    }
    await output.emit(numbers('t', 1, 1))
    await host.clock.settle()
    const [path] = host.disk.paths().filter((one) => one.endsWith('.log'))
    expect(path).toMatch(/^\/tmp\/fluent\/backup\/worker0\/out\//)
    expect(host.disk.modeOf(path!) & 0o077).toBe(0)
  })

  it.each([
    ['switched off', { disable_chunk_backup: true }, undefined],
    ['cannot be made', {}, 'EACCES'],
  ])('%s: the events are dropped, counted as rejected', async (_name, written, code) => {
    const { host, output, sink, stats } = await rig(written)
    host.disk.fault = (_operation, path) => {
      if (code !== undefined && path.includes('backup')) throw diskError(code, path)
    }
    sink.behave = () => {
      throw new PermanentError('x', 'no')
    }
    await output.emit(numbers('t', 1, 2))
    await host.clock.settle()
    expect(stats()).toMatchObject({ droppedEvents: { rejected: 2 }, bufferedEvents: 0 })
  })

  it('a full disk: the chunk waits until there is room', async () => {
    const { host, output, sink, stats } = await rig()
    host.disk.fault = (_operation, path) => {
      if (path.includes('backup')) throw diskError('ENOSPC', path)
    }
    sink.behave = () => {
      throw new PermanentError('x', 'no')
    }
    await output.emit(numbers('t', 1, 2))
    await host.clock.settle()
    expect(stats()).toMatchObject({ droppedEvents: {}, bufferedEvents: 2 })
    host.disk.fault = undefined
    await host.clock.advance(5000)
    expect(stats()).toMatchObject({ droppedEvents: { backed_up: 2 }, bufferedEvents: 0 })
  })

  it.each([
    ['http_0', '/r/backup/worker2/http_0'],
    ['a/b:c', '/r/backup/worker2/a_b_c'],
    ['..', '/r/backup/worker2/_'],
  ])('has a place for output %s', (id, path) => {
    expect(backupDirectory('/r', { workerId: 2, id })).toBe(path)
  })
})

describe('the last line of an output', () => {
  it('closes the books', async () => {
    const { host, output, sink } = await rig({ disable_chunk_backup: true })
    const judge = refuse('t 2\n')
    sink.behave = async (chunk) => judge(Buffer.concat(await chunk.read()).toString())
    await output.emit(numbers('t', 1, 3))
    await host.clock.settle()
    await output.stop(new AbortController().signal)
    const said = host.log.lines.filter((line) => line.message === 'events of this output')
    expect(said.map((line) => [line.level, line.fields])).toEqual([
      ['info', { received: 3, delivered: 2, buffered: 0, dropped_rejected: 1 }],
    ])
  })
})
