import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stdoutQueueLimitBytes } from '../../../src/core/host.ts'
import { createNodeStdout, type WriteBytes } from '../../../src/host/node-stdout.ts'
import { createRecordingLog } from '../../support/fake-host.ts'

/** A file descriptor that takes what `take` says, when `go` is called. */
function slowDescriptor() {
  const written: Buffer[] = []
  const waiting: (() => void)[] = []
  let inFlight = 0
  const state = {
    most: Number.POSITIVE_INFINITY,
    error: undefined as string | undefined,
    mostInFlight: 0,
    bytes: () => Buffer.concat(written),
    text: () => Buffer.concat(written).toString(),
    /** Finishes the write under way. */
    go: () => waiting.shift()?.(),
    get waiting() {
      return waiting.length
    },
  }
  const write: WriteBytes = (bytes, offset, length, done) => {
    inFlight += 1
    state.mostInFlight = Math.max(state.mostInFlight, inFlight)
    waiting.push(() => {
      inFlight -= 1
      if (state.error !== undefined) {
        done(Object.assign(new Error(state.error), { code: state.error }), 0)
        return
      }
      const count = Math.min(length, state.most)
      written.push(Buffer.from(bytes.subarray(offset, offset + count)))
      done(null, count)
    })
  }
  return { state, write }
}

function setup(isTerminal = false) {
  const { state, write } = slowDescriptor()
  const log = createRecordingLog()
  const stdout = createNodeStdout({ log, write, isTerminal })
  return { state, log, stdout }
}

const all = (state: { go(): unknown; waiting: number }) => {
  while (state.waiting > 0) state.go()
}

describe('standard output', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('writes in order, one write at a time, and drains', async () => {
    const { state, stdout } = setup()
    const bytes = Buffer.from('first ')
    expect(stdout.write(bytes)).toBeUndefined()
    bytes.fill(0)
    for (let n = 0; n < 5; n++) stdout.write(Buffer.from(`${n} `))
    const drained = stdout.drain()
    all(state)
    await drained
    expect(state.text()).toBe('first 0 1 2 3 4 ')
    expect(state.mostInFlight).toBe(1)
    await stdout.drain()
  })

  it('shows control characters on a terminal, and passes them on elsewhere', () => {
    const line = Buffer.from('a\tb\r\u001b[31m \u0000 \u007f \u009b1m é \u0080 ü\n')
    const shown = Buffer.concat([
      Buffer.from('a\tb\\x0d\\x1b[31m \\x00 \\x7f '),
      Buffer.from([0xc2]),
      Buffer.from('\\x9b1m é '),
      Buffer.from([0xc2]),
      Buffer.from('\\x80 ü\n'),
    ])
    for (const isTerminal of [true, false]) {
      const { state, stdout } = setup(isTerminal)
      stdout.write(line)
      all(state)
      expect(state.bytes()).toEqual(isTerminal ? shown : line)
    }
  })

  it('goes on after short writes, and over many blocks', async () => {
    const { state, stdout } = setup()
    state.most = 77_777
    let sent = ''
    for (let n = 0; n < 30; n++) {
      const piece = String.fromCharCode(97 + (n % 26)).repeat(100_000)
      sent += piece
      stdout.write(Buffer.from(piece))
      if (n % 3 === 0) state.go()
    }
    const drained = stdout.drain()
    all(state)
    await drained
    expect(state.text() === sent).toBe(true)
  })

  it('pushes back above its limit, until there is room', async () => {
    const { state, stdout } = setup()
    const quarter = Buffer.alloc(stdoutQueueLimitBytes / 4, 'x')
    for (let n = 0; n < 4; n++) expect(stdout.write(quarter)).toBeUndefined()
    let room = false
    const waiting = stdout.write(quarter)
    expect(waiting).toBeInstanceOf(Promise)
    void (waiting as Promise<void>).then(() => {
      room = true
    })
    await Promise.resolve()
    expect(room).toBe(false)
    all(state)
    await waiting
    expect(room).toBe(true)
    expect(state.text().length).toBe((stdoutQueueLimitBytes / 4) * 5)
  })

  it.each(['EAGAIN', 'ENOSPC'])('tries again after %s', async (code) => {
    const { state, stdout, log } = setup()
    state.error = code
    stdout.write(Buffer.from('kept'))
    for (let n = 0; n < 3; n++) {
      state.go()
      vi.advanceTimersByTime(1_000)
    }
    state.error = undefined
    const drained = stdout.drain()
    all(state)
    await drained
    expect(state.text()).toBe('kept')
    expect(log.messages('error')).toHaveLength(code === 'EAGAIN' ? 0 : 1)
  })

  it('drains what stood there when it was asked, however much comes behind it', async () => {
    const { state, stdout } = setup()
    stdout.write(Buffer.from('a'))
    stdout.write(Buffer.from('b'))
    const drained = stdout.drain()
    let settled = false
    void drained.then(() => {
      settled = true
    })
    state.go()
    await Promise.resolve()
    expect(settled).toBe(false)
    stdout.write(Buffer.from('c'))
    state.go()
    expect(await drained).toBe(true)
    expect(state.waiting).toBe(1)
  })

  it('is gone after EPIPE: says so once, and rejects', async () => {
    const { state, stdout, log } = setup()
    state.error = 'EPIPE'
    const big = Buffer.alloc(stdoutQueueLimitBytes + 1)
    const waiting = stdout.write(big) as Promise<void>
    const refused = expect(waiting).rejects.toMatchObject({ code: 'EPIPE' })
    const drained = stdout.drain()
    all(state)
    await refused
    expect(await drained).toBe(false)
    expect(await stdout.drain()).toBe(false)
    await expect(stdout.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'EPIPE' })
    expect(log.messages('error')).toEqual(['standard output is gone: events for it are lost'])
    expect(state.waiting).toBe(0)
  })
})
