import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLogFile, openStandardError } from '../../../src/host/node-log-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const troubles: string[] = []
const open = (more: Partial<Parameters<typeof openLogFile>[0]> = {}) =>
  openLogFile({
    path: join(folder, 'deep/s.log'),
    localMs: () => Date.now(),
    trouble: (message) => void troubles.push(message),
    ...more,
  })
const text = (name: string) => readFileSync(join(folder, 'deep', name), 'utf8')

describe('a log file', () => {
  it('is made with its folder, and appended to', () => {
    open().write('one\n')
    open().write('two\n')
    expect(text('s.log')).toBe('one\ntwo\n')
  })

  it('is opened anew by its name', () => {
    const file = open()
    file.write('one\n')
    renameSync(join(folder, 'deep/s.log'), join(folder, 'deep/moved.log'))
    file.write('two\n')
    file.reopen()
    file.write('three\n')
    expect([text('moved.log'), text('s.log')]).toEqual(['one\ntwo\n', 'three\n'])
  })

  it('keeps as many generations as asked for', () => {
    const file = open({ rotateAge: 3, rotateSizeBytes: 5 })
    for (const word of ['first', 'second', 'third', 'fourth']) file.write(`${word}\n`)
    expect(readdirSync(join(folder, 'deep')).sort()).toEqual(['s.log', 's.log.0', 's.log.1'])
    expect([text('s.log'), text('s.log.0'), text('s.log.1')]).toEqual([
      'fourth\n',
      'third\n',
      'second\n',
    ])
  })

  const days: ['daily' | 'weekly' | 'monthly', string, string, string][] = [
    ['daily', '2026-11-20T23:59:59Z', '2026-11-21T00:00:00Z', '20261120'],
    ['weekly', '2026-11-20T12:00:00Z', '2026-11-22T00:00:00Z', '20261121'],
    ['monthly', '2026-11-20T12:00:00Z', '2026-12-01T00:00:00Z', '20261130'],
  ]
  it.each(days)('is moved away %s', (rotateAge, before, after, suffix) => {
    let now = Date.parse(before)
    const file = open({ rotateAge, localMs: () => now })
    file.write('old\n')
    now = Date.parse(after)
    file.write('new\n')
    expect([text(`s.log.${suffix}`), text('s.log')]).toEqual(['old\n', 'new\n'])
  })

  it('tells of trouble once, and goes on', () => {
    const file = open()
    rmSync(join(folder, 'deep'), { recursive: true })
    file.reopen()
    file.reopen()
    expect(troubles).toHaveLength(1)
    expect(troubles[0]).toMatch(/cannot reopen the log file: ENOENT/)
  })
})

describe('standard error', () => {
  /** A descriptor that takes `most` bytes at once, when it is told to. */
  function slowDescriptor(most: number) {
    let taken = ''
    const pending: (() => void)[] = []
    return {
      text: () => taken,
      step: () => pending.shift()?.(),
      get busy() {
        return pending.length > 0
      },
      write(
        bytes: Uint8Array,
        offset: number,
        done: (error: NodeJS.ErrnoException | null, written: number) => void,
      ) {
        pending.push(() => {
          const piece = bytes.subarray(offset, offset + most)
          taken += Buffer.from(piece).toString()
          done(null, piece.length)
        })
      },
    }
  }

  it('keeps the order of lines over short writes, and says when all is out', async () => {
    const slow = slowDescriptor(4)
    const log = openStandardError(slow.write)
    log.write('first\n')
    log.write('second\n')
    const flushed = log.flush()
    while (slow.busy) slow.step()
    await flushed
    expect(slow.text()).toBe('first\nsecond\n')
  })

  it('counts what does not fit while nobody reads', async () => {
    const slow = slowDescriptor(1e9)
    const log = openStandardError(slow.write)
    const line = `${'x'.repeat(1023)}\n`
    for (let index = 0; index < 1100; index++) log.write(line)
    while (slow.busy) slow.step()
    await log.flush()
    const lines = slow.text().split('\n')
    expect(lines.filter((each) => each.startsWith('x'))).toHaveLength(1025)
    expect(slow.text()).toContain('sluice: 75 lines of the log are lost')
  })

  it('lets go once its reader is gone', async () => {
    const log = openStandardError((_bytes, _offset, done) =>
      done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }), 0),
    )
    log.write('one\n')
    log.write('two\n')
    await expect(log.flush()).resolves.toBeUndefined()
  })
})
