/**
 * Patterns of NetScreen's sessions and of what netfilter's LOG target writes (`man iptables-extensions`), which Shorewall and
 * SuSEfirewall2 put their prefixes before.
 *
 * After the grok patterns of Logstash (github.com/logstash-plugins/logstash-patterns-core, Apache License 2.0, copyright
 * Elastic and contributors), as fluent-plugin-grok-parser has them: names and fields are theirs, and many expressions follow them.
 */
import type { GrokSeries, Patterns } from './grok-names.ts'

const legacyPatterns: Patterns = {
  NETSCREENSESSIONLOG:
    '%{SYSLOGTIMESTAMP:date} %{IPORHOST:device} %{IPORHOST}: NetScreen device_id=%{WORD:device_id}%{DATA}: start_time=%{QUOTEDSTRING:start_time} duration=%{INT:duration} policy_id=%{INT:policy_id} service=%{DATA:service} proto=%{INT:proto} src zone=%{WORD:src_zone} dst zone=%{WORD:dst_zone} action=%{WORD:action} sent=%{INT:sent} rcvd=%{INT:rcvd} src=%{IPORHOST:src_ip} dst=%{IPORHOST:dst_ip} src_port=%{INT:src_port} dst_port=%{INT:dst_port} src-xlated ip=%{IPORHOST:src_xlated_ip} port=%{INT:src_xlated_port} dst-xlated ip=%{IPORHOST:dst_xlated_ip} port=%{INT:dst_xlated_port} session_id=%{INT:session_id} reason=%{GREEDYDATA:reason}',
  SHOREWALL:
    '%{SYSLOGTIMESTAMP:timestamp} %{WORD:nf_host} .*?Shorewall:%{WORD:nf_action1}?:%{WORD:nf_action2}?.*?IN=%{USERNAME:nf_in_interface}?.*?(?:OUT= *MAC=%{COMMONMAC:nf_dst_mac}:%{COMMONMAC:nf_src_mac}?|OUT=%{USERNAME:nf_out_interface}).*?SRC=%{IPV4:nf_src_ip}.*?DST=%{IPV4:nf_dst_ip}.*?LEN=%{WORD:nf_len}.*?TOS=%{WORD:nf_tos}.*?PREC=%{WORD:nf_prec}.*?TTL=%{INT:nf_ttl}.*?ID=%{INT:nf_id}.*?PROTO=%{WORD:nf_protocol}.*?SPT=%{INT:nf_src_port}?.*?DPT=%{INT:nf_dst_port}?',
  SFW2: '(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})\\s*%{HOSTNAME}\\s*kernel\\S+\\s*(?:%{NAGIOSTIME}\\s*)?SFW2-INext-%{NOTSPACE:nf_action}\\s*IN=%{USERNAME:nf_in_interface}.*?OUT=(?:\\s*%{USERNAME:nf_out_interface}(?=\\s))?\\s*MAC=(?:%{COMMONMAC:nf_dst_mac}:%{COMMONMAC:nf_src_mac}|\\s*).*?SRC=%{IP:nf_src_ip}\\s*DST=%{IP:nf_dst_ip}.*?PROTO=%{WORD:nf_protocol}(?:.*?SPT=%{INT:nf_src_port}.*?DPT=%{INT:nf_dst_port})?',
}

const hex = (label: string, field: string) => `${label}=(?:0|0x%{BASE16NUM:iptables.${field}})?`
const number = (label: string, field: string) => `${label}=%{INT:${field}:integer}?`

