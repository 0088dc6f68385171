/**
 * Patterns of what firewalls log: Cisco's ASA (its "Syslog Messages" guide, whose numbers the names carry), NetScreen, Juniper's
 * RT_FLOW, netfilter (as iptables' LOG target writes), Shorewall and SuSEfirewall2.
 *
 * After the grok patterns of Logstash (github.com/logstash-plugins/logstash-patterns-core, Apache License 2.0, copyright
 * Elastic and contributors), as fluent-plugin-grok-parser has them: names and fields are theirs, and many expressions follow them.
 */
import { type FieldNames, type GrokSeries, type Patterns, renameFields } from './grok-names.ts'

const unit = '\\((?:Primary|Secondary)\\)'
const endpoint = (side: string) => `%{IP:${side}_ip}/%{INT:${side}_port}`
const user = (side: string) => `(?:\\(%{DATA:${side}_fwuser}\\))?`
const placed = (side: string) => `%{DATA:${side}_interface}:%{IP:${side}_ip}`
const placedPort = (side: string) => `${placed(side)}/%{INT:${side}_port}`
const fromTo = `from ${endpoint('src')} to ${endpoint('dst')}`
const placedFromTo = `from ${placedPort('src')} to ${placedPort('dst')}`
const icmp = (prefix = '') => `\\(type %{INT:${prefix}icmp_type}, code %{INT:${prefix}icmp_code}\\)`
const hashes = '\\[%{DATA:hashcode1}, %{DATA:hashcode2}\\]'
const mapped = (side: string) => `(?: \\(%{IP:${side}_mapped_ip}/%{INT:${side}_mapped_port}\\))?`
const hit = (side: string) => `%{DATA:${side}_interface}/%{IP:${side}_ip}\\(%{INT:${side}_port}\\)`
const start = '%{CISCO_ACTION:action} %{WORD:protocol}'
const directed = '%{CISCO_ACTION:action}(?: %{CISCO_DIRECTION:direction})? %{WORD:protocol}'
const counted = 'hit-cnt %{INT:hit_count} %{CISCO_INTERVAL:interval}'
const rates = (name: string, field: string) =>
  `${name} rate is %{INT:drop_rate_current_${field}} per second, max configured rate is %{INT:drop_rate_max_${field}}; `
/** A host with or without a port, where there may be a name in place of an address. */
const anyHost = (side: string) =>
  `%{DATA:${side}_interface}:%{DATA:${side}_ip}(?:/%{INT:${side}_port})?${user(side)}`

