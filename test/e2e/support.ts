import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export { freePort } from '../support/free-port.mjs'

/** The built command, as a user runs it, with a directory and ports of its own. */
export interface Running {
  readonly child: ChildProcess
  readonly dir: string
  /** Whole lines of standard output so far. */
  readonly lines: readonly string[]
  /** Standard error so far. */
  log(): string
  /** Sends the signal (TERM by default) and waits; the exit code, or the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
  exited: Promise<number | string>
}

export const cli = resolve('dist/cli.js')

/** A forward source on loopback; `more` are lines of it. */
export const forwardOn = (port: number | undefined, more = ''): string => `<source>
  @type forward
  bind 127.0.0.1
  port ${port}
  ${more}
</source>`

/** Starts `node dist/cli.js` with `args`; `config` is written to a file and given as -c. `files` are there before. */
export function run(options: {
  config?: string
  files?: Readonly<Record<string, string>>
  args?: readonly string[]
  env?: Record<string, string>
  /** Instead of a directory of its own. */
  cwd?: string
}): Running {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-e2e-'))
  const args = [...(options.args ?? [])]
  for (const [name, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  if (options.config !== undefined) {
    const path = join(dir, 'fluent.conf')
    writeFileSync(path, options.config.replaceAll('@DIR@', dir))
    args.push('-c', path)
  }
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? dir,
    env: { ...process.env, TZ: 'UTC', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  let rest = ''
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = new Promise<number | string>((done) => {
    child.once('close', (code, signal) => {
      rmSync(dir, { recursive: true, force: true })
      done(code ?? signal ?? 'unknown')
    })
  })
  return {
    child,
    dir,
    lines,
    exited,
    log: () => log,
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
  }
}

/** Polls until `look` gives something other than undefined and false; rejects with `what` after `limitMs`. */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) {
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`)
    }
    await new Promise((done) => setTimeout(done, 20))
  }
}

/** Resolves when something accepts connections there; rejects early when the process has ended. */
export async function listening(port: number, running: Running): Promise<void> {
  let ended: number | string | undefined
  void running.exited.then((code) => {
    ended = code
  })
  await until(
    () => `port ${port}; the receiver said:\n${running.log()}`,
    () => {
      if (ended !== undefined) throw new Error(`the receiver ended (${ended}):\n${running.log()}`)
      return new Promise<boolean>((done) => {
        const socket = net.connect(port, '127.0.0.1', () => {
          socket.destroy()
          done(true)
        })
        socket.once('error', () => done(false))
      })
    },
  )
}

/** Connects, sends, ends, and gives what came back when the server has closed. */
export function exchange(port: number, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((done, fail) => {
    const parts: Buffer[] = []
    const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.on('data', (part) => parts.push(part))
    socket.once('error', fail)
    socket.once('close', () => done(Buffer.concat(parts)))
  })
}