const ecsPatterns: Patterns = {
  NETSCREENSESSIONLOG:
    '%{SYSLOGTIMESTAMP:timestamp} %{IPORHOST:observer.hostname} %{NOTSPACE:observer.name}: (?<observer.product>NetScreen) device_id=%{WORD:netscreen.device_id} .*?(?:system-\\w+-%{NONNEGINT:event.code}\\(%{WORD:netscreen.session.type}\\))?: start_time="%{DATA:netscreen.session.start_time}" duration=%{INT:netscreen.session.duration:integer} policy_id=%{INT:netscreen.policy_id} service=%{DATA:netscreen.service} proto=%{INT:netscreen.protocol_number:integer} src zone=%{WORD:observer.ingress.zone} dst zone=%{WORD:observer.egress.zone} action=%{WORD:event.action} sent=%{INT:source.bytes:integer} rcvd=%{INT:destination.bytes:integer} src=%{IPORHOST:source.address} dst=%{IPORHOST:destination.address}(?: src_port=%{INT:source.port:integer} dst_port=%{INT:destination.port:integer})?(?: src-xlated ip=%{IP:source.nat.ip} port=%{INT:source.nat.port:integer} dst-xlated ip=%{IP:destination.nat.ip} port=%{INT:destination.nat.port:integer})?(?: session_id=%{INT:netscreen.session.id} reason=%{GREEDYDATA:netscreen.session.reason})?',
  IPTABLES_TCP_FLAGS: '(?:(?:CWR|ECE|URG|ACK|PSH|RST|SYN|FIN) )*',
  IPTABLES_TCP_PART:
    '(?:SEQ=%{INT:iptables.tcp.seq:integer}\\s+)?(?:ACK=%{INT:iptables.tcp.ack:integer}\\s+)?WINDOW=%{INT:iptables.tcp.window:integer}\\s+RES=0x%{BASE16NUM:iptables.tcp_reserved_bits}\\s+%{IPTABLES_TCP_FLAGS:iptables.tcp.flags}',
  IPTABLES4_FRAG: '(?:(?<= )(?:CE|DF|MF))*',
  IPTABLES4_PART: `SRC=%{IPV4:source.ip}\\s+DST=%{IPV4:destination.ip}\\s+${number('LEN', 'iptables.length')}\\s+${hex('TOS', 'tos')}\\s+${hex('PREC', 'precedence_bits')}\\s+${number('TTL', 'iptables.ttl')}\\s+ID=%{INT:iptables.id}?\\s+%{IPTABLES4_FRAG:iptables.fragment_flags}?(?:\\s+FRAG: ?%{INT:iptables.fragment_offset:integer})?`,
  IPTABLES6_PART: `SRC=%{IPV6:source.ip}\\s+DST=%{IPV6:destination.ip}\\s+${number('LEN', 'iptables.length')}\\s+${hex('TC', 'tos')}\\s+${number('HOPLIMIT', 'iptables.ttl')}\\s+FLOWLBL=%{INT:iptables.flow_label}?`,
  IPTABLES: `IN=%{NOTSPACE:observer.ingress.interface.name}?\\s+OUT=%{NOTSPACE:observer.egress.interface.name}?\\s+(?:MAC=%{COMMONMAC:destination.mac}?(?::%{COMMONMAC:source.mac})?(?::[A-Fa-f0-9]{2}:[A-Fa-f0-9]{2})?\\s+)?(?:%{IPTABLES4_PART}|%{IPTABLES6_PART}).*?PROTO=%{WORD:network.transport}?\\s+${number('SPT', 'source.port')}\\s+${number('DPT', 'destination.port')}\\s+%{IPTABLES_TCP_PART}?`,
  SHOREWALL:
    '%{SYSLOGTIMESTAMP:timestamp} %{WORD:observer.hostname} .*?Shorewall:%{WORD:shorewall.firewall.type}?:%{WORD:shorewall.firewall.action}?.*?%{IPTABLES}',
  SFW2_LOG_PREFIX: 'SFW2-INext-%{NOTSPACE:suse.firewall.action}',
  SFW2: '(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})\\s*%{HOSTNAME:observer.hostname}.*?%{SFW2_LOG_PREFIX:suse.firewall.log_prefix}\\s*%{IPTABLES}',
}

/** Those of NetScreen and netfilter, as strings. */
export function netfilterPatterns(series: GrokSeries): Patterns {
  return series === 'legacy' ? legacyPatterns : ecsPatterns
}
