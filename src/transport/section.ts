import { type Bound, bool, enumeration, integer, section, string, time } from '../config/schema.ts'

const versions = ['TLSv1_1', 'TLSv1_2', 'TLSv1_3', 'TLS1_1', 'TLS1_2', 'TLS1_3'] as const
const day = 86_400

/** Fluentd's parameters of `<transport>` in everything that listens. */
const tlsParams = {
  version: enumeration(versions, {
    description: 'The one version of TLS that is spoken. Default: 1.2 and 1.3.',
    differs: "Without it TLS 1.2 and 1.3 are spoken; Fluentd's default is 1.2 alone.",
  }),
  min_version: enumeration(versions, {
    description: 'The oldest version that is spoken; with `max_version`.',
  }),
  max_version: enumeration(versions, {
    description: 'The newest version that is spoken; with `min_version`.',
  }),
  ciphers: string({
    description: "Ciphers for TLS 1.2, as OpenSSL writes them. Default: Node.js' own list.",
    differs: "Without it the list is that of Node.js, which is shorter than Fluentd's.",
  }),
  insecure: bool({
    description: 'Without certificates of its own: makes one at each start that nobody has signed.',
    default: false,
  }),
  ensure_fips: bool({
    description: 'Refuses to start unless OpenSSL runs in FIPS mode.',
    default: false,
  }),
  cert_path: string({
    description:
      'The certificate, and behind it those it was signed by (PEM). Read anew when it changes.',
    differs: 'A renewed file is taken up without a restart.',
  }),
  private_key_path: string({ description: 'Its key (PEM): RSA, EC or Ed25519.' }),
  private_key_passphrase: string({
    description: 'The passphrase of the key.',
    secret: true,
  }),
  client_cert_auth: bool({
    description: 'Clients must show a certificate that someone in `ca_path` has signed.',
    default: false,
    differs:
      'It demands `ca_path`: with the public authorities, anybody who has any certificate could come.',
  }),
  ca_path: string({ description: 'Who may sign certificates of clients (PEM).' }),
  cert_verifier: string({
    description: 'Ruby code that judges certificates of clients.',
    unsupported: 'Ruby code cannot be run here: use ca_path with an authority of your own.',
  }),
  ca_cert_path: string({
    description: 'An authority that signs a certificate for us at each start (PEM).',
  }),
  ca_private_key_path: string({ description: 'Its key (PEM).' }),
  ca_private_key_passphrase: string({
    description: "The passphrase of the authority's key.",
    secret: true,
  }),
  generate_private_key_length: integer({
    description: 'Bits of the RSA key that is made.',
    default: 2048,
    check: (bits) => (bits >= 2048 && bits <= 8192 ? undefined : 'expected 2048 to 8192'),
    differs: 'Keys of less than 2048 bits are refused.',
  }),
  generate_cert_country: string({
    description: 'Country in the certificate that is made.',
    default: 'US',
    check: (text) => (/^[A-Za-z]{2}$/.test(text) ? undefined : 'expected two letters'),
  }),
  generate_cert_state: string({
    description: 'State in the certificate that is made.',
    default: 'CA',
  }),
  generate_cert_locality: string({
    description: 'Locality in the certificate that is made.',
    default: 'Mountain View',
  }),
  generate_cert_common_name: string({
    description:
      'Name in the certificate that is made, and the one that clients check. Default: the host name.',
    check: (text) =>
      /^[\w.:*-]{1,64}$/.test(text) ? undefined : 'expected a host name or address',
    differs: 'It is written as subjectAltName too: clients of today look only there.',
  }),
  generate_cert_expiration: time({
    description: 'How long the certificate that is made is valid.',
    default: 10 * 365 * day,
    check: (seconds) =>
      seconds >= 60 && seconds <= 100 * 365 * day ? undefined : 'expected 60 seconds to 100 years',
  }),
  generate_cert_digest: enumeration(['sha1', 'sha256', 'sha384', 'sha512'] as const, {
    description: 'Digest in the signature of the certificate that is made.',
    default: 'sha256',
  }),
  linger_timeout: integer({
    description: 'Seconds that a closed connection may still send; Fluentd gives it to the socket.',
    default: 0,
    differs: 'No effect: connections are ended properly.',
  }),
  receive_buffer_size: integer({
    description: 'Bytes that the system keeps for us of each connection.',
    differs: 'No effect: the size is left to the system, which adapts it.',
  }),
  handshake_timeout: time({
    description: 'What a client may take for the TLS handshake.',
    default: 10,
    ours: true,
    check: (value) => (value > 0 && value <= 3600 ? undefined : 'expected more than 0'),
  }),
} as const

/** `<transport>` of something that listens; `protocol`: what is meant without an argument. */
function transportOf<const P extends 'tcp' | 'udp'>(protocol: P) {
  return section(
    {
      params: {
        protocol: enumeration(['tcp', 'udp', 'tls'] as const, {
          description: 'What carries the connection.',
          default: protocol as 'tcp' | 'udp' | 'tls',
        }),
        ...tlsParams,
      },
    },
    { description: 'The transport: `<transport tls>` turns TLS on.', argument: 'protocol' },
  )
}

/** Of what listens on TCP. */
export const transportSection = transportOf('tcp')

/** Of what listens for datagrams unless it is told otherwise. */
export const udpTransportSection = transportOf('udp')

export type TransportParams = Bound<(typeof transportSection)['shape']>
