import { bufferSection, outputParams, secondarySection } from '../../buffer/index.ts'
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

const atLeast = (least: number) => (value: number) =>
  value >= least ? undefined : `expected ${least} or more`
const above = (least: number) => (value: number) =>
  value > least ? undefined : `expected more than ${least}`
const port = (value: number) => (value >= 1 && value <= 65_535 ? undefined : 'expected 1 to 65535')
const notEmpty = (value: string) => (value === '' ? 'expected a text that is not empty' : undefined)

const serverShape = {
  params: {
    host: string({ description: 'Host name or address.', required: true, check: notEmpty }),
    name: string({
      description:
        'What the server is called in the log. With TLS, and a `host` that is an address, the name that its certificate must be for.',
    }),
    port: integer({ description: 'The port.', default: 24224, check: port }),
    shared_key: string({
      description: 'The shared key for this server, in place of that of <security>.',
      secret: true,
    }),
    username: string({ description: 'User for authentication.', default: '' }),
    password: string({ description: 'Password of the user.', default: '', secret: true }),
    standby: bool({
      description: 'Gets chunks only while other servers are not available.',
      default: false,
      differs:
        'A chunk that all other servers have refused is offered to standby servers at once, also before they are believed to be gone.',
    }),
    weight: integer({
      description: 'Its share of the chunks, in relation to the others.',
      default: 60,
      check: atLeast(0),
    }),
  },
} as const

const discoveryShape = {
  params: {
    '@type': enumeration(['static', 'file', 'srv'], {
      description: 'Where the servers are named: in <service> sections, in a file, or in DNS.',
      required: true,
    }),
    path: string({
      description: 'file: a list of servers in YAML or (`.json`) JSON; read again when it changes.',
      default: '/etc/fluent/sd.yaml',
    }),
    conf_encoding: string({
      description: "file: the file's encoding.",
      default: 'utf-8',
      check: (value: string) =>
        /^utf-?8$/i.test(value) ? undefined : 'expected utf-8: other encodings are not read',
      differs: 'UTF-8 alone; another encoding is an error at start.',
    }),
    service: string({ description: 'srv: the service, without underscore.' }),
    proto: string({ description: 'srv: the protocol, without underscore.', default: 'tcp' }),
    hostname: string({ description: 'srv: the domain.' }),
    dns_server_host: string({ description: 'srv: the name server, as `host` or `host:port`.' }),
    interval: integer({
      description: 'srv: seconds between two questions.',
      default: 60,
      check: atLeast(1),
    }),
    dns_lookup: bool({ description: 'srv: look up the addresses of targets.', default: true }),
    shared_key: string({ description: 'srv: the shared key of all servers.', secret: true }),
    username: string({ description: 'srv: user for all servers.', default: '' }),
    password: string({ description: 'srv: password of the user.', default: '', secret: true }),
  },
  sections: {
    service: section(serverShape, { description: 'static: a server.', multi: true }),
  },
} as const

const tlsParams = {
  tls_version: enumeration(['TLSv1_1', 'TLSv1_2', 'TLSv1_3', 'TLS1_1', 'TLS1_2', 'TLS1_3'], {
    description: 'The version of TLS.',
    default: 'TLSv1_2',
    differs: 'Where it is not written, TLS 1.2 and later are offered; Fluentd offers 1.2 only.',
  }),
  tls_ciphers: string({
    description: 'Ciphers, as OpenSSL names them.',
    default: 'ALL:!aNULL:!eNULL:!SSLv2',
    differs: 'Where it is not written, Node.js’s own list is used.',
  }),
  tls_insecure_mode: bool({
    description: 'Takes any certificate: whoever stands in between can read and change everything.',
    default: false,
  }),
  tls_allow_self_signed_cert: bool({
    description:
      'Accepted: a self-signed certificate is trusted where `tls_cert_path` names it, with this parameter or without.',
    default: false,
    differs: 'No effect: Fluentd checks the own signature of a self-signed certificate without it.',
  }),
  tls_verify_hostname: bool({
    description: "Whether the server's certificate must be for its name.",
    default: true,
  }),
  tls_ca_cert_path: array({
    description: 'Files with certificates to trust beside the public ones, in PEM.',
  }),
  tls_cert_path: array({ description: 'The same; takes the place of `tls_ca_cert_path`.' }),
  tls_client_cert_path: string({ description: 'File with our certificate, in PEM.' }),
  tls_client_private_key_path: string({ description: 'File with its private key, in PEM.' }),
  tls_client_private_key_passphrase: string({
    description: 'Passphrase of the key.',
    secret: true,
  }),
  tls_cert_thumbprint: string({
    description: 'Of the certificate store of Windows.',
    secret: true,
    unsupported: 'This parameter is for only Windows',
  }),
  tls_cert_logical_store_name: string({
    description: 'Of the certificate store of Windows.',
    unsupported: 'This parameter is for only Windows',
  }),
  tls_cert_use_enterprise_store: bool({
    description: 'Of the certificate store of Windows; accepted, without effect.',
    default: true,
  }),
} as const

