import { defineSource, type PluginContext } from '../../config/define.ts'
import {
  type Bound,
  bool,
  enumeration,
  plugin,
  section,
  size,
  string,
} from '../../config/schema.ts'
import type { Parser } from '../../core/parser.ts'
import type { Source } from '../../core/source.ts'
import { type Extractor, extractorOf, extractSection } from '../../parsers/extract.ts'
import { DatagramServer } from '../../transport/datagram-server.ts'
import { LineEvents, parseLine, textFrom } from '../../transport/line-events.ts'
import { withoutNewline } from '../../transport/newline.ts'
import { Reports } from '../../transport/reports.ts'
import { bindParam, peerParams, portParam } from '../../transport/stream-params.ts'
import type { Peer } from '../../transport/stream-server.ts'

const shape = {
  params: {
    tag: string({ description: 'The tag of the events.', required: true }),
    port: portParam(5160),
    bind: bindParam,
    message_length_limit: size({
      description: 'Of a datagram only so many bytes are looked at.',
      default: 4096,
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    body_size_limit: size({
      description: 'The older name of `message_length_limit`.',
      deprecated: 'use message_length_limit instead.',
    }),
    remove_newline: bool({
      description: 'Takes a newline at the end of a datagram away.',
      default: true,
    }),
    receive_buffer_size: size({
      description: 'Bytes that the system keeps for us.',
      deprecated: 'Use <transport> section instead.',
      differs: 'No effect: the size is left to the system.',
    }),
    ...peerParams,
    source_host_key: string({
      description: 'The older name of `source_hostname_key`.',
      deprecated: 'use source_hostname_key instead',
    }),
  },
  sections: {
    parse: plugin('parser', { description: 'How datagrams are read.', required: true }),
    extract: extractSection(),
    transport: section(
      {
        params: {
          protocol: enumeration(['udp'] as const, {
            description: 'What carries the datagrams.',
            default: 'udp',
          }),
        },
      },
      { description: 'The transport.', argument: 'protocol' },
    ),
  },
} as const

export const udpSource = defineSource({
  name: 'udp',
  summary: 'Receives texts over UDP, one event a datagram.',
  shape,
  create: (params, context) => new UdpSource(params, context),
})

class UdpSource implements Source {
  readonly claims: readonly string[]
  readonly #params: Bound<typeof shape>
  readonly #parser: Parser
  readonly #extract: Extractor
  readonly #reports: Reports
  readonly #events: LineEvents
  readonly #server: DatagramServer
  readonly #hostnameKey: string | undefined

  constructor(params: Bound<typeof shape>, context: PluginContext) {
    const { host, log, router } = context
    this.#params = params
    this.#hostnameKey = params.sourceHostnameKey ?? params.sourceHostKey
    this.claims = params.port === 0 ? [] : [`udp:${params.bind}:${params.port}`]
    this.#parser = context.createParser(params.parse)
    this.#extract = extractorOf(params.extract, context)
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock: host.clock, metrics: host.metrics, labels })
    this.#events = new LineEvents({ consumer: router, reports: this.#reports })
    this.#server = new DatagramServer(
      {
        host: params.bind,
        port: params.port,
        limitBytes: params.bodySizeLimit ?? params.messageLengthLimit,
        resolveNames: this.#hostnameKey !== undefined,
      },
      context,
      {
        reports: this.#reports,
        events: this.#events,
        take: (bytes, peer) => this.#message(bytes, peer),
      },
    )
  }

  /** undefined before start. */
  get port(): number | undefined {
    return this.#server.port
  }

  start(): Promise<void> {
    return this.#server.start()
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  #message(bytes: Uint8Array, peer: Peer): void {
    const { tag, sourceAddressKey, removeNewline } = this.#params
    const text = textFrom(removeNewline ? withoutNewline(bytes) : bytes)
    parseLine(text, this.#parser, this.#reports, ({ time, record }) => {
      const event = this.#extract({ tag, time, record })
      if (sourceAddressKey !== undefined) record.set(sourceAddressKey, peer.address)
      if (this.#hostnameKey !== undefined) record.set(this.#hostnameKey, peer.hostname)
      this.#events.add(event.tag, event.time, record)
    })
  }
}
