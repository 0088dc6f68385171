import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/errors.ts'
import type { Output, Sink } from '../../../src/core/output.ts'
import { EventTime } from '../../../src/core/value.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { copyOutput } from '../../../src/outputs/copy/index.ts'
import { nullOutput } from '../../../src/outputs/null/index.ts'
import { roundrobinOutput } from '../../../src/outputs/roundrobin/index.ts'
import { batchOf } from '../../support/batches.ts'
import { outputOn, settle } from '../../support/output-world.ts'
import { bindText, createTestContext } from '../../support/plugin-context.ts'
import { spyOutput } from './spies.ts'

type Made = ReturnType<typeof outputOn>

async function turns({ host }: Made, count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await host.clock.advance(10)
    await settle()
  }
}

async function started(lines: string): Promise<Made> {
  const made = outputOn(lines)
  await made.host.disk.mkdir('/tmp')
  const starting = made.output.start()
  await turns(made)
  await starting
  return made
}

const buffer = (lines: string, keys = '') => `<buffer${keys}>\n@type memory\n${lines}\n</buffer>`

describe("'exec' and 'exec_filter'", () => {
  const packed = encode([new EventTime(1_700_000_000, 500_000_000), new Map([['n', 1]])] as never)
  const sections = (lines: string) =>
    `<format>\n@type json\n</format>\n<inject>\ntime_key t\n${lines}\n</inject>`
  const lines = {
    exec: 'command cat',
    exec_filter: 'command cat\ntag y\n<parse>\n@type json\n</parse>',
  }

  describe.each(['exec', 'exec_filter'] as const)('%s', (type) => {
    it.each<[string, unknown]>([
      ['time_type unixtime', 1_700_000_000],
      ['time_type float', 1_700_000_000.5],
      ['time_type string\ntime_format %H:%M\nlocaltime false', '22:13'],
      ['time_type string\ntime_format %H:%M\nlocaltime true', '07:13'],
    ])('<inject> with %j', (inject, time) => {
      const made = outputOn(`@type ${type}\n${lines[type]}\n${sections(inject)}\n${buffer('')}`)
      made.host.clock.localOffsetSeconds = () => 9 * 3600
      const definition = made.bound.definition as never as {
        createSink(params: unknown, context: unknown): Sink
      }
      const { formatter } = definition.createSink(made.bound.params, made.context)
      let text = ''
      formatter.format({ tag: 'x', packed, count: 1 }, 10_000, (bytes) => {
        text += Buffer.from(bytes).toString()
      })
      expect(JSON.parse(text)).toEqual({ n: 1, t: time })
    })
  })

  it("exec: delayed_commit_timeout changes nothing, each command's end is waited for", async () => {
    const text = '@type exec\ncommand cat\n<format>\n@type json\n</format>'
    const made = await started(
      `${text}\n${buffer('flush_mode immediate\ndelayed_commit_timeout 1')}`,
    )
    await made.output.emit(batchOf('x', [{ n: 1 }]))
    await made.host.clock.advance(5_000)
    await settle()
    expect(made.output.statistics?.()).toMatchObject({ deliveredEvents: 0, retryCount: 0 })
    made.host.processes.started[0]?.exit(0)
    await turns(made)
    expect(made.output.statistics?.()).toMatchObject({ deliveredEvents: 1, retryCount: 0 })
  })

  const filter = (more: string) =>
    `@type exec_filter\ncommand cat\ntag y\n<format>\n@type json\n</format>\n${more}\n${buffer('flush_mode immediate')}`
  const json = '<parse>\n@type json\n</parse>'

  it.each([
    ['unixtime', '100', 100],
    ['string\ntime_format %Y', '"1971"', 31_536_000],
  ])('exec_filter: <extract> time_type %s', async (timeType, value, seconds) => {
    const extract = `<extract>\ntime_key t\nutc true\ntime_type ${timeType}\n</extract>`
    const { host, events } = await started(filter(`${json}\n${extract}`))
    host.processes.started[0]?.say(`{"t":${value},"a":1}\n`)
    expect(events).toEqual([`y ${seconds} {"a":1}`])
  })

  it('exec_filter: read_block_size 1, what is there is read', async () => {
    const { host, events } = await started(filter(`${json}\nread_block_size 1`))
    host.processes.started[0]?.say('{"a":1}\n{"a":2}\n')
    expect(events).toHaveLength(2)
  })

  it('exec_filter: suppress_error_log_interval, a warning of a kind in 10 s', async () => {
    const made = await started(filter(`${json}\nsuppress_error_log_interval 0`))
    for (let n = 0; n < 3; n++) made.host.processes.started[0]?.say('nonsense\n')
    await turns(made)
    expect(made.host.log.messages('warn')).toHaveLength(1)
  })
})