export const forwardShape = {
  params: {
    ...outputParams,
    transport: enumeration(['tcp', 'tls'], { description: 'What carries it.', default: 'tcp' }),
    send_timeout: time({
      description: 'How long a server may take nothing of what is sent.',
      default: 60,
      check: above(0),
    }),
    connect_timeout: time({
      description: 'How long connecting, with TLS, may take. Default 60 seconds.',
      check: above(0),
    }),
    recover_wait: time({
      description: 'How long heartbeats must be answered before a lost server is used again.',
      default: 10,
      check: atLeast(0),
    }),
    heartbeat_type: enumeration(['transport', 'tcp', 'udp', 'none'], {
      description:
        'How servers are looked after: by connecting as for chunks (`transport`; `tcp` is its old name), by datagrams, or not at all.',
      default: 'transport',
    }),
    heartbeat_interval: time({
      description: 'Time between heartbeats.',
      default: 1,
      check: above(0),
    }),
    phi_failure_detector: bool({
      description: 'Learn from how heartbeats come when to give a silent server up.',
      default: true,
      differs:
        'Heartbeats that come early (each chunk counts as one) do not make the detector more suspicious.',
    }),
    phi_threshold: integer({
      description: 'How suspicious a silence must be.',
      default: 16,
      check: above(0),
    }),
    hard_timeout: time({
      description:
        'A server that is silent for so long is given up. Also how long its handshake may take.',
      default: 60,
      check: above(0),
    }),
    require_ack_response: bool({
      description:
        'Ask for acknowledgements, and send again what got none: without it, what a server loses is lost.',
      default: false,
    }),
    ack_response_timeout: time({
      description: 'How long an acknowledgement may take.',
      default: 190,
      check: atLeast(1),
    }),
    read_interval_msec: integer({
      description: 'Accepted, without effect: nothing is polled.',
      default: 50,
      differs: 'No effect: nothing is polled.',
    }),
    read_length: size({
      description: 'Accepted, without effect.',
      default: 512,
      differs: 'No effect: what is there is read.',
    }),
    dns_round_robin: bool({
      description: "Take a server's addresses by chance, not always the first.",
      default: false,
    }),
    expire_dns_cache: time({
      description:
        'How long addresses are remembered. Default: until the server is given up. 0: not.',
      check: atLeast(0),
    }),
    ignore_network_errors_at_startup: bool({
      description: 'Start also if names of servers cannot be resolved.',
      default: false,
    }),
    verify_connection_at_startup: bool({
      description: 'Connect to each server at start, and fail if that does not work.',
      default: false,
    }),
    compress: enumeration(['text', 'gzip', 'zstd'], {
      description: 'Whether chunks are compressed. `zstd` needs Node.js 22.15 or later.',
      default: 'text',
    }),
    keepalive: bool({
      description: 'Keep connections open for further chunks.',
      default: false,
    }),
    keepalive_timeout: time({
      description: 'How long an unused connection is kept. Default: for ever.',
      check: above(0),
    }),
    ...tlsParams,
    host: string({
      description: 'Removed from Fluentd.',
      unsupported: 'parameter is already removed: Use <server> section instead.',
    }),
    port: integer({
      description: 'Removed from Fluentd.',
      default: 24224,
      unsupported: 'parameter is already removed: Use <server> section instead.',
    }),
  },
  sections: {
    server: section(serverShape, { description: 'A server that chunks go to.', multi: true }),
    service_discovery: section(discoveryShape, {
      description: 'Servers that are named elsewhere.',
      multi: true,
    }),
    security: section(
      {
        params: {
          self_hostname: string({ description: 'The name we give ourselves.', required: true }),
          shared_key: string({
            description: 'Known to us and to the servers.',
            required: true,
            secret: true,
          }),
        },
      },
      { description: 'Authentication by a shared key.' },
    ),
    buffer: bufferSection({ chunk_keys: ['tag'] }),
    secondary: secondarySection('forward'),
  },
} as const

export type ForwardParams = Bound<typeof forwardShape>
export type DiscoveryParams = ForwardParams['serviceDiscovery'][number]
export type ServiceParams = ForwardParams['server'][number]
