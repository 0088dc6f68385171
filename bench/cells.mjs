// The cells, and what a cell's server is configured with: Fluentd's file format (Sluice, Fluentd), or Fluent Bit's.
import { modes } from './events.mjs'

/**
 * What stands on the right of `_to_`: the output, whether it compresses, whether its buffer is in files, and the modes that are measured with
 * it (all, unless said).
 */
export const sinks = {
  null: { to: 'null' },
  stdout: { to: 'stdout' },
  file: { to: 'file' },
  http: { to: 'http' },
  http_gzip: { to: 'http', gzip: true, modes: ['packed'] },
  relay: { to: 'forward', modes: ['message', 'packed'] },
  relay_gzip: { to: 'forward', gzip: true, modes: ['packed'] },
  null_filebuffer: { to: 'null', fileBuffer: true, modes: ['packed'] },
  transform_null: { to: 'null', filter: 'transform', modes: ['packed'] },
  grep_null: { to: 'null', filter: 'grep', modes: ['packed'] },
  http_filebuffer: { to: 'http', fileBuffer: true, modes: ['packed'] },
}

/** Every cell, acked or not: {name, mode, sink, kind, ack}. */
export const cells = Object.entries(sinks).flatMap(([sink, kind]) =>
  (kind.modes ?? modes).flatMap((mode) =>
    [false, true].map((ack) => ({
      name: `${mode}_to_${sink}${ack ? '_acked' : ''}`,
      mode,
      sink,
      kind,
      ack,
    })),
  ),
)

const buffer = (kind, at, chunkBytes, keys = '[]') => `<buffer ${keys}>
    @type ${kind.fileBuffer ? `file\n    path ${at.dir}/buffer` : 'memory'}
    flush_mode interval
    flush_interval 1s
    flush_thread_interval 0.1
    flush_thread_burst_interval 0.05
    flush_thread_count 1
    chunk_limit_size ${chunkBytes}
    total_limit_size ${kind.fileBuffer ? '1g' : '64m'}
    overflow_action block
  </buffer>`

/** output → the <match> section. `at` has the directory and ports. The file and http rows write JSON lines. */
const match = {
  null: (kind, at) => `@type null${kind.fileBuffer ? `\n  ${buffer(kind, at, '8m')}` : ''}`,
  stdout: () => '@type stdout',
  file: (kind, at) => `@type file
  path ${at.dir}/out
  append true
  <format>
    @type json
  </format>
  ${buffer(kind, at, '8m')}`,
  http: (kind, at) => `@type http
  endpoint http://127.0.0.1:${at.sinkPort}/
  reuse_connections true${kind.gzip ? '\n  compress gzip' : ''}
  ${buffer(kind, at, '4m')}`,
  forward: (kind, at) => `@type forward
  heartbeat_type none
  keepalive true${kind.gzip ? '\n  compress gzip' : ''}
  <server>
    host 127.0.0.1
    port ${at.sinkPort}
  </server>
  ${buffer(kind, at, '4m', 'tag')}`,
}

export function fluentdConfig({ kind, at }) {
  return `<source>
  @type forward
  bind 127.0.0.1
  port ${at.port}
</source>
${filters[kind.filter]?.fluentd ?? ''}<match **>
  ${match[kind.to](kind, at)}
</match>
`
}

/** Work on every record: what filters cost, and for the server to need its processors where the load generator does not. */
const filters = {
  transform: {
    fluentd: `<filter **>
  @type record_transformer
  <record>
    service "web-\${record['container_name']}"
    host bench
  </record>
</filter>
`,
    flb: '[FILTER]\n    Name modify\n    Match *\n    Copy container_name service\n    Add host bench\n',
  },
  // Every event is looked at, and stays.
  grep: {
    fluentd: `<filter **>
  @type grep
  <regexp>
    key log
    pattern /GET|POST/
  </regexp>
  <exclude>
    key source
    pattern /stderr/
  </exclude>
</filter>
`,
    flb: '[FILTER]\n    Name grep\n    Match *\n    Regex log GET|POST\n[FILTER]\n    Name grep\n    Match *\n    Exclude source stderr\n',
  },
}

/** For Sluice: where a cell without a sink is verified. */
export function metricsConfig(port) {
  return `<source>
  @type prometheus
  bind 127.0.0.1
  port ${port}
</source>
`
}

export function fluentBitConfig({ kind, at }) {
  const compress = kind.gzip ? '\n    Compress gzip' : ''
  const output = {
    null: 'Name null',
    stdout: 'Name stdout\n    Format json_lines',
    file: `Name file\n    Path ${at.dir}\n    File out.log\n    Format plain`,
    http: `Name http\n    Host 127.0.0.1\n    Port ${at.sinkPort}\n    URI /\n    Format json_lines${compress}`,
    forward: `Name forward\n    Host 127.0.0.1\n    Port ${at.sinkPort}${compress}`,
  }[kind.to]
  const service = kind.fileBuffer ? `\n    storage.path ${at.dir}/storage` : ''
  const input = kind.fileBuffer ? '\n    storage.type filesystem' : ''
  return `[SERVICE]
    Flush 0.2
    Log_Level error${service}
[INPUT]
    Name forward
    Listen 127.0.0.1
    Port ${at.port}
    Buffer_Max_Size 16M${input}
${filters[kind.filter]?.flb ?? ''}[OUTPUT]
    Match *
    ${output}
`
}
