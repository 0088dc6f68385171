import type { PluginKind } from './schema.ts'

/** Fluentd's word for a kind: `Unknown input plugin 'x'`. */
export const kindWords: Readonly<Record<PluginKind, string>> = {
  source: 'input',
  filter: 'filter',
  output: 'output',
  parser: 'parser',
  formatter: 'formatter',
  buffer: 'buffer',
}

/** Plugins that come with Fluentd 1.19 (those that Sluice has are found in the registry first). */
const core: Readonly<Record<PluginKind, readonly string[]>> = {
  source: [
    ...['debug_agent', 'dummy', 'exec', 'forward', 'gc_stat', 'http', 'monitor_agent'],
    ...['object_space', 'sample', 'syslog', 'tail', 'tcp', 'udp', 'unix'],
  ],
  filter: ['grep', 'parser', 'record_transformer', 'stdout'],
  output: [
    ...['copy', 'exec', 'exec_filter', 'file', 'forward', 'http', 'null', 'relabel'],
    ...['roundrobin', 'secondary_file', 'stdout'],
  ],
  parser: [
    ...['apache', 'apache2', 'apache_error', 'csv', 'json', 'ltsv', 'msgpack', 'multiline'],
    ...['nginx', 'none', 'regexp', 'syslog', 'tsv'],
  ],
  formatter: [
    'csv',
    'hash',
    'json',
    'ltsv',
    'msgpack',
    'out_file',
    'single_value',
    'stdout',
    'tsv',
  ],
  buffer: ['file', 'file_single', 'memory'],
}

/** Another program that has the plugin takes Sluice's events by the forward protocol. */
const forward = 'use the forward output to a Fluentd or Fluent Bit that has it'
const withHttp = (how: string) => `the http output can do it: ${how}; or ${forward}`

interface Elsewhere {
  readonly gem: string
  /** What Sluice has in its place. */
  readonly instead: string
}