const asaMessages: Patterns = {
  '104001': `${unit} Switching to ACTIVE - %{GREEDYDATA:switch_reason}`,
  '104002': `${unit} Switching to STANDBY - %{GREEDYDATA:switch_reason}`,
  '104003': `${unit} Switching to FAILED\\.`,
  '104004': `${unit} Switching to OK\\.`,
  '105003': `${unit} Monitoring on [Ii]nterface %{GREEDYDATA:interface_name} waiting`,
  '105004': `${unit} Monitoring on [Ii]nterface %{GREEDYDATA:interface_name} normal`,
  '105005': `${unit} Lost Failover communications with mate on [Ii]nterface %{GREEDYDATA:interface_name}`,
  '105008': `${unit} Testing [Ii]nterface %{GREEDYDATA:interface_name}`,
  '105009': `${unit} Testing on [Ii]nterface %{GREEDYDATA:interface_name} (?:Passed|Failed)`,
  '106001': `%{CISCO_DIRECTION:direction} %{WORD:protocol} connection %{CISCO_ACTION:action} ${fromTo} flags %{GREEDYDATA:tcp_flags} on interface %{GREEDYDATA:interface}`,
  '106006_106007_106010': `%{CISCO_ACTION:action} %{CISCO_DIRECTION:direction} %{WORD:protocol} (?:from|src) ${endpoint('src')}${user('src')} (?:to|dst) ${endpoint('dst')}${user('dst')} (?:on interface %{NOTSPACE:interface}|due to %{CISCO_REASON:reason})`,
  '106014': `%{CISCO_ACTION:action} %{CISCO_DIRECTION:direction} %{WORD:protocol} src ${placed('src')}${user('src')} dst ${placed('dst')}${user('dst')} ?${icmp()}`,
  '106015': `${start} \\(%{DATA:policy_id}\\) ${fromTo} flags %{DATA:tcp_flags} +on interface %{GREEDYDATA:interface}`,
  '106021': `${start} reverse path check from %{IP:src_ip} to %{IP:dst_ip} on interface %{GREEDYDATA:interface}`,
  '106023': `%{CISCO_ACTION:action}(?: protocol)? %{WORD:protocol} src ${anyHost('src')} dst ${anyHost('dst')}(?: ${icmp()})? by access-group "?%{DATA:policy_id}"? ${hashes}`,
  '106100_2_3': `access-list %{NOTSPACE:policy_id} ${start} for user '%{DATA:src_fwuser}' ${hit('src')} -> ${hit('dst')} ${counted} ${hashes}`,
  '106100': `access-list %{NOTSPACE:policy_id} ${start} ${hit('src')}${user('src')} -> ${hit('dst')}${user('src')} ${counted} ${hashes}`,
  '304001': `%{IP:src_ip}${user('src')} Accessed URL %{IP:dst_ip}:%{GREEDYDATA:dst_url}`,
  '110002': `%{CISCO_REASON:reason} for %{WORD:protocol} from ${placedPort('src')} to ${endpoint('dst')}`,
  '302010': '%{INT:connection_count} in use, %{INT:connection_count_max} most used',
  '302013_302014_302015_302016': `${directed} connection %{INT:connection_id} for ${placedPort('src')}${mapped('src')}${user('src')} to ${placedPort('dst')}${mapped('dst')}${user('dst')}(?: duration %{TIME:duration} bytes %{INT:bytes})?(?: %{CISCO_REASON:reason})?(?: \\(%{DATA:user}\\))?`,
  '302020_302021': `${directed} connection for faddr %{IP:dst_ip}/%{INT:icmp_seq_num}(?:\\(%{DATA:fwuser}\\))? gaddr %{IP:src_xlated_ip}/%{INT:icmp_code_xlated} laddr %{IP:src_ip}/%{INT:icmp_code}(?: \\(%{DATA:user}\\))?`,
  '305011': `%{CISCO_ACTION:action} %{CISCO_XLATE_TYPE:xlate_type} %{WORD:protocol} translation from ${placed('src')}(?:/%{INT:src_port})?${user('src')} to %{DATA:src_xlated_interface}:%{IP:src_xlated_ip}/%{INT:src_xlated_port}`,
  '313001_313004_313008': `${start} type=%{INT:icmp_type}, code=%{INT:icmp_code} from %{IP:src_ip} on interface %{NOTSPACE:interface}(?: to %{IP:dst_ip})?`,
  '313005': `%{CISCO_REASON:reason} for %{WORD:protocol} error message: %{WORD:err_protocol} src ${placed('err_src')}${user('err_src')} dst ${placed('err_dst')}${user('err_dst')} ${icmp('err_')} on %{DATA:interface} interface\\.\\s+Original IP payload: %{WORD:orig_protocol} src ${endpoint('orig_src')}${user('orig_src')} dst ${endpoint('orig_dst')}${user('orig_dst')}`,
  '321001': "Resource '%{DATA:resource_name}' limit of %{POSINT:resource_limit} reached for system",
  '402117':
    '%{WORD:protocol}: Received a non-IPSec packet \\(protocol= ?%{WORD:orig_protocol}\\) from %{IP:src_ip} to %{IP:dst_ip}',
  '402119':
    '%{WORD:protocol}: Received an %{WORD:orig_protocol} packet \\(SPI= ?%{DATA:spi}, sequence number= ?%{DATA:seq_num}\\) from %{IP:src_ip} \\(user= ?%{DATA:user}\\) to %{IP:dst_ip} that failed anti-replay checking',
  '419001': `${start} packet ${placedFromTo}, reason: %{GREEDYDATA:reason}`,
  '419002': `%{CISCO_REASON:reason} ${placedFromTo} with different initial sequence number`,
  '500004': `%{CISCO_REASON:reason} for protocol=%{WORD:protocol}, ${fromTo}`,
  '602303_602304':
    '%{WORD:protocol}: An %{CISCO_DIRECTION:direction} %{DATA:tunnel_type} SA \\(SPI= ?%{DATA:spi}\\) between %{IP:src_ip} and %{IP:dst_ip} \\(user= ?%{DATA:user}\\) has been %{CISCO_ACTION:action}',
  '710001_710002_710003_710005_710006': `%{WORD:protocol} (?:request|access) %{CISCO_ACTION:action} from ${endpoint('src')} to ${placedPort('dst')}`,
  '713172':
    'Group = %{DATA:group}, IP = %{IP:src_ip}, Automatic NAT Detection Status:\\s+Remote end\\s*%{DATA:is_remote_natted}\\s*behind a NAT device\\s+This\\s+end\\s*%{DATA:is_local_natted}\\s*behind a NAT device',
  '733100': `\\[\\s*%{DATA:drop_type}\\s*\\] drop %{DATA:drop_rate_id} exceeded\\. ${rates('Current burst', 'burst')}${rates('Current average', 'avg')}Cumulative total count is %{INT:drop_total_count}`,
}

