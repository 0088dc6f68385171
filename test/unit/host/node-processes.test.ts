import { describe, expect, it } from 'vitest'
import type { ProcessExit, ProcessOptions } from '../../../src/core/host.ts'
import { createNodeProcesses } from '../../../src/host/node-processes.ts'

const processes = createNodeProcesses()

function start(command: string, options: Partial<ProcessOptions> = {}) {
  let output = ''
  let heard = () => {}
  const firstOutput = new Promise<void>((resolve) => (heard = resolve))
  let exit = (_exit: ProcessExit) => {}
  const exited = new Promise<ProcessExit>((resolve) => (exit = resolve))
  const child = processes.start(
    { command, stdin: 'none', stdout: 'pipe', stderr: 'discard', ...options },
    {
      onOutput(bytes) {
        output += Buffer.from(bytes).toString()
        heard()
      },
      onExit: (status) => exit(status),
    },
  )
  return { child, exited, firstOutput, output: () => output }
}

describe('processes', () => {
  it.each<[string, Partial<ProcessOptions>, string, Partial<ProcessExit>]>([
    ['echo one; echo two >&2', {}, 'one\n', { code: 0 }],
    ['echo one; echo two >&2', { stderr: 'with_stdout' }, 'one\ntwo\n', { code: 0 }],
    ['cat; exit 3', {}, '', { code: 3 }],
    ['echo one', { stdout: 'discard' }, '', { code: 0 }],
    ['no-such-program-here', {}, '', { code: 127 }],
    ['kill -9 $$', {}, '', { code: undefined, signal: 'SIGKILL' }],
  ])('%s %o', async (command, options, expected, exit) => {
    const { exited, output } = start(command, options)
    expect(await exited).toMatchObject(exit)
    expect(output()).toBe(expected)
  })

  it('feeds a program, and waits while it does not read', async () => {
    const { child, exited, output } = start('sleep 0.2; wc -c', { stdin: 'pipe' })
    const large = Buffer.alloc(1_000_000, 'x')
    await child.write(large)
    child.closeInput()
    expect(await exited).toMatchObject({ code: 0 })
    expect(output().trim()).toBe('1000000')
  })

  it('rejects what a program does not read any more', async () => {
    const { child, exited } = start('exit 0', { stdin: 'pipe' })
    await exited
    await expect(child.write(Buffer.alloc(100_000))).rejects.toThrow()
    child.kill('TERM')
  })

  it('ends everything that a command line has started', async () => {
    const { child, exited, firstOutput } = start(
      'sleep 1000 | sleep 1000 & echo up; sleep 1000; wait',
    )
    await firstOutput
    child.kill('TERM')
    // Its output ends only when nobody holds it any more.
    expect((await exited).signal).toBe('SIGTERM')
  })
})
