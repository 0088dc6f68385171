import { bufferTypes } from './buffer/index.ts'
import type { PluginDefinition } from './config/define.ts'
import { filters } from './filters/index.ts'
import { prometheusFilter } from './filters/prometheus/index.ts'
import { formatters } from './formatters/index.ts'
import { bufferOutput } from './outputs/buffer/index.ts'
import { copyOutput } from './outputs/copy/index.ts'
import { detectExceptionsOutput } from './outputs/detect_exceptions/index.ts'
import { execOutput } from './outputs/exec/index.ts'
import { execFilterOutput } from './outputs/exec_filter/index.ts'
import { fileOutput } from './outputs/file/index.ts'
import { forwardOutput } from './outputs/forward/index.ts'
import { httpOutput } from './outputs/http/index.ts'
import { nullOutput } from './outputs/null/index.ts'
import { prometheusOutput } from './outputs/prometheus/index.ts'
import { recordModifierOutput } from './outputs/record_modifier/index.ts'
import { relabelOutput } from './outputs/relabel/index.ts'
import { renameKeyOutput } from './outputs/rename_key/index.ts'
import { rewriteTagFilterOutput } from './outputs/rewrite_tag_filter/index.ts'
import { roundrobinOutput } from './outputs/roundrobin/index.ts'
import { secondaryFileOutput } from './outputs/secondary_file/index.ts'
import { stdoutOutput } from './outputs/stdout/index.ts'
import { parsers } from './parsers/index.ts'
import { execSource } from './sources/exec/index.ts'
import { forwardSource } from './sources/forward/index.ts'
import { unixSource } from './sources/forward/unix.ts'
import { gcStatSource } from './sources/gc_stat/index.ts'
import { httpSource } from './sources/http/index.ts'
import { monitorAgentSource } from './sources/monitor-agent/index.ts'
import { prometheusSource } from './sources/prometheus/index.ts'
import { prometheusMonitorSource } from './sources/prometheus-monitor/index.ts'
import { prometheusOutputMonitorSource } from './sources/prometheus-output-monitor/index.ts'
import { prometheusTailMonitorSource } from './sources/prometheus-tail-monitor/index.ts'
import { sampleSource } from './sources/sample/index.ts'
import { syslogSource } from './sources/syslog/index.ts'
import { tailSource } from './sources/tail/index.ts'
import { tcpSource } from './sources/tcp/index.ts'
import { udpSource } from './sources/udp/index.ts'

/** Everything a configuration can name: one line registers a plugin. */
export const plugins: readonly PluginDefinition[] = [
  // <source>
  execSource,
  forwardSource,
  gcStatSource,
  httpSource,
  monitorAgentSource,
  prometheusSource,
  prometheusMonitorSource,
  prometheusOutputMonitorSource,
  prometheusTailMonitorSource,
  sampleSource,
  syslogSource,
  tailSource,
  tcpSource,
  udpSource,
  unixSource,

  // <filter>
  ...filters,
  prometheusFilter,

  // <match>, <store>, <secondary>
  bufferOutput,
  copyOutput,
  execOutput,
  execFilterOutput,
  detectExceptionsOutput,
  fileOutput,
  forwardOutput,
  httpOutput,
  nullOutput,
  prometheusOutput,
  recordModifierOutput,
  relabelOutput,
  renameKeyOutput,
  rewriteTagFilterOutput,
  roundrobinOutput,
  secondaryFileOutput,
  stdoutOutput,

  // <parse>, <format>, <buffer>
  ...parsers,
  ...formatters,
  ...bufferTypes,
]
