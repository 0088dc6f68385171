import { defineSource, type PluginContext } from '../../config/define.ts'
import { type Bound, plugin, size, string } from '../../config/schema.ts'
import type { Parser } from '../../core/parser.ts'
import type { Source } from '../../core/source.ts'
import { type Extractor, extractorOf, extractSection } from '../../parsers/extract.ts'
import { checkClients, clientSecuritySection, resolveClients } from '../../transport/client-list.ts'
import { LineEvents, parseLine, textFrom } from '../../transport/line-events.ts'
import { LineSplitter } from '../../transport/line-splitter.ts'
import { Reports } from '../../transport/reports.ts'
import { transportSection } from '../../transport/section.ts'
import {
  bindParam,
  connectionLimits,
  keepAliveParam,
  peerParams,
  portParam,
  timeoutMs,
} from '../../transport/stream-params.ts'
import { type Feeder, type Peer, StreamServer } from '../../transport/stream-server.ts'

const mebibyte = 1024 * 1024

const shape = {
  params: {
    tag: string({ description: 'The tag of the events.', required: true }),
    port: portParam(5170),
    bind: bindParam,
    delimiter: string({
      description: 'What stands between messages.',
      default: '\n',
      check: (value) => (value === '' ? 'expected a text that is not empty' : undefined),
    }),
    message_length_limit: size({
      description: 'Messages of more bytes are dropped. Default: those of more than 4 MiB.',
      differs: 'Without it Fluentd keeps a message of any length in memory.',
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    ...peerParams,
    source_host_key: string({
      description: 'The older name of `source_hostname_key`.',
      deprecated: 'use source_hostname_key instead',
    }),
    send_keepalive_packet: keepAliveParam,
    ...connectionLimits,
  },
  sections: {
    parse: plugin('parser', { description: 'How messages are read.', required: true }),
    extract: extractSection(),
    transport: transportSection,
    security: clientSecuritySection,
  },
} as const

export const tcpSource = defineSource({
  name: 'tcp',
  summary: 'Receives texts over TCP, one event each, with a delimiter between them.',
  shape,
  create(params, context) {
    if (params.security !== undefined) checkClients(params.security.client)
    return new TcpSource(params, context)
  },
})

class TcpSource implements Source {
  readonly claims: readonly string[]
  readonly #params: Bound<typeof shape>
  readonly #context: PluginContext
  readonly #parser: Parser
  readonly #extract: Extractor
  readonly #reports: Reports
  readonly #events: LineEvents
  readonly #server: StreamServer
  readonly #hostnameKey: string | undefined

  constructor(params: Bound<typeof shape>, context: PluginContext) {
    const { host, log, router } = context
    this.#params = params
    this.#context = context
    this.#hostnameKey = params.sourceHostnameKey ?? params.sourceHostKey
    this.claims = params.port === 0 ? [] : [`tcp:${params.bind}:${params.port}`]
    this.#parser = context.createParser(params.parse)
    this.#extract = extractorOf(params.extract, context)
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock: host.clock, metrics: host.metrics, labels })
    this.#events = new LineEvents({ consumer: router, reports: this.#reports })
    this.#server = new StreamServer(
      {
        address: { kind: 'tcp', host: params.bind, port: params.port },
        transport: params.transport,
        keepAlive: params.sendKeepalivePacket,
        resolveNames: this.#hostnameKey !== undefined,
        maxConnections: params.maxConnections,
        maxConnectionsPerAddress: params.maxConnectionsPerAddress,
        idleTimeoutMs: timeoutMs(params.idleTimeout),
      },
      context,
      {
        reports: this.#reports,
        events: this.#events,
        newFeeder: (peer) => this.#feeder(peer),
      },
    )
  }

  /** Where it listens; undefined before start. */
  get address() {
    return this.#server.address
  }

  check(): Promise<void> {
    return this.#server.check()
  }

  async start(): Promise<void> {
    const clients = this.#params.security?.client
    await this.#server.start(
      clients === undefined ? undefined : await resolveClients(clients, this.#context.host.net),
    )
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.#server.stop(deadline)
  }

  #feeder(peer: Peer): Feeder {
    const { messageLengthLimit = 4 * mebibyte, delimiter } = this.#params
    return new LineSplitter(Buffer.from(delimiter), messageLengthLimit, {
      line: (bytes) => this.#line(bytes, peer),
      tooLong: (bytes, head) => {
        this.#reports.lostMessage('message_length_limit')
        this.#reports.warn("The received data is larger than 'message_length_limit', dropped:", {
          host: peer.address,
          limit: messageLengthLimit,
          size: bytes,
          head: Buffer.from(head).toString('latin1'),
        })
      },
    })
  }

  #line(bytes: Uint8Array, peer: Peer): void {
    const { tag, sourceAddressKey } = this.#params
    parseLine(textFrom(bytes), this.#parser, this.#reports, ({ time, record }) => {
      const event = this.#extract({ tag, time, record })
      if (sourceAddressKey !== undefined) record.set(sourceAddressKey, peer.address)
      if (this.#hostnameKey !== undefined) record.set(this.#hostnameKey, peer.hostname)
      this.#events.add(event.tag, event.time, record)
    })
  }
}
