import type { PluginView } from '../config/define.ts'
import type { Param } from '../config/schema.ts'
import { isWritten } from '../config/schema.ts'
import { looksSecret, mask, maskUrls } from '../config/secrets.ts'
import type { OutputStatistics } from '../core/output.ts'
import { isLineMatcher } from '../text/regexp.ts'

/** What monitor_agent says about a plugin, with Fluentd's names, in its order. */
export type MonitorInfo = Readonly<Record<string, unknown>>

export function monitorInfo(
  view: PluginView,
  include: { readonly config: boolean; readonly retry: boolean },
): MonitorInfo {
  const statistics = view.statistics()
  return {
    plugin_id: view.id,
    plugin_category: view.category,
    type: view.type,
    ...(include.config ? { config: writtenConfig(view) } : {}),
    output_plugin: view.category === 'output',
    ...(statistics === undefined ? {} : deprecatedBufferInfo(statistics)),
    retry_count: statistics === undefined ? null : statistics.errorCount,
    emit_records: statistics?.emittedEvents ?? view.emittedRecords,
    emit_size: view.emittedBytes,
    ...(statistics === undefined ? {} : outputInfo(statistics)),
    ...view.counts?.(),
    ...(include.retry && statistics !== undefined ? { retry: retryInfo(statistics) } : {}),
  }
}

/** An output without a buffer has no limit to one. */
export function hasBuffer(statistics: OutputStatistics): boolean {
  return statistics.totalLimitBytes > 0
}

/** Percent of the buffer that is free, with one decimal. */
export function availableSpacePercent(statistics: OutputStatistics): number {
  const used = (statistics.stagedBytes + statistics.queuedBytes) / statistics.totalLimitBytes
  return Math.round((1 - used) * 1000) / 10
}

function deprecatedBufferInfo(statistics: OutputStatistics): MonitorInfo {
  if (!hasBuffer(statistics)) return {}
  const timekeys = [statistics.oldestTimekey, statistics.newestTimekey]
  return {
    buffer_queue_length: statistics.queueLength,
    buffer_timekeys: [...new Set(timekeys.filter((timekey) => timekey !== undefined))],
    buffer_total_queued_size: statistics.stagedBytes + statistics.queuedBytes,
  }
}

function outputInfo(statistics: OutputStatistics): MonitorInfo {
  const { oldestTimekey, newestTimekey } = statistics
  return {
    emit_count: statistics.emitCount,
    write_count: statistics.writeCount,
    rollback_count: statistics.rollbackCount,
    slow_flush_count: statistics.slowFlushCount,
    flush_time_count: Math.round(statistics.flushTimeMs),
    ...(hasBuffer(statistics)
      ? {
          buffer_stage_length: statistics.stagedLength,
          buffer_stage_byte_size: statistics.stagedBytes,
          buffer_queue_byte_size: statistics.queuedBytes,
          buffer_available_buffer_space_ratios: availableSpacePercent(statistics),
        }
      : {}),
    ...(oldestTimekey === undefined ? {} : { buffer_oldest_timekey: oldestTimekey }),
    ...(newestTimekey === undefined ? {} : { buffer_newest_timekey: newestTimekey }),
  }
}

function retryInfo(statistics: OutputStatistics): MonitorInfo {
  const { retry } = statistics
  if (retry === undefined) return {}
  return {
    start: new Date(retry.startMs).toISOString(),
    steps: retry.steps,
    next_time: new Date(retry.nextMs).toISOString(),
  }
}

/**
 * The parameters that stand in the plugin's section, by their written names. Only declared ones, so that nothing that
 * is not known to be harmless is shown; secrets are masked, sections left out.
 */
function writtenConfig(view: PluginView): MonitorInfo {
  const { params, definition, argument } = view.bound
  const shown: Record<string, unknown> = { '@type': view.type }
  if (view.idWritten) shown['@id'] = view.id
  if (argument !== '') shown.arg = argument
  for (const [name, param] of Object.entries(definition.shape.params)) {
    const key = camelCase(name)
    if (isWritten(params, key))
      shown[name] = looksSecret(name) ? mask : shownValue(param, params[key])
  }
  return shown
}

function camelCase(name: string): string {
  return name.replace(/^@/, '').replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function shownValue(param: Param<unknown>, value: unknown): unknown {
  if (param.options.secret) return mask
  if (value === undefined || value === null) return null
  return typeof value === 'object' && !isLineMatcher(value)
    ? maskedInside(value)
    : maskUrls(String(value))
}

/** Addresses in lists and hashes may hold credentials, and hashes secrets under names of their own. */
function maskedInside(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item) => {
      if (typeof item !== 'string') return item
      return looksSecret(key) ? mask : maskUrls(item)
    }),
  )
}
