import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createBuffered, hasCodec } from '../../../../src/buffer/index.ts'
import type { PluginContext } from '../../../../src/config/define.ts'
import type { Output } from '../../../../src/core/output.ts'
import { fileOutput } from '../../../../src/outputs/file/index.ts'
import { diskError } from '../../../support/memory-disk.ts'
import {
  batchOf,
  booksClose,
  bufferOf,
  formatOf,
  numbers,
  outputOf,
  plainFormatter,
  world,
} from '../../buffer/support.ts'

type Written = Readonly<Record<string, unknown>>

function made(params: Written, buffer: Written = { flush_mode: 'lazy' }, seed = 1) {
  const { host, context: plain } = world(seed)
  const context: PluginContext = { ...plain, createFormatter: () => plainFormatter }
  const bound = outputOf(fileOutput, {
    ...params,
    format: formatOf('out_file'),
    buffer: bufferOf({ timekey_use_utc: true, ...buffer }),
  })
  return { host, output: createBuffered(bound, context) }
}

type Made = ReturnType<typeof made>

async function stopped({ host, output }: Made): Promise<Record<string, string>> {
  const done = output.stop(new AbortController().signal)
  await host.clock.advance(5000)
  await done
  expect(booksClose(output.statistics!())).toBe(true)
  return host.disk.texts()
}

/** What files there are after the batches and a stop. */
async function filesOf(
  params: Written,
  buffer: Written,
  batches: Parameters<Output['emit']>[0][],
): Promise<Record<string, string>> {
  const one = made(params, buffer)
  await one.output.start()
  for (const batch of batches) await one.output.emit(batch)
  return await stopped(one)
}

const nov14 = 1_700_000_000

describe('names (golden c-file-*)', () => {
  const lazy = { flush_mode: 'lazy' }
  const day = { ...lazy, chunk_keys: ['time'], timekey: 86_400 }
  const two = [numbers('f.web.eu', 1, 1, nov14), numbers('f.db', 2, 1, nov14 + 86_400)]
  const web = 'f.web.eu 1\n'
  const db = 'f.db 2\n'
  it.each<[string, Written, Written, Record<string, string>]>([
    ['default', {}, day, { '/out/log.20231114_0.log': web, '/out/log.20231115_0.log': db }],
    [
      'append',
      { append: true },
      day,
      { '/out/log.20231114.log': web, '/out/log.20231115.log': db },
    ],
    ['no keys', {}, { ...lazy, chunk_keys: [] }, { '/out/log_0.log': web + db }],
    [
      'tag',
      { path: '/out/${tag}/${tag[1]}.part', append: true },
      { ...lazy, chunk_keys: ['tag'] },
      { '/out/f.web.eu/web.part.log': web, '/out/f.db/db.part.log': db },
    ],
    [
      'a part the tag does not have',
      { path: '/out/x_${tag[2]}_y', append: true },
      { ...lazy, chunk_keys: ['tag'] },
      { '/out/x_eu_y.log': web, '/out/x__y.log': db },
    ],
    [
      'zone',
      { path: '/out/%Y%m%d-%H', append: true },
      { ...day, timekey_use_utc: false, timekey_zone: '+09:00' },
      { '/out/20231115-00.log': web, '/out/20231116-00.log': db },
    ],
    [
      'suffix',
      { path_suffix: '.txt' },
      day,
      { '/out/log.20231114_0.txt': web, '/out/log.20231115_0.txt': db },
    ],
    [
      'no suffix',
      { add_path_suffix: false },
      { ...lazy, chunk_keys: [] },
      { '/out/log_0': web + db },
    ],
  ])('%s', async (_name, params, buffer, expected) => {
    expect(await filesOf({ path: '/out/log', ...params }, buffer, two)).toEqual(expected)
  })

  it('of chunk ids', async () => {
    const files = await filesOf({ path: '/out/id-${chunk_id}' }, { ...lazy, chunk_keys: [] }, two)
    expect(Object.keys(files)).toEqual([expect.stringMatching(/^\/out\/id-[0-9a-f]{32}_0\.log$/)])
  })

  it('without append: the first free index, also beyond many and in gaps', async () => {
    const one = made({ path: '/out/log' }, { ...lazy, chunk_keys: [] })
    for (const index of [0, 1, 2, 3, 4, 5, 7]) one.host.disk.put(`/out/log_${index}.log`, 'old')
    await one.output.start()
    for (let i = 0; i < 3; i += 1) {
      await one.output.emit(numbers('t', i, 1))
      const flushed = one.output.flush!()
      await one.host.clock.settle()
      await flushed
    }
    const files = await stopped(one)
    expect([files['/out/log_6.log'], files['/out/log_8.log'], files['/out/log_9.log']]).toEqual([
      't 0\n',
      't 1\n',
      't 2\n',
    ])
    expect(files['/out/log_5.log']).toBe('old')
  })

  it('gzip: a member for each chunk, one after another', async () => {
    const one = made({ path: '/out/z', append: true, compress: 'gz' }, { ...lazy, chunk_keys: [] })
    await one.output.start()
    for (let i = 0; i < 2; i += 1) {
      await one.output.emit(numbers('t', i, 1))
      const flushed = one.output.flush!()
      // Compression runs on other threads: the virtual clock does not wait for it.
      await flushed
    }
    expect(gunzipSync(one.host.disk.bytesOf('/out/z.log.gz')).toString()).toBe('t 0\nt 1\n')
  })

  it('directories are made, files have mode 0644', async () => {
    const one = made({ path: '/a/b/c/log', append: true }, { ...lazy, chunk_keys: [] })
    await one.output.start()
    await one.output.emit(numbers('t', 1, 1))
    await stopped(one)
    expect(one.host.disk.modeOf('/a/b/c/log.log')).toBe(0o644)
  })
})

