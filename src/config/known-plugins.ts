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

/** Widely used plugins of their own gems: kind and type → gem. */
const gems: Readonly<Record<string, string>> = {
  'output elasticsearch': 'fluent-plugin-elasticsearch',
  'output elasticsearch_dynamic': 'fluent-plugin-elasticsearch',
  'output opensearch': 'fluent-plugin-opensearch',
  'output s3': 'fluent-plugin-s3',
  'source s3': 'fluent-plugin-s3',
  'output kafka2': 'fluent-plugin-kafka',
  'output kafka_buffered': 'fluent-plugin-kafka',
  'source kafka': 'fluent-plugin-kafka',
  'output loki': 'fluent-plugin-grafana-loki',
  'output splunk_hec': 'fluent-plugin-splunk-hec',
  'output cloudwatch_logs': 'fluent-plugin-cloudwatch-logs',
  'output gelf': 'fluent-plugin-gelf-hs',
  'output mongo': 'fluent-plugin-mongo',
  'output bigquery_insert': 'fluent-plugin-bigquery',
  'output google_cloud': 'fluent-plugin-google-cloud',
  'output datadog': 'fluent-plugin-datadog',
  'output prometheus': 'fluent-plugin-prometheus',
  'filter prometheus': 'fluent-plugin-prometheus',
  'filter kubernetes_metadata': 'fluent-plugin-kubernetes_metadata_filter',
  'filter geoip': 'fluent-plugin-geoip',
  'source systemd': 'fluent-plugin-systemd',
  'source prometheus': 'fluent-plugin-prometheus',
  'source windows_eventlog2': 'fluent-plugin-windows-eventlog',
  'parser cri': 'fluent-plugin-parser-cri',
}

/** Plugins of Fluentd that make no sense without Ruby: what to write instead. */
export const refusedPlugins: Readonly<Record<string, string>> = {
  'source debug_agent':
    "it gives a Ruby debugger the objects of Fluentd. See a running Sluice by `@type monitor_agent`, or by Node.js' own inspector (`node --inspect`)",
  'source object_space':
    'it counts the objects of Ruby by class, which Node.js cannot do. For the memory of Sluice write `@type gc_stat`, or `@type prometheus`: its nodejs_heap_* metrics',
}

/**
 * An honest sentence for a type that Fluentd's users know and Sluice does not have; undefined for
 * other types.
 */
export function notBuiltSentence(kind: PluginKind, type: string): string | undefined {
  const plugin = `${kindWords[kind]} plugin '${type}'`
  const refused = refusedPlugins[`${kind} ${type}`]
  if (refused !== undefined) return `${plugin} is not for Sluice: ${refused}`
  if (core[kind].includes(type)) return `Fluentd's ${plugin} is not built into Sluice yet`
  const gem = gems[`${kind} ${type}`]
  if (gem === undefined) return undefined
  return `${plugin} is Ruby's ${gem}: Sluice runs no Ruby and has none of its own yet`
}
