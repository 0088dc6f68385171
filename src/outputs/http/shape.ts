import { bufferSection, outputParams, secondarySection } from '../../buffer/index.ts'
import {
  array,
  type Bound,
  bool,
  enumeration,
  hash,
  integer,
  integers,
  plugin,
  section,
  string,
} from '../../config/schema.ts'

const timeout = (value: number) => (value > 0 ? undefined : 'expected more than 0')

const notSigned =
  'aws_sigv4 is not available in Sluice: send to a proxy that signs requests (aws-sigv4-proxy), or forward to a Fluentd'

const authShape = {
  params: {
    method: enumeration(['basic', 'aws_sigv4'], {
      description: 'How requests are authenticated; `aws_sigv4` is not available.',
      default: 'basic',
      check: (method: string) => (method === 'basic' ? undefined : `expected basic: ${notSigned}`),
      differs: notSigned,
    }),
    username: string({ description: 'User of basic authentication.' }),
    password: string({ description: 'Password of basic authentication.', secret: true }),
    aws_region: string({ description: 'Only for aws_sigv4.', unsupported: notSigned }),
    aws_role_arn: string({ description: 'Only for aws_sigv4.', unsupported: notSigned }),
    aws_service: string({ description: 'Only for aws_sigv4.', unsupported: notSigned }),
  },
} as const

const tlsParams = {
  tls_ca_cert_path: string({ description: 'File with the certificates to trust, in PEM.' }),
  tls_client_cert_path: string({ description: 'File with our certificate, in PEM.' }),
  tls_private_key_path: string({ description: 'File with its private key, in PEM.' }),
  tls_private_key_passphrase: string({ description: 'Passphrase of the key.', secret: true }),
  tls_verify_mode: enumeration(['none', 'peer'], {
    description: "Whether the server's certificate is checked.",
    default: 'peer',
  }),
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
} as const

export const httpShape = {
  params: {
    ...outputParams,
    endpoint: string({
      description:
        'URL that chunks are sent to. `${tag}`, `${field}`, `${chunk_id}` may stand in its path and query; in its host only with allowed_hosts.',
      required: true,
    }),
    http_method: enumeration(['put', 'post'], {
      description: 'Method of the requests.',
      default: 'post',
    }),
    proxy: string({
      description: 'URL of a proxy. Default: the variable HTTP_PROXY or http_proxy.',
      secret: true,
    }),
    content_type: string({
      description:
        'Content-Type of the requests. Default: application/x-ndjson for json, application/json with json_array, and what fits the format otherwise.',
    }),
    json_array: bool({
      description: 'Send one JSON array instead of lines; with `@type json` only.',
      default: false,
    }),
    // Authorization and keys of interfaces stand here: dumps do not show them.
    headers: hash({ description: 'More headers.', secret: true }),
    headers_from_placeholders: hash({
      description: 'More headers, with placeholders.',
      secret: true,
    }),
    compress: enumeration(['text', 'gzip'], {
      description: 'Whether bodies are compressed.',
      default: 'text',
    }),
    open_timeout: integer({
      description: 'Seconds a connection may take to open. Default 60.',
      check: timeout,
    }),
    read_timeout: integer({
      description: 'Seconds an answer may take. Default 60.',
      check: timeout,
    }),
    ssl_timeout: integer({
      description: 'Seconds the TLS handshake may take; added to open_timeout.',
      check: timeout,
    }),
    ...tlsParams,
    error_response_as_unrecoverable: bool({
      description:
        'An answer that is neither a success nor in retryable_response_codes: true: the chunk goes to <secondary> or is dropped as refused; false: it is dropped with an error in the log.',
      default: true,
    }),
    retryable_response_codes: integers({
      description: 'Statuses after which the chunk is sent again. Default: 503.',
    }),
    reuse_connections: bool({
      description: 'Keep connections open for further requests.',
      default: false,
      differs: 'Connections are kept open unless this is written as false.',
    }),
    allowed_hosts: array({
      description: 'Hosts that placeholders in the host of the endpoint may lead to.',
      default: [],
    }),
  },
  sections: {
    format: plugin('formatter', {
      description: 'What an event looks like.',
      defaultType: 'json',
      always: true,
    }),
    auth: section(authShape, { description: 'Authentication.' }),
    buffer: bufferSection(),
    secondary: secondarySection('http'),
  },
} as const

export type HttpParams = Bound<typeof httpShape>