describe('hostile tags and fields', () => {
  const byTag = { flush_mode: 'lazy', chunk_keys: ['tag'] }
  it.each([
    ['../../etc/cron.d/x', '/out/______etc_cron.d_x.log'],
    ['/etc/passwd', '/out/_etc_passwd.log'],
    ['..', '/out/__.log'],
    ['.', '/out/_.log'],
    ['a..b', '/out/a__b.log'],
    ['a\u0000b\nc\u001b[0m', '/out/a_b_c__0m.log'],
    ['žluťoučký', '/out/_lu_ou_k_.log'],
    ['${chunk_id}%Y*_**', '/out/__chunk_id__Y____.log'],
    ['', '/out/.log'],
  ])('%j', async (tag, path) => {
    const files = await filesOf({ path: '/out/${tag}', append: true }, byTag, [numbers(tag, 1, 1)])
    expect(files).toEqual({ [path]: `${tag} 1\n` })
  })

  it('as record fields', async () => {
    const record = (k: string) => batchOf('t', [{ record: { n: 1, k } }])
    const files = await filesOf(
      { path: '/out/${k}/x', append: true },
      { flush_mode: 'lazy', chunk_keys: ['k'] },
      [record('..'), record('../..'), record('a/b')],
    )
    expect(Object.keys(files).sort()).toEqual([
      '/out/__/x.log',
      '/out/_____/x.log',
      '/out/a_b/x.log',
    ])
  })

  it('that are too long for a file name go aside alone', async () => {
    const one = made({ path: '/out/${tag}', append: true }, byTag)
    await one.output.start()
    await one.output.emit(numbers('x'.repeat(5000), 1, 1))
    await one.output.emit(numbers('good', 2, 1))
    expect(filesBelow('/out/', await stopped(one))).toEqual({ '/out/good.log': 'good 2\n' })
    expect(one.output.statistics!().droppedEvents).toEqual({ backed_up: 1 })
  })

  it('do not follow symbolic links out of the directory', async () => {
    const one = made({ path: '/out/${tag}/x', append: true }, byTag)
    one.host.disk.put('/etc/secret', 'old')
    one.host.disk.put('/out/keep', '')
    await one.host.disk.symlink('/etc', '/out/evil')
    await one.host.disk.mkdir('/out/evil2')
    await one.host.disk.symlink('/etc/secret', '/out/evil2/x.log')
    await one.output.start()
    await one.output.emit(numbers('evil', 1, 1))
    await stopped(one)
    expect(one.host.disk.texts()['/etc/x.log']).toBe(undefined)
    expect(one.output.statistics!().droppedEvents).toEqual({ backed_up: 1 })

    const two = made({ path: '/out/${tag}/x', append: true }, { ...byTag, retry_max_times: 0 })
    two.host.disk.put('/etc/secret', 'old')
    await two.host.disk.mkdir('/out/evil2')
    await two.host.disk.symlink('/etc/secret', '/out/evil2/x.log')
    await two.output.start()
    await two.output.emit(numbers('evil2', 1, 1))
    await stopped(two)
    expect(two.host.disk.texts()['/etc/secret']).toBe('old')
  })
})

