import { type App, createApp } from '../../../src/app.ts'
import { bufferSection, outputParams } from '../../../src/buffer/index.ts'
import { defineOutput } from '../../../src/config/define.ts'
import { parseConfig } from '../../../src/config/index.ts'
import { plugin } from '../../../src/config/schema.ts'
import { ConfigErrors } from '../../../src/core/errors.ts'
import { ClientHandshake } from '../../../src/forward/handshake-client.ts'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel, type Kernel } from '../../../src/kernel/index.ts'
import { plugins } from '../../../src/plugins.ts'
import { expectBooksClose } from '../../support/books.ts'
import { createFakeHost, type FakeHost } from '../../support/fake-host.ts'
import type { TestClient } from '../../support/memory-net.ts'
import { poisoned } from '../../support/poisoned-kernel.ts'
import type { Input } from './inputs.ts'

const ports = { forward: 24_224, secure: 24_225, http: 9880, lines: 5170, syslog: 5140 }

const configText = `
<source>
  @type forward
  @id in_forward
  port ${ports.forward}
  chunk_size_limit 1m
  decompression_size_limit 4m
</source>
<source>
  @type forward
  @id in_secure
  port ${ports.secure}
  source_hostname_key host
  <security>
    self_hostname fuzz
    shared_key fuzzing
    user_auth true
    <user>
      username u
      password p
    </user>
  </security>
</source>
<source>
  @type http
  @id in_http
  port ${ports.http}
</source>
<source>
  @type tcp
  @id in_tcp
  tag tcp
  port ${ports.lines}
  <parse>
    @type apache2
  </parse>
</source>
<source>
  @type syslog
  @id in_syslog
  tag syslog
  port ${ports.syslog}
  protocol_type tcp
</source>
<filter tcp>
  @type grep
  <exclude>
    key agent
    pattern /(x+)+$/
  </exclude>
</filter>
<match **>
  @type copy
  <store>
    @type gather
    @id out_json
    <buffer>
      flush_interval 1s
    </buffer>
  </store>
  <store>
    @type gather
    @id out_msgpack
    <format>
      @type msgpack
    </format>
    <buffer tag>
      flush_interval 1s
      chunk_limit_size 64k
    </buffer>
  </store>
  <store>
    @type null
    @id out_null
  </store>
</match>
<label @ERROR>
  <match **>
    @type null
    @id out_error
  </match>
</label>
`

const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'fuzz' }

let kernel: Kernel | undefined

/** The application in a world of memory: inputs in, books checked. One lasts for many inputs, so that what leaks is seen. */
export class World {
  readonly host: FakeHost
  readonly #app: App
  #clients: TestClient[] = []

  private constructor(host: FakeHost) {
    this.host = host
    kernel ??= poisoned(createKernel(loadKernel()))
    const config = parseConfig({ path: 'fuzz.conf', text: configText, ...world })
    if (config.errors.length > 0) throw new ConfigErrors(config.errors)
    this.#app = createApp({ host, plugins: [...plugins, gather], kernel, config })
  }

  static async start(): Promise<World> {
    const made = new World(createFakeHost())
    await made.#app.start()
    return made
  }