/** Widely used plugins of their own gems, by kind and type: which gem, and what to do here. */
const gems: Readonly<Record<string, Elsewhere>> = {
  ...sameFor(
    ['output elasticsearch', 'output elasticsearch_dynamic', 'output elasticsearch_data_stream'],
    {
      gem: 'fluent-plugin-elasticsearch',
      instead: withHttp(
        'to the address /INDEX/_bulk, with lines made by a record_modifier filter (examples/elasticsearch)',
      ),
    },
  ),
  ...sameFor(['output opensearch', 'output opensearch_data_stream'], {
    gem: 'fluent-plugin-opensearch',
    instead: withHttp(
      'to the address /INDEX/_bulk, with lines made by a record_modifier filter (examples/elasticsearch)',
    ),
  }),
  'output splunk_hec': {
    gem: 'fluent-plugin-splunk-hec',
    instead: withHttp('to /services/collector/raw with headers {"Authorization":"Splunk TOKEN"}'),
  },
  'output datadog': {
    gem: 'fluent-plugin-datadog',
    instead: withHttp('to /api/v2/logs with json_array true and headers {"DD-API-KEY":"KEY"}'),
  },
  'output http_ext': { gem: 'fluent-plugin-http-ext', instead: 'the http output' },
  'output logzio_buffered': {
    gem: 'fluent-plugin-logzio',
    instead: withHttp('to the listener address, one JSON object a line'),
  },
  'output sumologic': {
    gem: 'fluent-plugin-sumologic_output',
    instead: withHttp('to the address of the HTTP source'),
  },
  'output newrelic': {
    gem: 'fluent-plugin-newrelic',
    instead: withHttp('to /log/v1 with json_array true and headers {"Api-Key":"KEY"}'),
  },
  'output loki': { gem: 'fluent-plugin-grafana-loki', instead: forward },
  'output s3': {
    gem: 'fluent-plugin-s3',
    instead: `the file output writes the same files by time, which a tool can copy to the bucket; or ${forward}`,
  },
  'source s3': { gem: 'fluent-plugin-s3', instead: 'there is nothing of the kind here' },
  ...sameFor(
    ['output gcs', 'output azurestorage', 'output azure-storage-append-blob', 'output webhdfs'],
    {
      gem: 'fluent-plugin-gcs, -azurestorage or -webhdfs',
      instead: `the file output writes the same files by time, which a tool can copy; or ${forward}`,
    },
  ),
  ...sameFor(
    ['output kafka', 'output kafka2', 'output kafka_buffered', 'output rdkafka', 'output rdkafka2'],
    {
      gem: 'fluent-plugin-kafka',
      instead: forward,
    },
  ),
  ...sameFor(['source kafka', 'source kafka_group', 'source rdkafka_group'], {
    gem: 'fluent-plugin-kafka',
    instead: 'let Fluent Bit or Fluentd read the topics and forward to a forward source here',
  }),
  'output cloudwatch_logs': { gem: 'fluent-plugin-cloudwatch-logs', instead: forward },
  ...sameFor(
    ['output kinesis_streams', 'output kinesis_firehose', 'output kinesis_streams_aggregated'],
    {
      gem: 'fluent-plugin-kinesis',
      instead: forward,
    },
  ),
  'output gelf': { gem: 'fluent-plugin-gelf-hs', instead: forward },
  ...sameFor(['output mongo', 'output mongo_replset'], {
    gem: 'fluent-plugin-mongo',
    instead: forward,
  }),
  ...sameFor(['output bigquery_insert', 'output bigquery_load'], {
    gem: 'fluent-plugin-bigquery',
    instead: forward,
  }),
  'output google_cloud': { gem: 'fluent-plugin-google-cloud', instead: forward },
  'output azure-loganalytics': { gem: 'fluent-plugin-azure-loganalytics', instead: forward },
  'output influxdb': { gem: 'fluent-plugin-influxdb', instead: forward },
  'output redis_store': { gem: 'fluent-plugin-redis-store', instead: forward },
  ...sameFor(['output mysql', 'output sql', 'output postgres'], {
    gem: 'fluent-plugin-sql',
    instead: forward,
  }),
  ...sameFor(['output irc', 'output notifier', 'output norikra'], {
    gem: 'fluent-plugin-… of its name',
    instead: forward,
  }),
  'output map': { gem: 'fluent-plugin-map', instead: 'record_modifier and rewrite_tag_filter' },
  'output deparser': {
    gem: 'fluent-plugin-deparser',
    instead: 'a record_modifier filter that puts the fields into one text',
  },
  'output grepcounter': {
    gem: 'fluent-plugin-grepcounter',
    instead: 'the grep filter, and a prometheus filter that counts',
  },
  'source dstat': {
    gem: 'fluent-plugin-dstat',
    instead: 'the exec source with a command that prints such figures (`vmstat -n 10`)',
  },
  'filter dedot': {
    gem: 'fluent-plugin-dedot_filter',
    instead: 'the rename_key filter with `replace_rule1 \\. _`',
  },
  'output remote_syslog': { gem: 'fluent-plugin-remote_syslog', instead: forward },
  'output slack': { gem: 'fluent-plugin-slack', instead: forward },
  'output mail': { gem: 'fluent-plugin-mail', instead: forward },
  'output td': { gem: 'fluent-plugin-td', instead: forward },
  'output tdlog': { gem: 'fluent-plugin-td', instead: forward },
  ...sameFor(['output secure_forward', 'source secure_forward'], {
    gem: 'fluent-plugin-secure-forward',
    instead: 'forward has it built in: <transport tls> and <security>',
  }),
  'output forest': {
    gem: 'fluent-plugin-forest',
    instead:
      'placeholders in the output itself do it: `path /var/log/${tag}/%Y` with `<buffer tag,time>`',
  },
  'output record_reformer': {
    gem: 'fluent-plugin-record-reformer',
    instead: 'the record_modifier output, which sets fields and the tag',
  },
  'output copy_ex': { gem: 'fluent-plugin-copy_ex', instead: 'copy, with <store ignore_error>' },
  'output retag': { gem: 'fluent-plugin-retag', instead: 'rewrite_tag_filter' },
  'output route': { gem: 'fluent-plugin-route', instead: 'relabel, rewrite_tag_filter and copy' },
  'output rewrite': { gem: 'fluent-plugin-rewrite', instead: 'rewrite_tag_filter' },
  'output grep': { gem: 'fluent-plugin-grep', instead: 'the grep filter' },
  'output parser': { gem: 'fluent-plugin-parser', instead: 'the parser filter' },
  ...sameFor(
    [
      'output flowcounter',
      'output flowcounter_simple',
      'output datacounter',
      'output numeric_counter',
    ],
    {
      gem: 'fluent-plugin-flowcounter and its like',
      instead:
        'the metrics at /metrics count all events; the prometheus filter and output count by fields',
    },
  ),
  'filter kubernetes_metadata': {
    gem: 'fluent-plugin-kubernetes_metadata_filter',
    instead:
      'the Kubernetes API is not asked here; names of pod, namespace and container stand in the tag of container logs, and a record_modifier filter takes them from there (examples/kubernetes-node)',
  },
  'filter docker_metadata': {
    gem: 'fluent-plugin-docker_metadata_filter',
    instead:
      'Docker itself sends labels and names with each line: `--log-opt labels=…` and `--log-opt env=…`',
  },
  'filter geoip': { gem: 'fluent-plugin-geoip', instead: 'there is nothing of the kind here' },
  'filter throttle': {
    gem: 'fluent-plugin-throttle',
    instead: 'there is nothing of the kind here',
  },
  'filter sampling': {
    gem: 'fluent-plugin-sampling-filter',
    instead: 'there is nothing of the kind here',
  },
  'filter elasticsearch_genid': {
    gem: 'fluent-plugin-elasticsearch',
    instead: 'there is nothing of the kind here',
  },
  'filter json_in_json': {
    gem: 'fluent-plugin-json-in-json-2',
    instead: 'the parser filter with reserve_data true',
  },
  'filter flatten_hash': {
    gem: 'fluent-plugin-flatten-hash',
    instead: 'a record_modifier filter that names the fields',
  },
  'source systemd': {
    gem: 'fluent-plugin-systemd',
    instead: 'the exec source with `command journalctl -f -o json` and `<parse> @type json`',
  },
  ...sameFor(['source windows_eventlog', 'source windows_eventlog2'], {
    gem: 'fluent-plugin-windows-eventlog',
    instead: 'let Fluent Bit read them and forward to a forward source here',
  }),
  'source gelf': {
    gem: 'fluent-plugin-input-gelf',
    instead: 'let Fluent Bit or Fluentd read them and forward to a forward source here',
  },
  'source beats': {
    gem: 'fluent-plugin-beats',
    instead: 'let Logstash or Fluentd read them and forward to a forward source here',
  },
  'source cloudwatch_logs': {
    gem: 'fluent-plugin-cloudwatch-logs',
    instead: 'there is nothing of the kind here',
  },
  'source tail_ex': {
    gem: 'fluent-plugin-tail-ex',
    instead: 'the tail source, which takes patterns and dates in path',
  },
  'source docker': {
    gem: 'fluent-plugin-docker',
    instead: "the forward source with Docker's fluentd log driver",
  },
}

