import { describe, expect, it } from 'vitest'
import { createBufferedOutput } from '../../../src/buffer/buffered-output.ts'
import { fileNames } from '../../../src/buffer/file-store-names.ts'
import { encodeMeta } from '../../../src/buffer/meta.ts'
import { bufferCommand } from '../../../src/cli/buffer.ts'
import { type BufferCommand, parseBuffer } from '../../../src/cli/buffer-options.ts'
import type { OutputPlace } from '../../../src/cli/buffer-places.ts'
import { printable } from '../../../src/cli/buffer-print.ts'
import { UsageError } from '../../../src/cli/parse-options.ts'
import { EventTime } from '../../../src/core/value.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { createMemoryDisk, type MemoryDisk } from '../../support/memory-disk.ts'
import { bufferOf, numbers, spySink, world } from '../buffer/support.ts'

const ids = ['a1', 'b2', 'c3', 'd4'].map((start) => start.padEnd(32, '0'))
const directory = '/buf'

function outputAt(more: Partial<OutputPlace> = {}): OutputPlace {
  const names = fileNames('buffer', '.log')
  const place = { directory, prefix: 'buffer', suffix: '.log' }
  return {
    id: 'web',
    buffers: [{ place, names }],
    chunkKeys: ['tag'],
    fileMode: 0o644,
    scans: [
      { directory, output: 'web', owns: (name) => names.parse(name) !== undefined },
      { directory: '/store/backup/worker0/web', output: 'web' },
      { directory: '/store/buffer/web', output: 'web', keptCopies: true },
    ],
    ...more,
  }
}

const meta = (id: string, tag: string, count: number) =>
  encodeMeta({
    metadata: { timekey: undefined, tag, variables: undefined },
    id,
    count,
    createdSeconds: 1_700_000_000,
    modifiedSeconds: 1_700_000_001,
  }).bytes

const note = (id: string, more: object = {}) =>
  JSON.stringify({
    version: 1,
    output: 'web',
    type: 'http',
    chunk: id,
    events: 2,
    bytes: 20,
    time: '2026-01-02T03:04:05.000Z',
    created: '2026-01-02T03:00:00.000Z',
    code: 'http_400',
    reason: '400 no',
    timekey: null,
    tag: 'app.x',
    variables: null,
    ...more,
  })

/** A buffer that Fluentd left, a backup of ours, and one of Fluentd's. */
function disk(): MemoryDisk {
  const made = createMemoryDisk()
  made.put(`${directory}/buffer.b${ids[0]}.log`, '{"n":1}\n{"n":2}\n')
  made.put(`${directory}/buffer.b${ids[0]}.log.meta`, meta(ids[0]!, 'app.y', 2))
  made.put(`${directory}/unrelated.txt`, 'x')
  made.put(`/store/backup/worker0/web/${ids[1]}.log`, '{"m":"\u001b[2J"}\n{"n":3}\n')
  made.put(`/store/backup/worker0/web/${ids[1]}.log.json`, note(ids[1]!))
  made.put(`/store/backup/worker0/web/${ids[2]}.log`, '{"n":4}\n')
  return made
}

async function run(of: {
  args: readonly string[]
  disk: MemoryDisk
  outputs?: readonly OutputPlace[]
}) {
  const printed: string[] = []
  const said: string[] = []
  const code = await bufferCommand(parseBuffer(of.args) as BufferCommand, {
    disk: of.disk,
    outputs: of.outputs ?? [outputAt()],
    print: (line) => void printed.push(line),
    say: (line) => void said.push(line),
  })
  return { code, printed: printed.join('\n'), said: said.join('\n') }
}

