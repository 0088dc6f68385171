import type { PluginContext } from '../../config/define.ts'
import { type Parsed, type Parser, ParserError } from '../../core/parser.ts'
import { type EventTime, type MsgMap, type MsgValue, RawString } from '../../core/value.ts'
import { currentTime } from '../../parsers/event-time.ts'
import { type LineEvents, textFrom } from '../../transport/line-events.ts'
import type { Reports } from '../../transport/reports.ts'
import type { Peer } from '../../transport/stream-server.ts'

/** Words of facilities and severities by their numbers, as Fluentd has them in tags. */
const facilities = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron'],
  ...['authpriv', 'ftp', 'ntp', 'audit', 'alert', 'at', 'local0', 'local1', 'local2', 'local3'],
  ...['local4', 'local5', 'local6', 'local7'],
]
const severities = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug']

const priority = /^<([0-9]{1,3})>/

/** Characters of a message that could not be read, as far as they are shown. */
const shownChars = 1024

export interface SyslogSettings {
  readonly tag: string
  /** The parser takes the priority itself (`with_priority`). */
  readonly parserTakesPriority: boolean
  readonly emitUnmatchedLines: boolean
  readonly severityKey: string | undefined
  readonly facilityKey: string | undefined
  readonly addressKey: string | undefined
  readonly hostnameKey: string | undefined
}

/** Makes events of messages: `TAG.FACILITY.SEVERITY` with the record that the parser makes. */
export class SyslogMessages {
  readonly #settings: SyslogSettings
  readonly #parser: Parser
  readonly #reports: Reports
  readonly #events: LineEvents
  readonly #context: Pick<PluginContext, 'host'>

  constructor(
    settings: SyslogSettings,
    context: Pick<PluginContext, 'host'>,
    parts: { parser: Parser; reports: Reports; events: LineEvents },
  ) {
    this.#settings = settings
    this.#context = context
    this.#parser = parts.parser
    this.#reports = parts.reports
    this.#events = parts.events
  }

  /** `bytes` are borrowed. */
  take(bytes: Uint8Array, peer: Peer): void {
    const whole = textFrom(bytes)
    let text = whole
    let pri: number | undefined
    if (!this.#settings.parserTakesPriority) {
      const match = typeof whole === 'string' ? priority.exec(whole) : null
      if (match === null) {
        this.#unmatched(whole, 'invalid syslog message', peer)
        return
      }
      pri = Number(match[1])
      text = (whole as string).slice(match[0].length)
    }
    for (const item of this.#parser.parse(text)) {
      if (item === undefined || item instanceof ParserError) {
        this.#unmatched(whole, 'failed to parse message', peer)
      } else {
        this.#add(item, pri, whole, peer)
      }
    }
  }

  #add({ time, record }: Parsed, given: number | undefined, whole: MsgValue, peer: Peer): void {
    const { tag, severityKey, facilityKey } = this.#settings
    const own = record.get('pri')
    const pri = given ?? (typeof own === 'number' ? own : undefined)
    if (given === undefined) record.delete('pri')
    const facility = pri === undefined ? undefined : facilities[pri >> 3]
    const severity = pri === undefined ? undefined : severities[pri & 7]
    if (facility === undefined || severity === undefined) {
      this.#unmatched(whole, 'invalid syslog message', peer)
      return
    }
    if (severityKey !== undefined) record.set(severityKey, severity)
    if (facilityKey !== undefined) record.set(facilityKey, facility)
    this.#emit(`${tag}.${facility}.${severity}`, time, record, peer)
  }

  #unmatched(text: MsgValue, message: string, peer: Peer): void {
    this.#reports.invalidEvents('unmatched', 1)
    const raw = text instanceof RawString ? Buffer.from(text.bytes).toString('latin1') : text
    this.#reports.warn(message, { data: String(raw).slice(0, shownChars), host: peer.address })
    if (!this.#settings.emitUnmatchedLines) return
    const record: MsgMap = new Map([['unmatched_line', text]])
    this.#emit(`${this.#settings.tag}.unmatched`, undefined, record, peer)
  }

  #emit(tag: string, time: EventTime | undefined, record: MsgMap, peer: Peer): void {
    const { addressKey, hostnameKey } = this.#settings
    if (addressKey !== undefined) record.set(addressKey, peer.address)
    if (hostnameKey !== undefined) record.set(hostnameKey, peer.hostname)
    this.#events.add(tag, time ?? currentTime(this.#context.host.clock), record)
  }
}