function sameFor(names: readonly string[], one: Elsewhere): Record<string, Elsewhere> {
  return Object.fromEntries(names.map((name) => [name, one]))
}

/** Plugins of Fluentd that make no sense without Ruby: what to write instead. */
export const refusedPlugins: Readonly<Record<string, string>> = {
  'source debug_agent':
    "it gives a Ruby debugger the objects of Fluentd. See a running Sluice by `@type monitor_agent`, or by Node.js' own inspector (`node --inspect`)",
  'source object_space':
    'it counts the objects of Ruby by class, which Node.js cannot do. For the memory of Sluice write `@type gc_stat`, or `@type prometheus`: its nodejs_heap_* metrics',
}

/** What is known of a type that Sluice does not have. */
export interface NotBuilt {
  readonly message: string
  /** What to do instead. */
  readonly hint: string | undefined
}

/**
 * An honest sentence for a type that Fluentd's users know and Sluice does not have; undefined for
 * other types.
 */
export function notBuilt(kind: PluginKind, type: string): NotBuilt | undefined {
  const plugin = `${kindWords[kind]} plugin '${type}'`
  const refused = refusedPlugins[`${kind} ${type}`]
  if (refused !== undefined) {
    return { message: `${plugin} is not for Sluice: ${refused}`, hint: undefined }
  }
  if (core[kind].includes(type)) {
    return { message: `Fluentd's ${plugin} is not built into Sluice yet`, hint: undefined }
  }
  const elsewhere = Object.hasOwn(gems, `${kind} ${type}`) ? gems[`${kind} ${type}`] : undefined
  if (elsewhere === undefined) return undefined
  const { gem, instead } = elsewhere
  return {
    message: `${plugin} is Ruby's ${gem}: Sluice runs no Ruby and has none of its own`,
    hint: instead,
  }
}
