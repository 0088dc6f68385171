import type { PluginContext } from '../../config/define.ts'
import type { Bound, BoundPlugin } from '../../config/schema.ts'
import type { Source } from '../../core/source.ts'
import { DatagramServer } from '../../transport/datagram-server.ts'
import { LineEvents } from '../../transport/line-events.ts'
import { LineSplitter } from '../../transport/line-splitter.ts'
import { withoutNewline } from '../../transport/newline.ts'
import { Reports } from '../../transport/reports.ts'
import { timeoutMs } from '../../transport/stream-params.ts'
import { type Feeder, type Peer, StreamServer } from '../../transport/stream-server.ts'
import { SyslogMessages } from './messages.ts'
import { OctetFrames } from './octet-frames.ts'
import type { shape } from './shape.ts'

type Params = Bound<typeof shape>

/** Listens for syslog messages, and hands them to SyslogMessages. */
export class SyslogSource implements Source {
  readonly claims: readonly string[]
  readonly #params: Params
  readonly #reports: Reports
  readonly #messages: SyslogMessages
  readonly #server: DatagramServer | StreamServer

  constructor(params: Params, context: PluginContext) {
    const { host, log, router } = context
    const protocol = params.transport?.protocol ?? params.protocolType ?? 'udp'
    const isUdp = protocol === 'udp'
    this.#params = params
    const place = `${params.bind}:${params.port}`
    this.claims = params.port === 0 ? [] : [isUdp ? `udp:${place}` : `tcp:${place}`]
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock: host.clock, metrics: host.metrics, labels })
    const events = new LineEvents({ consumer: router, reports: this.#reports })
    const hostnameKey = hostnameKeyOf(params)
    this.#messages = new SyslogMessages(
      {
        tag: params.tag,
        parserTakesPriority: takesPriority(params.parse),
        emitUnmatchedLines: params.emitUnmatchedLines,
        severityKey: params.severityKey,
        facilityKey: params.facilityKey,
        addressKey: params.sourceAddressKey,
        hostnameKey,
      },
      context,
      { parser: context.createParser(params.parse), reports: this.#reports, events },
    )
    const resolveNames = params.resolveHostname ?? hostnameKey !== undefined
    const reports = this.#reports
    this.#server = isUdp
      ? new DatagramServer(
          {
            host: params.bind,
            port: params.port,
            limitBytes: params.messageLengthLimit,
            resolveNames,
          },
          context,
          {
            reports,
            events,
            take: (bytes, peer) => this.#messages.take(withoutNewline(bytes), peer),
          },
        )
      : new StreamServer(
          {
            address: { kind: 'tcp', host: params.bind, port: params.port },
            transport: params.transport,
            keepAlive: params.sendKeepalivePacket,
            resolveNames,
            maxConnections: params.maxConnections,
            maxConnectionsPerAddress: params.maxConnectionsPerAddress,
            idleTimeoutMs: timeoutMs(params.idleTimeout),
          },
          context,
          { reports, events, newFeeder: (peer) => this.#feeder(peer) },
        )
  }

  /** The port that is listened on; undefined before start. */
  get port(): number | undefined {
    if (this.#server instanceof DatagramServer) return this.#server.port
    const { address } = this.#server
    return address?.kind === 'tcp' ? address.port : undefined
  }

  async check(): Promise<void> {
    if (this.#server instanceof StreamServer) await this.#server.check()
  }

  async start(): Promise<void> {
    if (this.#server instanceof StreamServer) await this.#server.start(undefined)
    else await this.#server.start()
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.#server.stop(deadline)
  }

  #feeder(peer: Peer): Feeder {
    const { frameType, delimiter, messageLengthLimit } = this.#params
    const tooLong = (bytes: number) => {
      this.#reports.lostMessage('message_length_limit')
      this.#reports.warn('a message longer than message_length_limit is dropped', {
        host: peer.address,
        limit: messageLengthLimit,
        size: bytes,
      })
    }
    if (frameType === 'octet_count') {
      return new OctetFrames(messageLengthLimit, {
        message: (bytes) => this.#messages.take(bytes, peer),
        tooLong,
        broken: (head) => {
          this.#reports.lostMessage('malformed')
          this.#reports.warn(
            'no length where one should be: the rest of the connection is dropped',
            {
              host: peer.address,
              head: Buffer.from(head).toString('latin1'),
            },
          )
        },
      })
    }
    return new LineSplitter(Buffer.from(delimiter), messageLengthLimit, {
      line: (bytes) => this.#messages.take(bytes, peer),
      tooLong,
    })
  }
}

function hostnameKeyOf(params: Params): string | undefined {
  return params.sourceHostnameKey ?? (params.includeSourceHost ? params.sourceHostKey : undefined)
}

/** Only the syslog parser has the parameter; with another one the source takes the priority. */
function takesPriority({ params }: BoundPlugin): boolean {
  return (params as { withPriority?: boolean }).withPriority === true
}