describe('ls', () => {
  it('shows what waits, where, since when and why', async () => {
    const { code, printed } = await run({ args: ['ls'], disk: disk() })
    expect(code).toBe(0)
    const rows = printed.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))
    expect(rows[0]).toBe('STATE | OUTPUT | ID | EVENTS | BYTES | SINCE | KEYS | REASON')
    expect(rows).toContain(
      `staged | web | ${ids[0]} | 2 | 16 | 2023-11-14T22:13:20Z | tag=app.y | -`,
    )
    expect(rows.some((row) => row.includes('| tag=app.x | 400 no (http_400)'))).toBe(true)
    expect(rows.some((row) => row.startsWith(`backup | web | ${ids[2]} | 1 | 8`))).toBe(true)
    expect(rows.at(-1)).toMatch(/^3 chunks, 5 events, /)
  })

  it('--json: a line each', async () => {
    const { printed } = await run({ args: ['ls', '--json'], disk: disk() })
    const all = printed.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(all.map(({ id, tag }) => [id, tag]).sort()).toEqual([
      [ids[0], 'app.y'],
      [ids[1], 'app.x'],
      [ids[2], null],
    ])
  })

  it('a directory, and those below it, without a configuration', async () => {
    const { printed } = await run({ args: ['ls', '/store', '--json'], disk: disk(), outputs: [] })
    expect(printed.split('\n')).toHaveLength(2)
  })

  it('chunks that a file buffer of ours holds now', async () => {
    const { host, context } = world()
    const sink = spySink()
    sink.behave = () => {
      throw new Error('down')
    }
    const output = createBufferedOutput({
      sink,
      buffer: bufferOf({ path: directory, flush_mode: 'lazy', chunk_keys: ['tag'] }, 'file'),
      context: Object.assign(Object.create(context), {
        system: { ...context.system, rootDir: '/store' },
      }),
    })
    await output.start()
    const safe = output.emit(numbers('app.z', 1, 7))
    await host.clock.settle()
    await safe
    const { printed } = await run({ args: ['ls', '--json'], disk: host.disk as MemoryDisk })
    expect(JSON.parse(printed)).toMatchObject({ state: 'staged', events: 7, tag: 'app.z' })
  })

  it('goes on where something cannot be read, and says so', async () => {
    const made = disk()
    made.put(`${directory}/buffer.q${ids[3]}.log`, 'x\n')
    made.fault = (operation, path) => {
      if (operation === 'open' && path.includes(ids[3]!)) throw new Error('no permission')
    }
    const { code, printed, said } = await run({ args: ['ls'], disk: made })
    expect(code).toBe(1)
    expect(said).toContain('no permission')
    expect(printed).toMatch(/3 chunks/)
  })
})

describe('inspect', () => {
  it('shows the first events, and nothing that a terminal obeys', async () => {
    const { printed } = await run({ args: ['inspect', 'b2', '-n', '1'], disk: disk() })
    expect(printed).toContain('reason: 400 no (http_400)')
    expect(printed.split('\n').at(-1)).toBe('  {"m":"\\u001b[2J"}')
  })

  it('reads MessagePack', async () => {
    const made = createMemoryDisk()
    const entry = encode([new EventTime(5, undefined), new Map([['n', 1]])])
    made.put(`/d/buffer.q${ids[0]}.log`, Buffer.concat([entry, entry]))
    const { printed } = await run({ args: ['inspect', 'a1', '--json', '-d', '/d'], disk: made })
    expect(JSON.parse(printed)).toMatchObject({ events: 2, first: ['[5,{"n":1}]', '[5,{"n":1}]'] })
  })

  it.each([
    ['none', 'ff'],
    ['several', ''],
  ])('%s of that name', async (_name, id) => {
    await expect(run({ args: ['inspect', id], disk: disk() })).rejects.toThrow(UsageError)
  })
})

