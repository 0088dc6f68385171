import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export { freePort } from '../support/free-port.mjs'

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export const now = () => performance.timeOrigin + performance.now()

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export function temporaryDirectory() {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-faults-'))
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The real command, with a configuration in a directory of its own; started, killed and started again. */
export class Server {
  log = ''
  constructor({ dir, port, config }) {
    this.dir = dir
    this.port = port
    this.path = path.join(dir, 'fluent.conf')
    fs.writeFileSync(this.path, config)
  }
  async start() {
    const started = now()
    this.child = spawn(process.execPath, [cli, '--suppress-config-dump', '-c', this.path], {
      cwd: this.dir,
      env: { ...process.env, TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.ended = undefined
    this.child.stderr.on('data', (data) => {
      this.log = (this.log + data).slice(-200_000)
    })
    const { child } = this
    this.exited = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        if (this.child === child) this.ended = signal ?? code
        resolve(signal ?? code)
      }),
    )
    while (!(await accepts(this.port))) {
      if (this.ended !== undefined)
        throw new Error(`the receiver ended (${this.ended}):\n${this.log.slice(-3000)}`)
      if (now() - started > 15_000)
        throw new Error(`the receiver does not listen:\n${this.log.slice(-3000)}`)
      await sleep(2)
    }
    return now() - started
  }
  /** Resolves when it has ended, with the milliseconds that took. */
  async signal(name) {
    const sent = now()
    this.child.kill(name)
    await Promise.race([this.exited, sleep(20_000)])
    if (this.ended === undefined) {
      this.child.kill('SIGKILL')
      await this.exited
    }
    return now() - sent
  }
  get alive() {
    return this.ended === undefined
  }
  #status(field) {
    try {
      const text = fs.readFileSync(`/proc/${this.child.pid}/status`, 'latin1')
      return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1] ?? 0) / 1024
    } catch {
      // It ended: there is nothing to be read.
      return 0
    }
  }
  memoryMb() {
    return this.#status('VmRSS')
  }
  peakMb() {
    return this.#status('VmHWM')
  }
  /** Begins to measure the peak anew. */
  resetPeak() {
    fs.writeFileSync(`/proc/${this.child.pid}/clear_refs`, '5')
  }
  async end() {
    if (this.child !== undefined && this.alive) await this.signal('SIGTERM')
    fs.rmSync(this.dir, { recursive: true, force: true })
  }
}

export const source = (port) => `<source>\n@type forward\nbind 127.0.0.1\nport ${port}\n</source>\n`

/** An output to files, with a buffer in files or in memory. */
export function fileOutput({ out, buffer, intervalSeconds = 0.1, more = '' }) {
  const store = buffer === undefined ? '@type memory' : `@type file\npath ${buffer}`
  return `@type file\npath ${out}\nappend true\nadd_path_suffix false\n<format>\n@type json\n</format>\n<buffer []>\n${store}\nflush_mode interval\nflush_interval ${intervalSeconds}\nretry_wait 0.2\nretry_max_interval 1\n${more}\n</buffer>\n`
}
