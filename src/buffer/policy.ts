import type { RetryPolicy } from './retry.ts'
import type { BufferParams } from './sections.ts'
import type { ChunkLimits } from './staging.ts'

/** What the parameters of a <buffer> mean, with defaults that depend on one another worked out. */
export interface BufferPolicy {
  readonly chunk: ChunkLimits
  readonly totalBytes: number
  /** Queued chunks from which on staged ones are left to fill up. */
  readonly queuedChunks: number
  readonly flush: 'lazy' | 'interval' | 'immediate'
  readonly flushIntervalMs: number
  readonly timekeyWaitSeconds: number
  /** How long a chunk waits whose slice was over already: the time between two looks of Fluentd's. */
  readonly lateSliceMs: number
  readonly concurrency: number
  readonly flushAtShutdown: boolean
  readonly overflow: BufferParams['overflowAction']
  readonly retry: RetryPolicy
}

/** Fluentd looks for slices that are over so many times in the shorter of timekey and timekey_wait. */
const looksInAPeriod = 11

export function policyOf(
  params: BufferParams,
  given: { persistent: boolean; secondary: boolean },
): BufferPolicy {
  const byTime = params.chunkKeys.includes('time')
  return {
    chunk: {
      bytes: params.chunkLimitSize,
      records: params.chunkLimitRecords ?? Number.POSITIVE_INFINITY,
      fullShare: params.chunkFullThreshold,
    },
    totalBytes:
      params.queueLimitLength === undefined
        ? params.totalLimitSize
        : params.chunkLimitSize * params.queueLimitLength,
    queuedChunks: params.queuedChunksLimitSize ?? params.flushThreadCount,
    flush: params.flushMode === 'default' ? (byTime ? 'lazy' : 'interval') : params.flushMode,
    flushIntervalMs: params.flushInterval * 1000,
    timekeyWaitSeconds: params.timekeyWait,
    lateSliceMs:
      Math.max(
        params.flushThreadInterval,
        Math.min(params.timekey ?? 0, params.timekeyWait) / looksInAPeriod,
      ) * 1000,
    concurrency: params.flushThreadCount,
    flushAtShutdown: params.flushAtShutdown ?? !given.persistent,
    overflow: params.overflowAction,
    retry: retryPolicyOf(params, given.secondary),
  }
}

function retryPolicyOf(params: BufferParams, secondary: boolean): RetryPolicy {
  return {
    type: params.retryType,
    waitMs: params.retryWait * 1000,
    base: params.retryExponentialBackoffBase,
    maxIntervalMs: (params.retryMaxInterval ?? Number.POSITIVE_INFINITY) * 1000,
    timeoutMs: params.retryTimeout * 1000,
    maxTimes: params.retryMaxTimes ?? Number.POSITIVE_INFINITY,
    forever: params.retryForever,
    randomize: params.retryRandomize,
    secondaryThreshold: secondary ? params.retrySecondaryThreshold : undefined,
  }
}
