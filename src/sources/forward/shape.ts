import {
  array,
  type Bound,
  bool,
  enumeration,
  integer,
  section,
  size,
  string,
  time,
} from '../../config/schema.ts'
import { maxRecordItems } from '../../core/batch.ts'
import { allowFrom } from '../../transport/allow-list.ts'
import { transportSection } from '../../transport/section.ts'

const mebibyte = 1024 * 1024
const atLeast = (least: number) => (value: number) =>
  value >= least ? undefined : `expected ${least} or more`

const notEmpty = (value: string) => (value === '' ? 'expected a text that is not empty' : undefined)

/** Fluentd's parameters of in_forward, then our own. */
export const params = {
  port: integer({
    description: 'The port to listen on: TCP for events, UDP for heartbeats.',
    default: 24224,
    check: (value) => (value >= 0 && value <= 65535 ? undefined : 'expected 0 to 65535'),
  }),
  bind: string({
    description: 'The address to listen on. `0.0.0.0`: all of IPv4; `::`: all of IPv6 and IPv4.',
    default: '0.0.0.0',
    check: notEmpty,
  }),
  tag: string({
    description: 'A tag for all events, in place of what clients send.',
    check: notEmpty,
  }),
  add_tag_prefix: string({
    description: 'Put in front of tags, with a dot between.',
    check: notEmpty,
  }),
  backlog: integer({
    description: 'Connections that may wait to be accepted. Default: 1024.',
    check: atLeast(1),
  }),
  linger_timeout: integer({
    description: 'With 0, connections that Sluice closes are reset instead of ended.',
    deprecated: 'Connections are ended properly without it; take it out.',
    differs: 'Only the value 0 has an effect.',
  }),
  blocking_timeout: time({
    description: "Of Fluentd's event loop; accepted, without effect.",
    default: 0.5,
    differs: 'No effect: there is nothing that blocks.',
  }),
  deny_keepalive: bool({
    description: 'Ends each connection after the messages of one read, once they are acknowledged.',
    default: false,
  }),
  send_keepalive_packet: bool({
    description: 'Turns on SO_KEEPALIVE, by which dead clients are noticed.',
    default: false,
  }),
  chunk_size_limit: size({
    description:
      'A message of more bytes is dropped with a warning, and not acknowledged. Default: no limit but `unfinished_message_limit`.',
    check: atLeast(1),
    differs: "The message's own bytes count, not all bytes read since the last message.",
  }),
  chunk_size_warn_limit: size({
    description: 'A message of more bytes is taken with a warning.',
    check: atLeast(1),
  }),
  decompression_size_limit: size({
    description:
      'The most that may come out of one compressed message, over all its gzip members or zstd frames. Beyond, the connection is closed.',
    default: 256 * mebibyte,
    check: atLeast(1),
  }),
  skip_invalid_event: bool({
    description: 'Leaves out events whose time or record has a wrong type, with a warning.',
    default: true,
  }),
  resolve_hostname: bool({
    description: "Looks up the names of clients' addresses; `source_hostname_key` turns it on.",
  }),
  source_address_key: string({
    description: "The field of each record that the client's IP address is written to.",
    check: notEmpty,
  }),
  source_hostname_key: string({
    description: "The field of each record that the client's host name is written to.",
    check: notEmpty,
  }),

  unix_path: string({
    description:
      'A unix socket to listen on, in place of `bind` and `port` (Docker: `--log-opt fluentd-address=unix:///path`).',
    ours: true,
    check: notEmpty,
  }),
  unix_mode: string({
    description: 'Permissions of the unix socket, in octal digits: `0660`.',
    ours: true,
    check: (value) => (/^0?[0-7]{3}$/.test(value) ? undefined : 'expected octal digits like 0660'),
  }),
  unix_owner: string({
    description: 'The user, by name or number, that the unix socket shall belong to.',
    ours: true,
    check: notEmpty,
  }),
  unix_group: string({
    description:
      'The group, by name or number, that the unix socket shall belong to; with `unix_mode 0660` its members may connect.',
    ours: true,
    check: notEmpty,
  }),
  allow_from: allowFrom,
  unfinished_message_limit: size({
    description:
      'Bytes kept of one message that is not complete yet; beyond, the connection is closed. The default lets pass the largest chunk that Fluentd sends from a file buffer (256 MiB) with some room.',
    default: 272 * mebibyte,
    ours: true,
    check: atLeast(1024),
  }),
  unfinished_total_limit: size({
    description:
      'The same over all connections: beyond, the one of which most is kept is closed. The default is room for the largest message on one connection and as much again for all others.',
    default: 544 * mebibyte,
    ours: true,
    check: atLeast(1024),
  }),
  max_connections: integer({
    description: 'Connections at once; further ones are closed when they come.',
    default: 16_384,
    ours: true,
    check: atLeast(1),
  }),
  max_connections_per_address: integer({
    description:
      'Connections at once from one address. The default is half of all, so that no single client shuts out the others; all containers of one Docker engine come from one address.',
    default: 8_192,
    ours: true,
    check: atLeast(1),
  }),
  idle_timeout: time({
    description:
      'A connection from which nothing comes for so long is closed. 0: never, since a quiet container keeps its connection for days.',
    default: 0,
    ours: true,
    check: atLeast(0),
  }),
  partial_message_timeout: time({
    description:
      'A connection is closed when a message was begun and does not go on (by at least 1 KiB) for so long. 0: never.',
    default: 60,
    ours: true,
    check: atLeast(0),
  }),
  handshake_timeout: time({
    description:
      'With <security>, a client that has not proved who it is after so long is cut off.',
    default: 10,
    ours: true,
    check: (value) => (value > 0 ? undefined : 'expected more than 0'),
  }),
  ack_when: enumeration(['received', 'buffered', 'delivered'], {
    description:
      'When a message that asks for it is acknowledged: `received`: once it was looked at; `buffered`: once its events are in the buffers of all outputs they go to, or written by outputs without one; `delivered`: once these have delivered them, or their destination has refused them for good. What `concat` and `detect_exceptions` hold until its other lines come is in memory: with `buffered` it is acknowledged there, with `delivered` once the joined event is delivered. With `delivered`, clients must wait longer than flush_interval for their acks.',
    default: 'buffered',
    ours: true,
  }),
  know_repeats: bool({
    description:
      'Whether a message that a client sends again, because its ack was lost or late, is acknowledged without being taken a second time. It is known by its client (address and, with <security>, host name and user), tag, chunk id and events; only messages that ask for an ack have such an id.',
    default: true,
    ours: true,
  }),
  repeats_limit: integer({
    description: 'Messages that are remembered for that.',
    default: 65_536,
    ours: true,
    check: atLeast(1),
  }),
  repeats_age: time({
    description: 'How long they are remembered.',
    default: 3_600,
    ours: true,
    check: atLeast(1),
  }),
  repeats_path: string({
    description:
      'The directory in which they are remembered over a restart. Default: `<root_dir>/worker0/<id>/repeats`, where `<id>` is the @id or `forward_<port>`; without root_dir of <system> a restart forgets them.',
    ours: true,
    check: notEmpty,
  }),
  record_keys_limit: integer({
    description:
      'Events whose record has more keys and elements of arrays, at all levels together, are invalid: dropped, counted and acknowledged. A record is written in one go, and others wait meanwhile.',
    default: maxRecordItems,
    ours: true,
    check: atLeast(16),
  }),
  record_size_limit: size({
    description:
      'The same for records of more bytes. Others wait up to 30 ms while one of 1 MiB is written.',
    default: 8 * 1024 ** 2,
    ours: true,
    check: atLeast(1),
  }),
  tag_length_limit: size({
    description:
      'Events with a tag of more bytes are dropped, counted and acknowledged, as are those whose tag is not UTF-8 or has control characters.',
    default: 1024,
    ours: true,
    check: atLeast(1),
  }),
} as const

