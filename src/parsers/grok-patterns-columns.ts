/**
 * Patterns of logs that are columns: those of Zeek, which was Bro (docs.zeek.org, "Log Files"), parted by tabs, and those of
 * Nagios (its documentation of log files and of external commands), parted by semicolons. Each is a list of its columns here.
 *
 * After the grok patterns of Logstash (github.com/logstash-plugins/logstash-patterns-core, Apache License 2.0, copyright
 * Elastic and contributors), as fluent-plugin-grok-parser has them: names and fields are theirs, and many expressions follow them.
 */
import {
  anyOf,
  type FieldNames,
  type GrokSeries,
  type Patterns,
  renameFields,
} from './grok-names.ts'

/** Columns by name; one that has a kind must be of it, any other is whatever stands between the tabs. */
const broColumns: Patterns = {
  BRO_HTTP:
    'NUMBER:ts NOTSPACE:uid IP:orig_h INT:orig_p IP:resp_h INT:resp_p INT:trans_depth method domain uri referrer user_agent NUMBER:request_body_len NUMBER:response_body_len status_code status_msg info_code info_msg filename bro_tags username password proxied orig_fuids orig_mime_types resp_fuids resp_mime_types',
  BRO_DNS:
    'NUMBER:ts NOTSPACE:uid IP:orig_h INT:orig_p IP:resp_h INT:resp_p WORD:proto INT:trans_id query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected',
  BRO_CONN:
    'NUMBER:ts NOTSPACE:uid IP:orig_h INT:orig_p IP:resp_h INT:resp_p WORD:proto service NUMBER:duration NUMBER:orig_bytes NUMBER:resp_bytes conn_state local_orig missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents',
  BRO_FILES:
    'NUMBER:ts NOTSPACE:fuid IP:tx_hosts IP:rx_hosts NOTSPACE:conn_uids source depth analyzers mime_type filename duration local_orig is_orig seen_bytes total_bytes missing_bytes overflow_bytes timedout parent_fuid md5 sha1 sha256 extracted',
}

/** The columns every log of connections begins with. */
const zeekHead =
  '!NUMBER:timestamp !NOTSPACE:zeek.session_id !IP:source.ip !INT:source.port:integer !IP:destination.ip !INT:destination.port:integer'
const dnsFlags =
  'BOOL:zeek.dns.AA BOOL:zeek.dns.TC BOOL:zeek.dns.RD BOOL:zeek.dns.RA NONNEGINT:zeek.dns.Z:integer zeek.dns.answers zeek.dns.TTLs BOOL:zeek.dns.rejected'
const dnsQuestion =
  'dns.question.name INT:zeek.dns.qclass:integer zeek.dns.qclass_name INT:zeek.dns.qtype:integer dns.question.type INT:zeek.dns.rcode:integer dns.response_code'
const httpBytes =
  'NUMBER:http.request.body.bytes:integer NUMBER:http.response.body.bytes:integer POSINT:http.response.status_code:integer zeek.http.status_msg POSINT:zeek.http.info_code:integer zeek.http.info_msg'
const httpUser = 'zeek.http.tags url.username url.password zeek.http.proxied zeek.http.orig_fuids'
const httpUrl = `${zeekHead} !INT:zeek.http.trans_depth:integer WORD:http.request.method url.domain url.original http.request.referrer`
const connHead = `${zeekHead} !WORD:network.transport network.protocol NUMBER:zeek.connection.duration:float INT:zeek.connection.orig_bytes:integer INT:zeek.connection.resp_bytes:integer zeek.connection.state BOOL:zeek.connection.local_orig`
const connTail =
  'INT:zeek.connection.missed_bytes:integer zeek.connection.history INT:source.packets:integer INT:source.bytes:integer INT:destination.packets:integer INT:destination.bytes:integer zeek.connection.tunnel_parents'
const filesTail =
  'zeek.files.session_ids zeek.files.source INT:zeek.files.depth:integer zeek.files.analyzers file.mime_type file.name NUMBER:zeek.files.duration:float zeek.files.local_orig BOOL:zeek.files.is_orig INT:zeek.files.seen_bytes:integer INT:file.size:integer INT:zeek.files.missing_bytes:integer INT:zeek.files.overflow_bytes:integer BOOL:zeek.files.timedout zeek.files.parent_fuid file.hash.md5 file.hash.sha1 file.hash.sha256 zeek.files.extracted'

/** Columns that may be `-` or `(empty)`, which take no field, but for those with a `!`. */
function zeekLine(prefix: string, columns: string): string {
  const column = (spec: string) => {
    if (spec.startsWith('!')) return `%{${spec.slice(1)}}`
    const kind = spec.includes(':')
      ? spec.replace(/^BOOL:/, `${prefix}_BOOL:`)
      : `${prefix}_DATA:${spec}`
    return `(?:-|\\(empty\\)|%{${kind}})`
  }
  return columns.split(' ').map(column).join('\\t')
}

