import {
  array,
  type Bound,
  bool,
  integer,
  plugin,
  size,
  string,
  time,
} from '../../config/schema.ts'
import { maxRecordItems } from '../../core/batch.ts'
import { allowFrom } from '../../transport/allow-list.ts'
import { transportSection } from '../../transport/section.ts'
import { bindParam, portParam } from '../../transport/stream-params.ts'

const mebibyte = 1024 * 1024

const positive = (value: number) => (value > 0 ? undefined : 'expected more than 0')

export const shape = {
  params: {
    port: portParam(9880),
    bind: bindParam,
    body_size_limit: size({
      description: 'Longer bodies are refused with 413.',
      default: 32 * mebibyte,
      check: positive,
    }),
    decompression_size_limit: size({
      description:
        'Compressed bodies from which more comes are refused with 413, as are those whose records take more.',
      default: 256 * mebibyte,
      check: positive,
      differs: 'The answer is 413; Fluentd answers 400.',
    }),
    keepalive_timeout: time({
      description: 'How long a connection is kept between requests.',
      default: 10,
    }),
    backlog: integer({
      description: 'Connections that the operating system holds until they are taken.',
      check: positive,
    }),
    add_http_headers: bool({
      description:
        "Adds the request's headers to each record: `User-Agent` as `HTTP_USER_AGENT`. Passwords that clients send in headers become part of the record.",
      default: false,
    }),
    add_remote_addr: bool({
      description:
        "Adds the client's address as `REMOTE_ADDR`: the first one of X-Forwarded-For where a client sends that header, which any client can.",
      default: false,
    }),
    blocking_timeout: time({
      description: "Of Fluentd's event loop; accepted, without effect.",
      default: 0.5,
      differs: 'No effect: there is nothing that blocks.',
    }),
    cors_allow_origins: array({
      description:
        'Origins whose pages may post (Cross-Origin Resource Sharing): `*` is any, `https://*.example.com` all that begin and end so. Requests without an origin are no pages and always pass.',
    }),
    cors_allow_credentials: bool({
      description: 'Pages may send cookies along. Needs origins other than `*`.',
      default: false,
    }),
    respond_with_empty_img: bool({
      description: 'Answers with a GIF image of one pixel.',
      default: false,
    }),
    use_204_response: bool({ description: 'Answers 204 (No Content).', default: false }),
    dump_error_log: bool({
      description: 'Says in the log which requests failed, and why.',
      default: true,
    }),
    add_query_params: bool({
      description: "Adds the URL's query to each record: `?a-b=1` as `QUERY_A_B`.",
      default: false,
    }),
    add_tag_prefix: string({ description: 'Goes in front of the tag, with a dot.' }),
    record_size_limit: size({
      description:
        'Bytes of one record in a body, or of a whole body where a parser reads it as one text; a request with a longer one is refused with 413.',
      default: 4 * mebibyte,
      ours: true,
      check: positive,
    }),
    record_keys_limit: integer({
      description:
        'Keys and elements of arrays that one record may have, at all levels together; a request with one of more is refused with 413. A record is written in one go, and others wait meanwhile.',
      default: maxRecordItems,
      ours: true,
      check: (value) => (value < 16 ? 'expected 16 or more' : undefined),
    }),
    total_body_limit: size({
      description:
        'Bytes of bodies, of what they are decompressed to, and of their records, that are here at once; requests beyond are answered 503.',
      default: 512 * mebibyte,
      ours: true,
      check: positive,
    }),
    tag_length_limit: size({
      description: 'Requests with a longer tag are refused with 400.',
      default: 1024,
      ours: true,
      check: positive,
    }),
    request_timeout: time({
      description:
        'A request that has not come whole after so long is cut off (its headers: after 10 s).',
      default: 60,
      ours: true,
      check: positive,
    }),
    max_connections: integer({
      description: 'Connections at once; further ones are closed when they come.',
      default: 4096,
      ours: true,
      check: positive,
    }),
    max_connections_per_address: integer({
      description: 'Connections at once from one address.',
      default: 2048,
      ours: true,
      check: positive,
    }),
    allow_from: allowFrom,
  },
  sections: {
    parse: plugin('parser', {
      description:
        'How bodies are read. Without it by their Content-Type: `application/json`, `application/x-ndjson`, `application/msgpack`, `application/csp-report`, or forms with a field `json`, `ndjson` or `msgpack`.',
      defaultType: 'in_http',
      always: true,
    }),
    transport: transportSection,
  },
} as const

export type HttpSourceParams = Bound<typeof shape>