const asa = 'cisco.asa'
const payload = `${asa}.original_ip_payload`
const [ingress, egress] = ['observer.ingress.interface.name', 'observer.egress.interface.name']

const asaNames: FieldNames = {
  syslog_pri: 'log.syslog.priority:integer',
  sysloghost: 'host.hostname',
  ciscotag: `${asa}.tag`,
  switch_reason: 'event.reason',
  reason: 'event.reason',
  interface_name: 'network.interface.name',
  interface: egress,
  src_interface: ingress,
  dst_interface: egress,
  action: `${asa}.outcome`,
  direction: `${asa}.network.direction`,
  protocol: `${asa}.network.transport`,
  src_ip: 'source.ip',
  src_port: 'source.port:integer',
  src_fwuser: 'source.user.name',
  src_mapped_ip: 'source.nat.ip',
  src_mapped_port: 'source.nat.port:integer',
  dst_ip: 'destination.ip',
  dst_port: 'destination.port:integer',
  dst_fwuser: 'destination.user.name',
  dst_mapped_ip: 'destination.nat.ip',
  dst_mapped_port: 'destination.nat.port:integer',
  dst_url: 'url.original',
  tcp_flags: `${asa}.tcp_flags`,
  policy_id: `${asa}.rule_name`,
  icmp_type: `${asa}.icmp_type:integer`,
  icmp_code: `${asa}.icmp_code:integer`,
  hashcode1: '@metadata.cisco.asa.hashcode1',
  hashcode2: '@metadata.cisco.asa.hashcode2',
  hit_count: `${asa}.hit_count:integer`,
  interval: '',
  connection_count: `${asa}.connections.in_use:integer`,
  connection_count_max: `${asa}.connections.most_used:integer`,
  connection_id: `${asa}.connection_id`,
  duration: `${asa}.duration`,
  bytes: 'network.bytes:integer',
  user: 'user.name',
  xlate_type: '',
  src_xlated_interface: egress,
  src_xlated_ip: 'destination.ip',
  src_xlated_port: 'destination.port:integer',
  err_protocol: '',
  err_src_interface: ingress,
  err_src_ip: 'source.ip',
  err_src_fwuser: 'source.user.name',
  err_dst_interface: egress,
  err_dst_ip: 'destination.ip',
  err_dst_fwuser: 'destination.user.name',
  err_icmp_type: `${asa}.icmp_type:integer`,
  err_icmp_code: `${asa}.icmp_code:integer`,
  orig_protocol: `${payload}.network.transport`,
  orig_src_ip: `${payload}.source.ip`,
  orig_src_port: `${payload}.source.port:integer`,
  orig_src_fwuser: `${payload}.source.user.name`,
  orig_dst_ip: `${payload}.destination.ip`,
  orig_dst_port: `${payload}.destination.port:integer`,
  orig_dst_fwuser: `${payload}.destination.user.name`,
  resource_name: `${asa}.resource.name`,
  resource_limit: `${asa}.resource.limit:integer`,
  spi: `${asa}.ipsec.spi`,
  seq_num: `${asa}.ipsec.seq_num`,
  tunnel_type: `${asa}.ipsec.tunnel_type`,
  group: `${asa}.source.group`,
  is_remote_natted: '@metadata.cisco.asa.remote_nat',
  is_local_natted: '@metadata.cisco.asa.local_nat',
  drop_type: `${asa}.burst.object`,
  drop_rate_id: `${asa}.burst.id`,
  drop_rate_current_burst: `${asa}.burst.current_rate:integer`,
  drop_rate_max_burst: `${asa}.burst.configured_rate:integer`,
  drop_rate_current_avg: `${asa}.burst.avg_rate:integer`,
  drop_rate_max_avg: `${asa}.burst.configured_avg_rate:integer`,
  drop_total_count: `${asa}.burst.cumulative_count:integer`,
}