function zeekPatterns(): Patterns {
  const bro = (columns: string) => zeekLine('BRO', columns)
  const zeek = (columns: string) => zeekLine('ZEEK', columns)
  const localResp = '(?:(?:-|%{BRO_BOOL:zeek.connection.local_resp})\\t)?'
  const hosts = (side: string, column: string) =>
    `(?:-|%{IP:${side}.ip}(?![ ,])|(?<zeek.files.${column}>%{IP:${side}.ip}(?:[\\s,]%{IP})+))`
  return {
    BRO_BOOL: '[TF]',
    BRO_DATA: '[^\\t]+',
    BRO_HTTP: bro(
      `${httpUrl} user_agent.original ${httpBytes} zeek.http.filename ${httpUser} http.request.mime_type zeek.http.resp_fuids http.response.mime_type`,
    ),
    BRO_DNS: bro(
      `${zeekHead} !WORD:network.transport INT:dns.id:integer ${dnsQuestion} ${dnsFlags}`,
    ),
    BRO_CONN: `${bro(connHead)}\\t${localResp}${bro(connTail)}`,
    BRO_FILES: bro(
      `!NUMBER:timestamp !NOTSPACE:zeek.files.fuid IP:server.ip IP:client.ip ${filesTail}`,
    ),
    ZEEK_BOOL: '[TF]',
    ZEEK_DATA: '[^\\t]+',
    ZEEK_HTTP: zeek(
      `${httpUrl} NUMBER:http.version user_agent.original zeek.http.origin ${httpBytes} ${httpUser} zeek.http.orig_filenames http.request.mime_type zeek.http.resp_fuids zeek.http.resp_filenames http.response.mime_type`,
    ),
    ZEEK_DNS: zeek(
      `${zeekHead} !WORD:network.transport INT:dns.id:integer NUMBER:zeek.dns.rtt:float ${dnsQuestion} ${dnsFlags}`,
    ),
    ZEEK_CONN: `${zeek(`${connHead} BOOL:zeek.connection.local_resp ${connTail}`)}(?:\\t${zeek('COMMONMAC:source.mac COMMONMAC:destination.mac')})?`,
    ZEEK_FILES_TX_HOSTS: hosts('server', 'tx_hosts'),
    ZEEK_FILES_RX_HOSTS: hosts('client', 'rx_hosts'),
    ZEEK_FILES: `%{NUMBER:timestamp}\\t%{NOTSPACE:zeek.files.fuid}\\t%{ZEEK_FILES_TX_HOSTS}\\t%{ZEEK_FILES_RX_HOSTS}\\t${zeek(filesTail)}(?:\\t${zeek('BOOL:zeek.files.extracted_cutoff INT:zeek.files.extracted_size:integer')})?`,
  }
}

function broPatterns(): Patterns {
  const column = (spec: string) => (spec.includes(':') ? `%{${spec}}` : `(?<${spec}>[^\\t]*)`)
  const line = (columns: string) => columns.split(' ').map(column).join('\\t')
  return Object.fromEntries(Object.entries(broColumns).map(([name, text]) => [name, line(text)]))
}

/** What the lines of Nagios say after their type. */
const nagiosColumns: Patterns = {
  CURRENT_SERVICE_STATE: 'hostname service state statetype statecode message',
  CURRENT_HOST_STATE: 'hostname state statetype statecode message',
  SERVICE_NOTIFICATION: 'notifyname hostname service state contact message',
  HOST_NOTIFICATION: 'notifyname hostname state contact message',
  SERVICE_ALERT: 'hostname service state statelevel attempt message',
  HOST_ALERT: 'hostname state statelevel attempt message',
  SERVICE_FLAPPING_ALERT: 'hostname service state message',
  HOST_FLAPPING_ALERT: 'hostname state message',
  SERVICE_DOWNTIME_ALERT: 'hostname service state comment',
  HOST_DOWNTIME_ALERT: 'hostname state comment',
  PASSIVE_SERVICE_CHECK: 'hostname service state comment',
  PASSIVE_HOST_CHECK: 'hostname state comment',
  SERVICE_EVENT_HANDLER: 'hostname service state statelevel event_handler_name',
  HOST_EVENT_HANDLER: 'hostname state statelevel event_handler_name',
  TIMEPERIOD_TRANSITION: 'service unknown1 unknown2',
}