it.each<[string, string, (disk: Made['host']['disk']) => unknown]>([
  ['a link', '/out/${tag}', (disk) => disk.symlink('/etc/secret', '/out/evil.log')],
  ['a directory', '/out/${tag}', (disk) => disk.mkdir('/out/evil.log')],
  ['a file where a directory should be', '/out/${tag}/x', (disk) => disk.put('/out/evil', '')],
])('a tag that names %s goes aside, and others do not wait for it', async (_what, path, put) => {
  const keys = { flush_mode: 'immediate', chunk_keys: ['tag'], retry_randomize: false }
  const one = made({ path, append: true }, keys)
  one.host.disk.put('/etc/secret', 'old')
  one.host.disk.put('/out/keep', '')
  await put(one.host.disk)
  await one.output.start()
  await one.output.emit(numbers('evil', 1, 1))
  await one.output.emit(numbers('good', 2, 1))
  await one.host.clock.advance(500)
  const good = path.replace('${tag}', 'good')
  expect(one.host.disk.texts()[`${good}.log`]).toBe('good 2\n')
  expect(one.host.disk.texts()['/etc/secret']).toBe('old')
  expect(one.output.statistics!()).toMatchObject({
    deliveredEvents: 1,
    droppedEvents: { backed_up: 1 },
  })
})

describe('a disk that fails', () => {
  const append = { path: '/out/log', append: true }
  const keys = { flush_mode: 'immediate', chunk_keys: [], retry_randomize: false }

  it('leaves no part of a chunk in a file that is appended to', async () => {
    const one = made(append, keys)
    one.host.disk.put('/out/log.log', 'before\n')
    one.host.disk.capacityBytes = 12
    await one.output.start()
    await one.output.emit(numbers('t', 1, 3))
    await one.host.clock.advance(500)
    expect(one.host.disk.texts()).toEqual({ '/out/log.log': 'before\n' })
    one.host.disk.capacityBytes = 1000
    await one.host.clock.advance(1000)
    expect(one.host.disk.texts()).toEqual({ '/out/log.log': 'before\nt 1\nt 2\nt 3\n' })
    expect(one.output.statistics!()).toMatchObject({ deliveredEvents: 3, rollbackCount: 1 })
  })

  it('leaves no part of a chunk in a file of its own', async () => {
    const one = made({ path: '/out/log' }, keys)
    one.host.disk.put('/out/x', '')
    one.host.disk.capacityBytes = 5
    await one.output.start()
    await one.output.emit(numbers('t', 1, 3))
    await one.host.clock.advance(500)
    expect(one.host.disk.paths()).not.toContain('/out/log_0.log')
    one.host.disk.capacityBytes = 1000
    await one.host.clock.advance(1000)
    expect(one.host.disk.texts()['/out/log_0.log']).toBe('t 1\nt 2\nt 3\n')
  })

  it.each(['open', 'handle.stat', 'handle.writev', 'handle.close'] as const)(
    'at %s: is tried again',
    async (operation) => {
      const one = made(append, keys)
      await one.output.start()
      let failed = false
      one.host.disk.fault = (now, path) => {
        if (now !== operation || failed) return
        failed = true
        throw diskError('EIO', path)
      }
      await one.output.emit(numbers('t', 1, 1))
      await one.host.clock.advance(3000)
      expect(failed).toBe(true)
      expect(one.host.disk.texts()['/out/log.log']).toContain('t 1\n')
      expect(one.output.statistics!()).toMatchObject({ deliveredEvents: 1 })
    },
  )
})

describe('appending at the same time', () => {
  it('keeps chunks whole', async () => {
    const one = made(
      { path: '/out/log', append: true, add_path_suffix: false },
      { flush_mode: 'immediate', chunk_keys: [], flush_thread_count: 4, chunk_limit_records: 1 },
    )
    await one.output.start()
    await one.output.emit(numbers('t', 1, 50))
    await one.host.clock.settle()
    const lines = one.host.disk.texts()['/out/log']!.trimEnd().split('\n')
    expect(new Set(lines).size).toBe(50)
  })
})

describe('configuration', () => {
  it.each<[string, Written, Written, string]>([
    [
      'golden h-placeholders',
      { path: '/x.${tag}' },
      { chunk_keys: ['time'], timekey: 86_400 },
      "chunk key 'tag' is not configured",
    ],
    ['star without time', { path: '/x.*' }, { chunk_keys: [] }, "path including '*'"],
    [
      'tag key without placeholder',
      { path: '/x' },
      { chunk_keys: ['tag'] },
      "doesn't have tag placeholder",
    ],
  ])('%s', (_name, params, buffer, words) => {
    expect(() => made(params, buffer)).toThrow(words)
  })

  it.skipIf(hasCodec('zstd'))('zstd is refused where Node.js has none', () => {
    expect(() => made({ path: '/x', compress: 'zstd' }, { chunk_keys: [] })).toThrow(
      'Node.js 22.15',
    )
  })

  it('a directory that cannot be written is found before start', async () => {
    const one = made({ path: '/out/log' }, { chunk_keys: [] })
    one.host.disk.put('/out', 'a file')
    await expect(one.output.check!()).rejects.toThrow('out_file: `/out/log_0.log` is not writable')
    await expect(one.output.start()).rejects.toThrow('is not writable')
  })
})

function filesBelow(directory: string, texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([path]) => path.startsWith(directory)))
}