const ipsec: FieldNames = { protocol: `${asa}.network.type`, user: 'source.user.name' }
/** Where a message's field has another place than that of the same name elsewhere. */
const asaOwnNames: Readonly<Record<string, FieldNames>> = {
  '106100_2_3': { src_fwuser: 'user.name', interval: `${asa}.interval` },
  '302020_302021': {
    icmp_seq_num: `${asa}.icmp_seq:integer`,
    fwuser: 'destination.user.name',
    src_xlated_ip: 'source.nat.ip',
    icmp_code_xlated: `${asa}.icmp_type:integer`,
    icmp_code: '',
    user: 'source.user.name',
  },
  '313005': { interface: '' },
  '402117': { ...ipsec, orig_protocol: `${asa}.network.transport` },
  '402119': { ...ipsec, orig_protocol: `${asa}.ipsec.protocol` },
  '602303_602304': ipsec,
}

const asaParts: Patterns = {
  CISCO_TAGGED_SYSLOG:
    '^<%{POSINT:syslog_pri}>%{CISCOTIMESTAMP:timestamp}(?: %{SYSLOGHOST:sysloghost})? ?: %%{CISCOTAG:ciscotag}:',
  CISCOTIMESTAMP: '%{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME}',
  CISCOTAG: '[A-Z0-9]+-%{INT}-[A-Z0-9_]+',
  CISCO_ACTION:
    'Built|Teardown|Deny|Denied|denied by ACL|denied|requested|permitted|discarded|est-allowed|Dropping|created|deleted',
  CISCO_REASON:
    'Duplicate TCP SYN|Failed to locate egress interface|Invalid transport field|No matching connection|DNS Response|DNS Query|(?:\\w+(?:\\s+\\w+)*)?\\s*',
  CISCO_DIRECTION: '[Ii]nbound|[Oo]utbound',
  CISCO_INTERVAL: 'first hit|%{INT}-second interval',
  CISCO_XLATE_TYPE: 'static|dynamic',
}

/** Parts that only the other series has names for. */
function asaEcsParts(): Patterns {
  const parts: Patterns = {
    CISCO_HITCOUNT_INTERVAL: `hit-cnt %{INT:hit_count} (?:first hit|%{INT:${asa}.interval:integer}-second interval)`,
  }
  for (const [name, side, address] of [
    ['SRC', 'src', 'source.address'],
    ['DST', 'dst', 'destination.address'],
  ] as const) {
    parts[`CISCO_${name}_IP_USER`] = `%{NOTSPACE:${side}_interface}:%{IP:${side}_ip}${user(side)}`
    parts[`CISCO_${name}_HOST_PORT_USER`] =
      `%{NOTSPACE:${side}_interface}:(?:%{IP:${side}_ip}|%{HOSTNAME:${address}})(?:/%{INT:${side}_port})?${user(side)}`
  }
  return parts
}

