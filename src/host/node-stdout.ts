import { write as writeFile } from 'node:fs'
import { isatty } from 'node:tty'
import { type StdoutWriter, stdoutQueueLimitBytes } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { terminalSafe } from './terminal-safe.ts'

/** Bytes are collected in blocks of this size while a write is under way. */
const blockBytes = 512 * 1024

/** Blocks kept for the next burst. */
const sparesMost = 16

/**
 * How long a full pipe, and a full disk behind the redirection, is left alone before the next try.
 */
const fullPipeDelayMs = 2
const failureDelayMs = 1_000

type Callback = (error: NodeJS.ErrnoException | null, written: number) => void
/** fs.write on file descriptor 1; another one in tests. */
export type WriteBytes = (bytes: Uint8Array, offset: number, length: number, done: Callback) => void

interface Block {
  readonly bytes: Uint8Array
  /** Filled up to here, and written up to there. */
  filled: number
  written: number
}

export function createNodeStdout(options: {
  log: Logger
  write?: WriteBytes
  /** Whether people look at it: what comes from anywhere must not control their terminal. */
  isTerminal?: boolean
}): StdoutWriter {
  const { log, isTerminal = isatty(1) } = options
  const write: WriteBytes =
    options.write ?? ((bytes, offset, length, done) => writeFile(1, bytes, offset, length, done))
  const queue: Block[] = []
  /** Blocks that were written: filled again, so that full speed makes no garbage. */
  const spares: Block[] = []
  /** Of all bytes ever: taken, and written. */
  let taken = 0
  let written = 0
  let busy = false
  let troubled = false
  let gone: Error | undefined
  /** `at`: of `written`. */
  let waiters: { at: number; done: (error?: Error) => void }[] = []

  function append(bytes: Uint8Array): void {
    let offset = 0
    while (offset < bytes.byteLength) {
      const block = openBlock()
      const count = Math.min(bytes.byteLength - offset, blockBytes - block.filled)
      block.bytes.set(bytes.subarray(offset, offset + count), block.filled)
      block.filled += count
      offset += count
    }
    taken += bytes.byteLength
  }

  /**
   * The last block if it has room. The one being written may still be filled: only bytes behind the
   * written range.
   */
  function openBlock(): Block {
    const last = queue.at(-1)
    if (last !== undefined && last.filled < blockBytes) return last
    const block = spares.pop() ?? {
      bytes: Buffer.allocUnsafeSlow(blockBytes),
      filled: 0,
      written: 0,
    }
    queue.push(block)
    return block
  }

  function pump(): void {
    const block = queue[0]
    if (busy || gone !== undefined || block === undefined) return
    busy = true
    write(block.bytes, block.written, block.filled - block.written, (error, count) => {
      busy = false
      if (error !== null) return failed(error)
      troubled = false
      block.written += count
      written += count
      if (block.written === block.filled) {
        queue.shift()
        block.filled = 0
        block.written = 0
        if (spares.length < sparesMost) spares.push(block)
      }
      release()
      pump()
    })
  }

  function failed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE' || error.code === 'EBADF') {
      gone = error
      log.error('standard output is gone: events for it are lost', {
        error,
        bytes: taken - written,
      })
      queue.length = 0
      for (const { done } of waiters) done(error)
      waiters = []
      return
    }
    const full = error.code === 'EAGAIN' || error.code === 'EINTR'
    if (!full && !troubled) log.error('cannot write to standard output, trying again', { error })
    troubled ||= !full
    setTimeout(pump, full ? fullPipeDelayMs : failureDelayMs)
  }

  function release(): void {
    if (waiters.length === 0) return
    const ready = waiters.filter(({ at }) => at <= written)
    waiters = waiters.filter(({ at }) => at > written)
    for (const { done } of ready) done()
  }

  const room = () =>
    new Promise<void>((resolve, reject) => {
      const done = (error?: Error) => (error === undefined ? resolve() : reject(error))
      waiters.push({ at: taken - stdoutQueueLimitBytes / 2, done })
    })

  return {
    write(bytes) {
      if (gone !== undefined) return Promise.reject(gone)
      append(isTerminal ? terminalSafe(bytes) : bytes)
      pump()
      return taken - written > stdoutQueueLimitBytes ? room() : undefined
    },
    drain() {
      if (taken === written || gone !== undefined) return Promise.resolve(taken === written)
      const at = taken
      return new Promise((resolve) => {
        waiters.push({ at, done: (error) => resolve(error === undefined) })
      })
    },
  }
}