describe('replay', () => {
  it('queues a backup, which the output delivers from its next start on', async () => {
    const { host, context } = world()
    const made = host.disk as MemoryDisk
    made.put(`/store/backup/worker0/web/${ids[1]}.log`, '{"n":3}\n{"n":4}\n')
    made.put(`/store/backup/worker0/web/${ids[1]}.log.json`, note(ids[1]!))
    const { code } = await run({ args: ['replay', '--all'], disk: made })
    expect(code).toBe(0)
    expect(made.paths().filter((path) => path.startsWith('/store') && !path.endsWith('/'))).toEqual(
      [],
    )
    const sink = spySink()
    const output = createBufferedOutput({
      sink,
      buffer: bufferOf({ path: directory, chunk_keys: ['tag'] }, 'file'),
      context,
    })
    await output.start()
    await host.clock.advance(100)
    expect(sink.delivered).toEqual(['{"n":3}\n{"n":4}\n'])
    expect(sink.chunks[0]).toMatchObject({ count: 2, metadata: { tag: 'app.x' } })
  })

  it('an output that runs takes it when it is told to flush, once', async () => {
    const { host, context } = world()
    const made = host.disk as MemoryDisk
    const sink = spySink()
    const output = createBufferedOutput({
      sink,
      buffer: bufferOf({ path: directory, flush_mode: 'lazy', chunk_keys: ['tag'] }, 'file'),
      context,
    })
    await output.start()
    const safe = output.emit(numbers('app.z', 1, 2))
    await host.clock.settle()
    await safe
    made.put(`/store/backup/worker0/web/${ids[1]}.log`, '{"n":3}\n{"n":4}\n')
    made.put(`/store/backup/worker0/web/${ids[1]}.log.json`, note(ids[1]!))
    sink.behave = () => {
      throw new Error('down')
    }
    expect((await run({ args: ['replay', '--all'], disk: made })).code).toBe(0)
    await Promise.race([Promise.all([output.flush?.(), output.flush?.()]), host.clock.advance(10)])
    sink.behave = () => undefined
    await host.clock.advance(60_000)
    await output.flush?.()
    await host.clock.advance(100)
    expect([...sink.delivered].sort()).toEqual(['app.z 1\napp.z 2\n', '{"n":3}\n{"n":4}\n'])
    expect(output.statistics?.()).toMatchObject({
      emittedEvents: 4,
      deliveredEvents: 4,
      bufferedEvents: 0,
    })
  })

  it('what Fluentd kept has no tag: it has to be said', async () => {
    const made = disk()
    const refused = await run({ args: ['replay', 'c3'], disk: made })
    expect(refused.code).toBe(1)
    expect(refused.said).toContain('say --tag TAG')
    const { code } = await run({ args: ['replay', 'c3', '--tag', 'app.q'], disk: made })
    expect(code).toBe(0)
    expect(made.texts()[`${directory}/buffer.q${ids[2]}.log`]).toBe('{"n":4}\n')
  })

  it.each([
    ['a buffer in memory', [outputAt({ buffers: [] })], 'b2', 'in memory'],
    ['an output that is not there', [outputAt({ id: 'other' })], 'b2', 'name one by --to (other)'],
    ['a chunk that waits anyway', [outputAt()], 'a1', 'a staged chunk is on its way already'],
  ])('not to or from %s, and nothing is touched', async (_name, outputs, id, words) => {
    const made = disk()
    const before = made.texts()
    const { code, said } = await run({ args: ['replay', id], disk: made, outputs })
    expect(code).toBe(1)
    expect(said).toContain(words)
    expect(made.texts()).toEqual(before)
  })

  it('a part of a damaged chunk, where it is named, with what is known of it', async () => {
    const made = createMemoryDisk()
    const path = `/store/backup/worker0/web/${ids[3]}.120.log`
    made.put(path, '{"n":5}\n{"n"')
    made.put(`${path}.reason`, 'bytes 120 to 133 are not as they were written\n')
    made.put(`${path}.meta`, meta(ids[3]!, 'app.d', 0))
    expect((await run({ args: ['replay', '--all'], disk: made })).printed).toBe('')
    const { code } = await run({ args: ['replay', `${ids[3]}.120`], disk: made })
    expect(code).toBe(0)
    const files = Object.keys(made.texts()).sort()
    expect(files).toHaveLength(2)
    expect(files[0]).toMatch(/^\/buf\/buffer\.q[0-9a-f]{32}\.log$/)
    expect(made.texts()[files[0]!]).toBe('{"n":5}\n{"n"')
  })

  it('a disk that fails at any step loses nothing', async () => {
    for (let step = 0; ; step += 1) {
      const made = disk()
      let left = step
      made.fault = (operation) => {
        if (/^(rename|unlink|handle\.(write|sync))$/.test(operation) && left-- === 0) {
          throw Object.assign(new Error('EIO'), { code: 'EIO' })
        }
      }
      const { code } = await run({ args: ['replay', 'b2'], disk: made })
      const copies = Object.entries(made.texts()).filter(
        ([path, text]) => /[.bq/]b20+\.log$/.test(path) && text.includes('"n":3'),
      )
      expect(copies.length).toBeGreaterThan(0)
      if (code === 0) {
        expect(step).toBeGreaterThan(4)
        break
      }
    }
  })
})

describe('drop', () => {
  it('asks for --yes', () => {
    expect(() => parseBuffer(['drop', '--all'])).toThrow('--yes')
  })

  it('--all is what lies aside, not what waits', async () => {
    const made = disk()
    const { printed } = await run({ args: ['drop', '--all', '--yes'], disk: made })
    expect(printed.split('\n')).toHaveLength(2)
    expect(Object.keys(made.texts())).toEqual([
      `${directory}/buffer.b${ids[0]}.log`,
      `${directory}/buffer.b${ids[0]}.log.meta`,
      `${directory}/unrelated.txt`,
    ])
  })
})

describe('arguments', () => {
  it.each([
    [[], 'what to do is missing'],
    [['look'], '"look" is none of'],
    [['inspect'], 'which chunks?'],
    [['inspect', 'a', '--all'], 'either chunks or --all'],
    [['replay', 'a', '-d', '/x'], 'replay needs -c FILE'],
    [['ls', '--color'], 'unknown option --color'],
  ])('%j: %s', (args, words) => {
    expect(() => parseBuffer(args)).toThrow(words)
  })

  it('control characters and turned text become visible', () => {
    expect(printable('a\u001b[1m\u202eb\u009b\n')).toBe('a\\u001b[1m\\u202eb\\u009b\\u000a')
  })
})