describe("'file'", () => {
  it.each([true, false])('symlink_path_use_relative %s', async (relative) => {
    const link = `symlink_path /links/now\nsymlink_path_use_relative ${relative}`
    const text = `@type file\npath /out/log\n${link}\n<buffer>\n@type file\npath /out/buf\nflush_mode lazy\n</buffer>`
    const made = await started(text)
    await Promise.all([made.output.emit(batchOf('x', [{ n: 1 }])), turns(made)])
    await turns(made, 50)
    const target = await made.host.disk.readlink('/links/now')
    expect(target).toMatch(relative ? /^\.\.\/out\/buf/ : /^\/out\/buf/)
  })

  it.each([true, false])('recompress %s: the file holds the events, compressed', async (value) => {
    const text = `@type file\npath /out/log\ncompress gzip\nrecompress ${value}\nappend true`
    const made = await started(`${text}\n${buffer('flush_mode immediate\ncompress gzip')}`)
    await made.output.emit(batchOf('x', [{ n: 1 }]))
    const names = async () =>
      (await made.host.disk.readdir('/')).includes('out')
        ? await made.host.disk.readdir('/out')
        : []
    const isThere = async () => (await names()).some((name) => name.endsWith('.gz'))
    // Compression runs on a thread of its own.
    for (let turn = 0; turn < 500 && !(await isThere()); turn++) await turns(made, 1)
    await turns(made)
    const [name] = await names()
    const bytes = made.host.disk.readFileSync(`/out/${name}`)
    expect(gunzipSync(bytes).toString()).toContain('{"n":1}')
  })
})

describe('<buffer>', () => {
  const emitted = async (lines: string) => {
    const made = await started(lines)
    await made.output.emit(batchOf('x', [{ n: 1 }, { n: 2 }]))
    await made.output.emit(batchOf('y', [{ n: 1 }]))
    await turns(made)
    return made
  }

  it.each([
    ['buffer', '@label @L', ' tag', 2],
    ['buffer', '@label @L', ' tag,n', 3],
    ['null', '', ' tag', 2],
    ['null', '', ' tag,n', 3],
  ])('%s %j: chunk_keys%s make %i chunks', async (type, lines, keys, chunks) => {
    const made = await emitted(`@type ${type}\n${lines}\n${buffer('flush_mode lazy', keys)}`)
    expect(made.output.statistics?.().stagedLength).toBe(chunks)
  })

  it('null: what is beyond chunk_limit_size is not lost', async () => {
    const made = await emitted(`@type null\n${buffer('flush_mode immediate\nchunk_limit_size 1')}`)
    expect(made.output.statistics?.()).toMatchObject({ deliveredEvents: 3, droppedEvents: {} })
  })

  it.each([
    [true, 3],
    [false, 0],
  ])('null: flush_at_shutdown %s', async (flush, delivered) => {
    const settings = `flush_mode lazy\nflush_at_shutdown ${flush}`
    const made = await emitted(`@type null\n${buffer(settings)}`)
    const stopped = made.output.stop(new AbortController().signal)
    await turns(made, 100)
    await stopped
    expect(made.output.statistics?.().deliveredEvents).toBe(delivered)
  })
})

describe("'stdout'", () => {
  it.each([true, false])('use_logger %s: events go to standard output', async (value) => {
    const text = `@type stdout\nuse_logger ${value}\n${buffer('flush_mode immediate')}`
    const made = await started(text)
    await made.output.emit(batchOf('x', [{ n: 1 }]))
    await turns(made)
    expect(made.host.stdout.text()).toContain('{"n":1}')
    expect(made.host.log.messages('info')).toEqual([])
  })
})

describe('<store>', () => {
  /** What two stores get of two batches, where the first refuses. */
  async function taken(definition: typeof copyOutput, lines: (arg: string) => string, arg: string) {
    const refusing = spyOutput(() => {
      throw new Error('full')
    })
    const spies: Output[] = [refusing, spyOutput()]
    const outputs = [...spies]
    const { context } = createTestContext({ createOutput: () => outputs.shift()! } as never)
    const { params } = bindText(definition, lines(arg), '**', [nullOutput])
    const output = definition.create!(params as never, context)
    const said: string[] = []
    for (const tag of ['a', 'b']) {
      try {
        await output.emit(batchOf(tag, [{ n: 1 }]))
      } catch (error) {
        said.push((error as Error).message)
      }
    }
    return { said, second: (spies[1] as ReturnType<typeof spyOutput>).taken.length }
  }
  const stores = (arg: string) =>
    `<store${arg}>\n@type null\n</store>\n<store>\n@type null\n</store>`

  it('copy: its arg says whether an error ends the copy', async () => {
    expect(await taken(copyOutput, stores, '')).toEqual({ said: ['full', 'full'], second: 0 })
    const ignoring = await taken(copyOutput, stores, ' ignore_error')
    expect(ignoring).toEqual({ said: [], second: 2 })
    await expect(taken(copyOutput, stores, ' x')).rejects.toThrow(ConfigError)
  })

  it('copy: deep_copy is accepted, and changes nothing', async () => {
    const lines = (arg: string) => `deep_copy true\n${stores(arg)}`
    expect(await taken(copyOutput, lines, ' ignore_error')).toEqual({ said: [], second: 2 })
  })

  it('roundrobin: nothing asks for its arg', async () => {
    const plain = await taken(roundrobinOutput as never, stores, '')
    expect(await taken(roundrobinOutput as never, stores, ' any')).toEqual(plain)
  })
})