  /** Sends all, lets time pass, and checks what must hold. Throws what is wrong; gives what the log said, without numbers. */
  async play(inputs: readonly Input[]): Promise<string> {
    const asked = await Promise.all(inputs.map((input) => this.#send(input)))
    await this.host.clock.settle()
    for (const client of this.#clients) client.end()
    await this.host.clock.advance(1100)
    for (const client of this.#clients) if (client.closed === 'no') client.destroy()
    this.#clients = []
    await this.host.clock.settle()
    for (const status of asked) {
      if (status !== undefined && (status < 200 || status === 500 || status > 599)) {
        throw new Error(`a request was answered with ${status}`)
      }
    }
    this.#check()
    const said = this.host.log.lines.map((line) => line.message.replace(/\d+/g, 'n')).join('|')
    this.host.log.lines.length = 0
    return said
  }

  /** What counters say now: what makes inputs differ in what they did. */
  figures(): string {
    return this.#app.view
      .plugins()
      .map((view) => `${view.emittedRecords} ${JSON.stringify(view.statistics()?.droppedEvents)}`)
      .join()
  }

  /** Events that reached the outputs. */
  events(): number {
    const view = this.#app.view.plugins().find(({ id }) => id === 'out_null')
    return view?.statistics()?.emittedEvents ?? 0
  }

  async stop(): Promise<void> {
    await this.#app.stop(AbortSignal.timeout(10_000))
    this.#check()
  }

  #check(): void {
    expectBooksClose(this.#app)
    const bad = this.host.log.lines.find((line) => line.level === 'fatal' || isBug(line.fields))
    if (bad !== undefined) throw new Error(`logged: ${bad.message} ${String(bad.fields.error)}`)
    const views = this.#app.view.plugins()
    const emitted = (id: string) =>
      views.find((view) => view.id === id)?.statistics()?.emittedEvents
    const events = emitted('out_null')
    for (const id of ['out_json', 'out_msgpack']) {
      if (emitted(id) !== events) {
        throw new Error(`${id} got ${emitted(id)} events, out_null ${events}`)
      }
      const gathered = gatheredEvents.get(id) ?? 0
      const delivered = views.find((view) => view.id === id)?.statistics()?.deliveredEvents ?? 0
      if (gathered !== delivered)
        throw new Error(`${id}: ${gathered} arrived, ${delivered} counted`)
    }
  }

  async #send(input: Input): Promise<number | undefined> {
    switch (input.kind) {
      case 'forward':
      case 'json':
        this.#connect(ports.forward, input)
        return undefined
      case 'lines':
        this.#connect(input.cuts.length % 2 === 0 ? ports.lines : ports.syslog, input)
        return undefined
      case 'handshake':
        await this.#shakeHands(input)
        return undefined
      case 'http':
        return this.#post(input)
      case 'config':
        checkConfig(input.bytes.toString(), this.host)
        return undefined
    }
  }

  #connect(port: number, input: Input): void {
    const client = this.host.net.client(port)
    this.#clients.push(client)
    sendInPieces(client, input)
  }

  /** Answers HELO: with a right PING, one that the bytes change, or the bytes themselves; then sends the bytes. */
  async #shakeHands(input: Input): Promise<void> {
    const client = this.host.net.client(ports.secure)
    this.#clients.push(client)
    await this.host.clock.settle()
    const handshake = new ClientHandshake(
      { selfHostname: 'c', sharedKey: 'fuzzing', username: 'u', password: 'p' },
      new Uint8Array(16),
    )
    const step = handshake.data(client.received())
    if (step.kind === 'send') {
      const ping = Buffer.from(step.bytes)
      const way = (input.bytes[0] ?? 0) % 3
      if (way === 1) ping[(input.bytes[1] ?? 0) % ping.length]! ^= 1 << ((input.bytes[2] ?? 0) % 8)
      if (way < 2) client.send(ping)
    }
    await this.host.clock.settle()
    if (client.closed === 'no') sendInPieces(client, input)
  }

  async #post(input: Input): Promise<number> {
    const way = input.cuts[0] ?? 0
    const types = ['application/json', 'application/x-ndjson', 'application/msgpack']
    const more = [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/csv',
    ]
    const encodings = [
      {},
      {},
      {},
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'deflate' },
    ]
    const answer = await this.host.http.ask(ports.http, {
      method: 'POST',
      url: `/${['a.b', '..%2f', '%00', 'a?time=x', ''][way % 5]}`,
      headers: { 'content-type': [...types, ...more][way % 6] as string, ...encodings[way % 4] },
      body: input.bytes,
    })
    return answer.status
  }
}

function sendInPieces(client: TestClient, input: Input): void {
  let from = 0
  for (const to of [...input.cuts, input.bytes.length]) {
    if (client.closed !== 'no') return
    if (to > from) client.send(input.bytes.subarray(from, to))
    from = to
  }
}

/** Errors of the language are mistakes of ours, wherever they were caught. */
function isBug(fields: Readonly<Record<string, unknown>>): boolean {
  const { error } = fields
  return (
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
  )
}

/** Any text is a configuration, or errors that say where. */
function checkConfig(text: string, host: FakeHost): void {
  const parsed = parseConfig({ path: 'fuzzed.conf', text, ...world })
  if (parsed.errors.length > 0) return
  try {
    createApp({
      host: { ...createFakeHost(), disk: host.disk },
      plugins,
      kernel: kernel as Kernel,
      config: parsed,
    })
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error
  }
}

const gatheredEvents = new Map<string, number>()

/** Forgets what outputs of worlds before have got. */
export function forgetGathered(): void {
  gatheredEvents.clear()
}

const gather = defineOutput({
  name: 'gather',
  summary: 'Checks that what it gets is whole.',
  shape: {
    params: { ...outputParams },
    sections: {
      format: plugin('formatter', { description: 'Lines.', defaultType: 'json', always: true }),
      buffer: bufferSection(),
    },
  },
  createSink(params, context) {
    return {
      formatter: context.createFormatter(params.format),
      start: async () => undefined,
      stop: async () => undefined,
      async write(chunk) {
        const bytes = Buffer.concat(await chunk.read())
        if (params.format.type === 'json') {
          const lines = bytes.toString().split('\n')
          if (lines.length - 1 !== chunk.count) {
            throw new TypeError(`${lines.length - 1} lines of ${chunk.count} events`)
          }
          for (const line of lines.slice(0, 20)) if (line !== '') JSON.parse(line)
        }
        gatheredEvents.set(context.id, (gatheredEvents.get(context.id) ?? 0) + chunk.count)
        return undefined
      },
    }
  },
})