function ciscoPatterns(series: GrokSeries): Patterns {
  const patterns: Patterns = {}
  for (const [name, text] of Object.entries(asaMessages)) {
    if (series === 'legacy') {
      const legacy = name === '313005' ? text.replace('orig_protocol', 'protocol') : text
      patterns[`CISCOFW${name}`] = legacy
      continue
    }
    const hosts = text
      .replace(anyHost('src'), '%{CISCO_SRC_HOST_PORT_USER}')
      .replace(anyHost('dst'), '%{CISCO_DST_HOST_PORT_USER}')
    const whole =
      name === '106100_2_3' ? hosts.replace(counted, '%{CISCO_HITCOUNT_INTERVAL}') : hosts
    patterns[`CISCOFW${name}`] = renameFields(whole, { ...asaNames, ...asaOwnNames[name] })
  }
  const parts = series === 'legacy' ? asaParts : { ...asaParts, ...asaEcsParts() }
  for (const [name, text] of Object.entries(parts)) {
    patterns[name] = series === 'legacy' ? text : renameFields(text, asaNames)
  }
  return patterns
}

const flow = '%{IP:src-ip}/%{INT:src-port}->%{IP:dst-ip}/%{INT:dst-port} %{DATA:service}'
const rule = (side: string) => `(?:%{RT_FLOW_NONE}|%{DATA:${side}-nat-rule-name})`
const zones = '%{DATA:policy-name} %{DATA:from-zone} %{DATA:to-zone}'

function junosPatterns(series: GrokSeries): Patterns {
  const legacy = series === 'legacy'
  const rules = legacy
    ? '%{DATA:src-nat-rule-name} %{DATA:dst-nat-rule-name}'
    : `${rule('src')} ${rule('dst')}`.replaceAll('%{RT_FLOW_NONE}', 'None')
  const session = `${flow} %{IP:nat-src-ip}/%{INT:nat-src-port}->%{IP:nat-dst-ip}/%{INT:nat-dst-port} ${rules} %{INT:protocol-id} ${zones} %{INT:session-id}`
  const count = legacy ? 'DATA' : 'INT'
  const event = `%{${legacy ? 'RT_FLOW_EVENT' : 'RT_FLOW_TAG'}:event}`
  const patterns: Patterns = {
    RT_FLOW1: `${event}: %{GREEDYDATA:close-reason}: ${session} \\d+\\(%{${count}:sent}\\) \\d+\\(%{${count}:received}\\) %{INT:elapsed-time} .*`,
    RT_FLOW2: `${event}: session created ${session} .*`,
    RT_FLOW3: `${event}: session denied ${flow} %{INT:protocol-id}\\(\\d+\\) ${zones} .*`,
  }
  const tags = 'RT_FLOW_SESSION_(?:CREATE|CLOSE|DENY)'
  if (legacy) return { RT_FLOW_EVENT: tags, ...patterns }
  const renamed = Object.entries(patterns).map(([name, text]) => [
    name,
    renameFields(text, junosNames),
  ])
  return { RT_FLOW_TAG: tags, RT_FLOW_EVENT: '%{RT_FLOW_TAG}', ...Object.fromEntries(renamed) }
}

const junosNames: FieldNames = {
  event: 'juniper.srx.tag',
  'close-reason': 'juniper.srx.reason',
  'src-ip': 'source.ip',
  'src-port': 'source.port:integer',
  'dst-ip': 'destination.ip',
  'dst-port': 'destination.port:integer',
  service: 'juniper.srx.service_name',
  'nat-src-ip': 'source.nat.ip',
  'nat-src-port': 'source.nat.port:integer',
  'nat-dst-ip': 'destination.nat.ip',
  'nat-dst-port': 'destination.nat.port:integer',
  'src-nat-rule-name': 'juniper.srx.src_nat_rule_name',
  'dst-nat-rule-name': 'juniper.srx.dst_nat_rule_name',
  'protocol-id': 'network.iana_number',
  'policy-name': 'rule.name',
  'from-zone': 'observer.ingress.zone',
  'to-zone': 'observer.egress.zone',
  'session-id': 'juniper.srx.session_id',
  sent: 'source.bytes:integer',
  received: 'destination.bytes:integer',
  'elapsed-time': 'juniper.srx.elapsed_time:integer',
}

/** Those of the firewalls above, as strings. */
export function networkPatterns(series: GrokSeries): Patterns {
  return { ...ciscoPatterns(series), ...junosPatterns(series) }
}