/** What the external commands are given. One without columns has a name, and no line of its own. */
const nagiosCommands: Patterns = {
  DISABLE_SVC_CHECK: 'hostname service',
  ENABLE_SVC_CHECK: 'hostname service',
  DISABLE_HOST_CHECK: 'hostname',
  ENABLE_HOST_CHECK: 'hostname',
  PROCESS_SERVICE_CHECK_RESULT: 'hostname service state check_result',
  PROCESS_HOST_CHECK_RESULT: 'hostname state check_result',
  SCHEDULE_SERVICE_DOWNTIME: '',
  SCHEDULE_HOST_DOWNTIME: 'hostname start_time end_time fixed trigger_id duration =author =comment',
  DISABLE_HOST_SVC_NOTIFICATIONS: 'hostname',
  ENABLE_HOST_SVC_NOTIFICATIONS: 'hostname',
  DISABLE_HOST_NOTIFICATIONS: 'hostname',
  ENABLE_HOST_NOTIFICATIONS: 'hostname',
  DISABLE_SVC_NOTIFICATIONS: 'hostname service',
  ENABLE_SVC_NOTIFICATIONS: 'hostname service',
}

const nagiosNumbers = new Set(
  'attempt unknown1 unknown2 start_time end_time fixed trigger_id duration'.split(' '),
)

const nagiosNames: FieldNames = {
  nagios_epoch: 'timestamp',
  nagios_type: 'nagios.log.type',
  nagios_command: 'nagios.log.command',
  nagios_hostname: 'host.hostname',
  nagios_service: 'service.name',
  nagios_state: 'service.state',
  nagios_statetype: 'nagios.log.state_type',
  nagios_statelevel: 'nagios.log.state_type',
  nagios_statecode: 'nagios.log.attempt:integer',
  nagios_attempt: 'nagios.log.attempt:integer',
  nagios_message: 'message',
  nagios_notifyname: 'user.name',
  nagios_contact: 'nagios.log.notification_command',
  nagios_comment: 'nagios.log.comment',
  nagios_event_handler_name: 'nagios.log.event_handler_name',
  nagios_unknown1: 'nagios.log.period_from:integer',
  nagios_unknown2: 'nagios.log.period_to:integer',
  nagios_check_result: 'nagios.log.check_result',
  nagios_start_time: 'nagios.log.start_time',
  nagios_end_time: 'nagios.log.end_time',
  nagios_fixed: 'nagios.log.fixed',
  nagios_trigger_id: 'nagios.log.trigger_id',
  nagios_duration: 'nagios.log.duration:integer',
  author: 'user.name',
  comment: 'nagios.log.comment',
}

function nagiosPatterns(): Patterns {
  const columns = (text: string) => {
    const names = text.split(' ')
    const column = (name: string, index: number) => {
      const field = name.startsWith('=') ? name.slice(1) : `nagios_${name}`
      if (nagiosNumbers.has(name)) return `%{NUMBER:${field}}`
      return index === names.length - 1 ? `%{GREEDYDATA:${field}}` : `%{DATA:${field}}`
    }
    return names.map(column).join(';')
  }
  const patterns: Patterns = {
    NAGIOSTIME: '\\[%{NUMBER:nagios_epoch}\\]',
    NAGIOS_TYPE_EXTERNAL_COMMAND: 'EXTERNAL COMMAND',
    NAGIOS_WARNING: 'Warning:%{SPACE}%{GREEDYDATA:nagios_message}',
  }
  const lines = ['NAGIOS_WARNING']
  for (const [name, text] of Object.entries(nagiosColumns)) {
    patterns[`NAGIOS_TYPE_${name}`] = name.replaceAll('_', ' ')
    patterns[`NAGIOS_${name}`] = `%{NAGIOS_TYPE_${name}:nagios_type}: ${columns(text)}`
    lines.push(`NAGIOS_${name}`)
  }
  for (const [name, text] of Object.entries(nagiosCommands)) {
    patterns[`NAGIOS_EC_${name}`] = name
    if (text === '') continue
    patterns[`NAGIOS_EC_LINE_${name}`] =
      `%{NAGIOS_TYPE_EXTERNAL_COMMAND:nagios_type}: %{NAGIOS_EC_${name}:nagios_command};${columns(text)}`
    lines.push(`NAGIOS_EC_LINE_${name}`)
  }
  patterns.NAGIOSLOGLINE = `%{NAGIOSTIME} ${anyOf(lines)}`
  return patterns
}

/** Those of Zeek and Nagios, as strings. */
export function columnPatterns(series: GrokSeries): Patterns {
  const nagios = nagiosPatterns()
  if (series === 'legacy') return { ...broPatterns(), ...nagios }
  const renamed = Object.entries(nagios).map(([name, text]) => [
    name,
    renameFields(text, nagiosNames),
  ])
  return { ...zeekPatterns(), ...Object.fromEntries(renamed) }
}
