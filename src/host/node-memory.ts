import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import process from 'node:process'
import { getHeapStatistics } from 'node:v8'
import type { MemoryWatch } from '../core/host.ts'

export function watchMemory(): MemoryWatch {
  let minor = 0
  let major = 0
  let totalMs = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = entry as PerformanceEntry & { detail?: { kind?: number } }
      const kind = detail?.kind
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) major += 1
      else if (kind === constants.NODE_PERFORMANCE_GC_MINOR) minor += 1
      totalMs += duration
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return {
    read() {
      const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
      return {
        minorCollections: minor,
        majorCollections: major,
        collectionMs: totalMs,
        heapUsedBytes: heapUsed,
        heapTotalBytes: heapTotal,
        heapLimitBytes: getHeapStatistics().heap_size_limit,
        externalBytes: external,
        residentBytes: rss,
      }
    },
    stop: () => observer.disconnect(),
  }
}
