// What a cell's server is configured with: Fluentd's file format (Sluice, Fluentd), or Fluent Bit's.

/** sink → the <match> section. `at` has the directory, ports. The file and http rows write JSON lines. */
const match = {
  null: () => '@type null',
  stdout: () => '@type stdout',
  file: (at) => `@type file
  path ${at.dir}/out
  append true
  <format>
    @type json
  </format>
  <buffer []>
    @type memory
    flush_mode interval
    flush_interval 1s
    flush_thread_interval 0.1
    flush_thread_burst_interval 0.05
    flush_thread_count 1
    chunk_limit_size 8m
    total_limit_size 64m
    overflow_action block
  </buffer>`,
  http: (at) => `@type http
  endpoint http://127.0.0.1:${at.sinkPort}/
  reuse_connections true
  <buffer []>
    @type memory
    flush_mode interval
    flush_interval 1s
    flush_thread_interval 0.1
    flush_thread_burst_interval 0.05
    flush_thread_count 1
    chunk_limit_size 4m
    total_limit_size 64m
    overflow_action block
  </buffer>`,
}

export function fluentdConfig({ sink, at }) {
  return `<source>
  @type forward
  bind 127.0.0.1
  port ${at.port}
</source>
<match **>
  ${match[sink](at)}
</match>
`
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

export function fluentBitConfig({ sink, at }) {
  const output = {
    null: 'Name null',
    stdout: 'Name stdout\n    Format json_lines',
    file: `Name file\n    Path ${at.dir}\n    File out.log\n    Format plain`,
    http: `Name http\n    Host 127.0.0.1\n    Port ${at.sinkPort}\n    URI /\n    Format json_lines`,
  }[sink]
  return `[SERVICE]
    Flush 0.2
    Log_Level error
[INPUT]
    Name forward
    Listen 127.0.0.1
    Port ${at.port}
    Buffer_Max_Size 16M
[OUTPUT]
    Match *
    ${output}
`
}
