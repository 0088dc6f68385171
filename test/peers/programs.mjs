import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import net from 'node:net'

export { freePort } from '../support/free-port.mjs'

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

/** A program that receives on `port` and, if it is the last one, prints a line of JSON for each event. */
export class Program {
  log = ''
  #lines = []
  #rest = ''
  #child
  #port
  #ended

  constructor(command, { config, path, port }) {
    writeFileSync(path, config)
    this.#port = port
    const [program, ...args] = command.split(' ')
    this.#child = spawn(program, [...args, '-c', path], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = new Promise((done) => this.#child.once('close', done))
    this.#child.stderr.on('data', (text) => {
      this.log += text
    })
    this.#child.stdout.on('data', (text) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop()
      this.#lines.push(...lines)
    })
  }

  /** The `n` of each event that was printed. */
  numbers() {
    return this.#lines
      .map((line) => /\{.*"n":\s*(\d+).*\}/.exec(line)?.[1])
      .filter((n) => n !== undefined)
  }

  async listening() {
    const deadline = Date.now() + 20_000
    for (;;) {
      const up = await new Promise((done) => {
        const socket = net.connect(this.#port, '127.0.0.1')
        socket
          .once('connect', () => done(socket.destroy() && true))
          .once('error', () => done(false))
      })
      if (up) return
      if (Date.now() > deadline || this.#child.exitCode !== null) {
        throw new Error(`it does not listen:\n${this.log}\n${this.#lines.join('\n')}`)
      }
      await sleep(50)
    }
  }

  async stop() {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.#ended
    clearTimeout(timer)
  }
}

/** Hands bytes on in both directions, and keeps them. */
export function recorded(port, to) {
  const connections = []
  const server = net.createServer((client) => {
    const connection = { sent: [], answered: [] }
    connections.push(connection)
    const target = net.connect(to, '127.0.0.1')
    const both = [client, target]
    client.on('data', (piece) => connection.sent.push(piece))
    target.on('data', (piece) => connection.answered.push(piece))
    client.pipe(target).pipe(client)
    const end = () => {
      for (const socket of both) socket.destroy()
    }
    for (const socket of both) socket.on('error', end)
  })
  return new Promise((done) =>
    server.listen(port, '127.0.0.1', () => done({ connections, close: () => server.close() })),
  )
}
