import { describe, expect, it } from 'vitest'
import { PermanentError } from '../../../src/core/errors.ts'
import type { Sink } from '../../../src/core/output.ts'
import { EventTime } from '../../../src/core/value.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { relabelOutput } from '../../../src/outputs/relabel/index.ts'
import { batchOf } from '../../support/batches.ts'
import { createFakeHost } from '../../support/fake-host.ts'
import { outputOn, settle } from '../../support/output-world.ts'
import { bindText, createTestContext } from '../../support/plugin-context.ts'

/** The lines of each output beside its buffer. */
const outputs: readonly (readonly [type: string, lines: string])[] = [
  ['buffer', '@label @L'],
  ['exec', 'command cat\n<format>\n@type json\n</format>'],
  [
    'exec_filter',
    'command cat\ntag y\n<format>\n@type json\n</format>\n<parse>\n@type json\n</parse>',
  ],
  ['file', 'path /f'],
  ['forward', 'heartbeat_type none\n<server>\nhost 127.0.0.1\nport 1\n</server>'],
  ['http', 'endpoint http://127.0.0.1:1/\n<format>\n@type json\n</format>'],
  ['null', ''],
  ['stdout', ''],
]
const keys = (type: string) => (['buffer', 'forward'].includes(type) ? ' tag' : '')
const textOf = (type: string, lines: string, more: string) =>
  `@type ${type}\n${lines}\n${more}\n<buffer${keys(type)}>\n@type memory\nflush_mode immediate\n</buffer>`

describe('slow_flush_log_threshold', () => {
  const slow = 'buffer flush took longer time than slow_flush_log_threshold'

  // Each delivery takes more than less than nothing; none takes the 20 s of the default.
  it.each(outputs)('%s: a delivery that takes longer is said and counted', async (type, lines) => {
    const said: unknown[] = []
    for (const more of ['slow_flush_log_threshold -1', '']) {
      const { output, host } = outputOn(textOf(type, lines, more))
      await output.start()
      await output.emit(batchOf('x', [{ n: 1 }]))
      for (let turn = 0; turn < 5; turn++) {
        await host.clock.advance(10)
        await settle()
      }
      const warned = host.log.messages('warn').includes(slow)
      said.push([warned, (output.statistics?.().slowFlushCount ?? 0) > 0])
      for (const child of host.processes.started) child.exit(0)
      const stopped = output.stop(AbortSignal.abort())
      await host.clock.advance(1_000)
      await stopped
    }
    expect(said).toEqual([
      [true, true],
      [false, false],
    ])
  })
})

describe('time_as_integer', () => {
  const time = new EventTime(1_700_000_000, 123_456_789)
  const packed = encode([time, new Map([['n', 1]])] as never)
  const integer = encode([1_700_000_000, new Map([['n', 1]])] as never)

  function bytesOf(type: string, lines: string, more: string): string {
    const { bound, context } = outputOn(textOf(type, lines, more))
    const definition = bound.definition as never as {
      createSink(params: unknown, context: unknown): Sink
    }
    const { formatter } = definition.createSink(bound.params, context)
    const pieces: Uint8Array[] = []
    formatter.format({ tag: 'x', packed, count: 1 }, 100_000, (bytes) => {
      pieces.push(new Uint8Array(bytes))
    })
    return Buffer.concat(pieces).toString('hex')
  }

  it.each(outputs)('%s: of MessagePack only', (type, lines) => {
    const without = bytesOf(type, lines, '')
    const given = bytesOf(type, lines, 'time_as_integer true')
    if (type === 'buffer' || type === 'forward') {
      expect([without, given]).toEqual([hex(packed), hex(integer)])
    } else {
      expect(without).not.toBe('')
      expect(given).toBe(without)
    }
  })
})

describe('<secondary>', () => {
  it.each(outputs)('%s: @type names the output that takes over', (type, lines) => {
    const secondary = '<secondary>\n@type secondary_file\ndirectory /s\n</secondary>'
    const { bound } = outputOn(textOf(type, lines, secondary))
    const { params } = bound as never as { params: { secondary: { type: string } } }
    expect(params.secondary.type).toBe('secondary_file')
    const unknown = secondary.replace('secondary_file', 'secondary_fil')
    expect(() => outputOn(textOf(type, lines, unknown))).toThrow('secondary_fil')
  })
})

describe('outputs without chunks of their own', () => {
  const both = 'slow_flush_log_threshold -1\ntime_as_integer true'

  it('relabel hands on what it gets', async () => {
    const bound = bindText(relabelOutput, `@label @L\n${both}`)
    const { context, emitted, fake } = createTestContext({ label: '@L' } as never)
    const output = relabelOutput.create!(bound.params as never, context)
    const batch = batchOf('x', [{ n: 1 }])
    await output.emit(batch)
    expect(emitted).toMatchObject([{ tag: 'x', count: 1 }])
    expect(emitted[0]!.packed).toEqual(Uint8Array.from(batch.packed))
    expect(fake.log.messages('warn')).toEqual([])
  })

  it('secondary_file keeps the primary’s chunks as they are', async () => {
    const kept: (string | undefined)[] = []
    for (const more of ['', both]) {
      const host = createFakeHost()
      const secondary = `<secondary>\n@type secondary_file\ndirectory /s\n${more}\n</secondary>`
      const buffer = '@type memory\nflush_mode immediate'
      const text = `@type buffer\n@label @L\n<buffer tag>\n${buffer}\n</buffer>\n${secondary}`
      const started = outputOn(text, host)
      started.answer = () => Promise.reject(new PermanentError('refused', 'no'))
      await started.output.start()
      await started.output.emit(batchOf('x', [{ n: 1 }]))
      for (let turn = 0; turn < 20; turn++) {
        await host.clock.advance(500)
        await settle()
      }
      const names = await host.disk.readdir('/s')
      kept.push(names.map((name) => hex(host.disk.readFileSync(`/s/${name}`))).join())
      expect(started.output.statistics?.()).toMatchObject({ deliveredEvents: 1, slowFlushCount: 0 })
    }
    expect(kept[0]).not.toBe('')
    expect(kept[1]).toBe(kept[0])
  })
})

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
