import { spawn } from 'node:child_process'
import process from 'node:process'
import type { ChildProcess, ProcessExit, Processes, ProcessHandler } from '../core/host.ts'

/** Programs by /bin/sh, each in a process group of its own, so that a signal reaches all that a command line started. */
export function createNodeProcesses(): Processes {
  return {
    start({ command, stdin, stdout, stderr }, handler) {
      const merged = stderr === 'with_stdout'
      const child = spawn('/bin/sh', ['-c', merged ? `exec 2>&1\n${command}` : command], {
        detached: true,
        stdio: [
          stdin === 'pipe' ? 'pipe' : 'ignore',
          stdout === 'pipe' ? 'pipe' : 'ignore',
          stderr === 'inherit' ? 'inherit' : 'ignore',
        ],
      })
      const exit = once(handler)
      child.once('error', (error) => exit({ code: undefined, signal: undefined, error }))
      child.once('close', (code, signal) =>
        exit({ code: code ?? undefined, signal: signal ?? undefined }),
      )
      child.stdout?.on('data', (bytes: Buffer) => handler.onOutput(bytes))
      // Writes are told of it by their callbacks.
      child.stdin?.on('error', () => undefined)
      return handleOf(child)
    },
  }
}

function once(handler: ProcessHandler): (exit: ProcessExit) => void {
  let exited = false
  return (exit) => {
    if (exited) return
    exited = true
    handler.onExit(exit)
  }
}

function handleOf(child: ReturnType<typeof spawn>): ChildProcess {
  return {
    pid: child.pid,
    write(bytes) {
      return new Promise((resolve, reject) => {
        const { stdin } = child
        if (stdin === null) {
          reject(new Error('bug: the process has no standard input'))
          return
        }
        stdin.write(bytes, (error) => (error ? reject(error) : resolve()))
      })
    },
    closeInput: () => void child.stdin?.end(),
    pause: () => void child.stdout?.pause(),
    resume: () => void child.stdout?.resume(),
    kill(signal) {
      // Once it has ended, its number may be another's.
      const ended = child.exitCode !== null || child.signalCode !== null
      // What it has started may still hold its output.
      if (!ended || child.stdout?.closed === false) killGroup(child.pid, `SIG${signal}`)
    },
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