const additionalKeys = array({
  description:
    'Keys that are accepted as well: name the new one here, change the clients over, then make it the `shared_key`.',
  default: [],
  secret: true,
  ours: true,
})

const client = section(
  {
    params: {
      host: string({
        description: 'Address of the client, or its name, which is looked up at start.',
        differs: 'All addresses of a name count; in Fluentd only the first.',
      }),
      network: string({ description: 'Network of the client, as 192.0.2.0/24.' }),
      shared_key: string({
        description: 'Its own shared key, in place of that of <security>.',
        secret: true,
      }),
      additional_shared_keys: additionalKeys,
      users: array({
        description: 'Users that may come from there. Default: all.',
        default: [],
      }),
    },
  },
  { description: 'Clients told apart by where they come from.', multi: true },
)

const user = section(
  {
    params: {
      username: string({ description: 'Name of the user.', required: true }),
      password: string({ description: 'Password of the user.', required: true, secret: true }),
    },
  },
  { description: 'Users for `user_auth`.', multi: true },
)

export const sections = {
  security: section(
    {
      params: {
        self_hostname: string({ description: 'The name we give ourselves.', required: true }),
        shared_key: string({
          description: 'Known to us and to all clients.',
          required: true,
          secret: true,
          differs: 'An empty key is an error.',
        }),
        additional_shared_keys: additionalKeys,
        user_auth: bool({ description: 'Clients must name a user.', default: false }),
        allow_anonymous_source: bool({
          description: 'Clients that no <client> names may come.',
          default: true,
        }),
      },
      sections: { user, client },
    },
    { description: 'Clients must prove that they know a shared key before anything is taken.' },
  ),
  transport: transportSection,
} as const

export const shape = { params, sections } as const

export type SecurityParams = NonNullable<Bound<typeof shape>['security']>
