import { bool, enumeration, plugin, size, string } from '../../config/schema.ts'
import { udpTransportSection } from '../../transport/section.ts'
import {
  bindParam,
  connectionLimits,
  keepAliveParam,
  peerParams,
  portParam,
} from '../../transport/stream-params.ts'

export const shape = {
  params: {
    tag: string({ description: 'What tags begin with.', required: true }),
    port: portParam(5140),
    bind: bindParam,
    protocol_type: enumeration(['tcp', 'udp'] as const, {
      description: 'What carries the messages.',
      deprecated: 'use <transport> instead: <transport tcp>',
    }),
    frame_type: enumeration(['traditional', 'octet_count'] as const, {
      description: 'Over TCP: messages end with the delimiter, or their length stands before them.',
      default: 'traditional',
    }),
    delimiter: string({
      description: 'What ends a message over TCP.',
      default: '\n',
      check: (value) => (value === '' ? 'expected a text that is not empty' : undefined),
    }),
    message_length_limit: size({
      description:
        'Of a datagram only so many bytes are looked at; over TCP longer messages are dropped.',
      default: 2048,
      differs: 'Over TCP Fluentd has no limit.',
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    emit_unmatched_lines: bool({
      description:
        'Emits messages that cannot be read as `TAG.unmatched`, with the text in `unmatched_line`.',
      default: false,
    }),
    severity_key: string({
      description: "The field that takes the severity's word.",
      alias: 'priority_key',
    }),
    facility_key: string({ description: "The field that takes the facility's word." }),
    include_source_host: bool({
      description: "Puts the client's host name into `source_host_key`.",
      default: false,
      deprecated: 'use "source_hostname_key" instead',
    }),
    source_host_key: string({
      description: 'The field of `include_source_host`.',
      default: 'source_host',
    }),
    resolve_hostname: bool({
      description: 'Looks up host names of clients. On where `source_hostname_key` is set.',
    }),
    send_keepalive_packet: keepAliveParam,
    ...peerParams,
    ...connectionLimits,
  },
  sections: {
    parse: plugin('parser', {
      description: 'How messages are read.',
      defaultType: 'syslog',
      always: true,
      defaults: { with_priority: true },
    }),
    transport: udpTransportSection,
  },
} as const
