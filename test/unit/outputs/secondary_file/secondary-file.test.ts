import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createBufferedOutput } from '../../../../src/buffer/index.ts'
import type { BoundPlugin } from '../../../../src/config/schema.ts'
import { ConfigError, PermanentError } from '../../../../src/core/errors.ts'
import { copyOutput } from '../../../../src/outputs/copy/index.ts'
import { fileOutput } from '../../../../src/outputs/file/index.ts'
import { secondaryFileOutput } from '../../../../src/outputs/secondary_file/index.ts'
import { booksClose, bufferOf, numbers, outputOf, spySink, world } from '../../buffer/support.ts'

type Written = Readonly<Record<string, unknown>>

function made(secondary: BoundPlugin, buffer: Written = {}) {
  const { host, context } = world()
  const sink = spySink()
  sink.behave = () => {
    throw new PermanentError('http_400', 'no')
  }
  const output = createBufferedOutput({
    sink,
    buffer: bufferOf({ flush_mode: 'immediate', chunk_keys: ['tag'], ...buffer }),
    secondary,
    context,
  })
  return { host, output }
}

const secondaryFile = (params: Written) => outputOf(secondaryFileOutput, params)

async function written(params: Written, buffer: Written = {}, tags = ['h.x', 'h.x']) {
  const one = made(secondaryFile(params), buffer)
  await one.output.start()
  for (const [i, tag] of tags.entries()) {
    await one.output.emit(numbers(tag, i, 1))
    await one.output.flush!()
  }
  expect(one.output.statistics!()).toMatchObject({
    deliveredEvents: tags.length,
    droppedEvents: {},
  })
  expect(booksClose(one.output.statistics!())).toBe(true)
  return one.host.disk
}

describe('secondary_file', () => {
  it.each<[string, Written, Record<string, string>]>([
    [
      'golden d-secondary',
      { directory: '/sec', basename: 'dump.${tag}' },
      { '/sec/dump.h.x.0': 'h.x 0\n', '/sec/dump.h.x.1': 'h.x 1\n' },
    ],
    [
      'default name',
      { directory: '/sec/' },
      { '/sec/dump.bin.0': 'h.x 0\n', '/sec/dump.bin.1': 'h.x 1\n' },
    ],
    ['append', { directory: '/sec', append: true }, { '/sec/dump.bin': 'h.x 0\nh.x 1\n' }],
    [
      'placeholder in the directory',
      { directory: '/sec/${tag[1]}', append: true },
      { '/sec/x/dump.bin': 'h.x 0\nh.x 1\n' },
    ],
  ])('%s', async (_name, params, expected) => {
    expect((await written(params)).texts()).toEqual(expected)
  })

  it('gzip', async () => {
    const disk = await written({ directory: '/sec', append: true, compress: 'gzip' })
    expect(gunzipSync(disk.bytesOf('/sec/dump.bin.gz')).toString()).toBe('h.x 0\nh.x 1\n')
  })

  it('makes hostile tags harmless', async () => {
    const disk = await written({ directory: '/sec', basename: '${tag}' }, {}, ['../../etc/passwd'])
    expect(Object.keys(disk.texts())).toEqual(['/sec/______etc_passwd.0'])
  })

  it.each<[string, Written, string]>([
    ['time', { basename: 'a%Y' }, 'remove time formats'],
    ['tag', { basename: '${tag}' }, 'remove tag placeholder'],
    ['field', { basename: '${k}' }, 'remove variable placeholder, like `${k}`'],
    ['slash', { basename: 'a/b' }, 'basename should not include `/`'],
  ])('wrong: %s', (_name, params, words) => {
    const make = () => made(secondaryFile({ directory: '/sec', ...params }), { chunk_keys: [] })
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(words)
  })

  it('is for <secondary> only', () => {
    const bound = secondaryFile({ directory: '/sec' })
    expect(() => secondaryFileOutput.createSink!(bound.params as never, world().context)).toThrow(
      'can only be used in the <secondary> section',
    )
  })

  it('a directory that cannot be written is found before start', async () => {
    const one = made(secondaryFile({ directory: '/sec' }))
    one.host.disk.put('/sec', 'a file')
    await expect(one.output.check!()).rejects.toThrow('`/sec` should be writable')
  })
})

describe('other secondaries', () => {
  it('file: with the primary’s chunks as they are', async () => {
    const one = made(outputOf(fileOutput, { path: '/out/lost', append: true }))
    await one.output.start()
    await one.output.emit(numbers('a', 1, 1))
    await one.output.emit(numbers('b', 2, 1))
    await one.output.flush!()
    expect(one.host.disk.texts()).toEqual({ '/out/lost.log': 'a 1\nb 2\n' })
  })

  it.each<[string, BoundPlugin, string]>([
    ['one without chunks', outputOf(copyOutput, {}), "output 'copy' cannot be used as <secondary>"],
    [
      'with a buffer',
      outputOf(fileOutput, { path: '/x', buffer: bufferOf() }),
      '<secondary> section cannot have <buffer> section',
    ],
    [
      'with a secondary',
      outputOf(fileOutput, { path: '/x', secondary: secondaryFile({ directory: '/y' }) }),
      '<secondary> section cannot have <secondary> section',
    ],
  ])('wrong: %s', (_name, secondary, words) => {
    expect(() => made(secondary)).toThrow(words)
  })
})
