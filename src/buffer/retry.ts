/**
 * When to try again, as Fluentd counts it: one state an output, made at the first failure, dropped at the
 * first success. Pure: times are milliseconds of the caller's clock, chance is handed in.
 */
export interface RetryPolicy {
  readonly type: 'exponential_backoff' | 'periodic'
  readonly waitMs: number
  readonly base: number
  /** Infinity: none. */
  readonly maxIntervalMs: number
  readonly timeoutMs: number
  /** Infinity: none. */
  readonly maxTimes: number
  readonly forever: boolean
  readonly randomize: boolean
  /** Share of the whole retry time after which the secondary takes over; undefined: there is no secondary. */
  readonly secondaryThreshold: number | undefined
}

export interface RetryState {
  readonly startMs: number
  /** Retries that failed: 0 after the first failure. */
  readonly steps: number
  readonly nextMs: number
  /** Value of `steps` when the secondary took over. */
  readonly secondarySince: number | undefined
  /** The last attempt is that at the end of retry_timeout; it was made. */
  readonly timeout: 'ahead' | 'next' | 'over'
}

/** How far a randomised interval may be from the exact one, as a share of it. */
const randomizeWidth = 0.125

/** After the first failure. */
export function firstFailure(policy: RetryPolicy, nowMs: number): RetryState {
  const nextMs = nowMs + policy.waitMs
  return { startMs: nowMs, steps: 0, nextMs, secondarySince: undefined, timeout: 'ahead' }
}

/** After a failure at `nowMs`, at or behind `state.nextMs`. `unit`: 0 to 1, by chance. */
export function failedAgain(
  policy: RetryPolicy,
  state: RetryState,
  now: { nowMs: number; unit: number },
): RetryState {
  const steps = state.steps + 1
  const secondarySince =
    state.secondarySince ?? (usesSecondary(policy, state, now.nowMs) ? steps : undefined)
  const stepped = { ...state, steps, secondarySince }
  const nextMs = nextTime(policy, stepped, now)
  const inTime = policy.forever || nextMs < state.startMs + policy.timeoutMs
  const timeout = inTime ? state.timeout : state.timeout === 'ahead' ? 'next' : 'over'
  return { ...stepped, nextMs, timeout }
}

/** A sink said when it wants to be asked again: not before `nowMs + delayMs`, and not beyond the time limit. */
export function notBefore(
  policy: RetryPolicy,
  state: RetryState,
  now: { nowMs: number; delayMs: number },
): RetryState {
  const wanted = Math.max(state.nextMs, now.nowMs + now.delayMs)
  const latest = policy.forever ? wanted : state.startMs + policy.timeoutMs
  return { ...state, nextMs: Math.max(state.nextMs, Math.min(wanted, latest)) }
}

/** Whether an attempt at `nowMs` goes to the secondary. */
export function usesSecondary(policy: RetryPolicy, state: RetryState, nowMs: number): boolean {
  if (policy.forever || policy.secondaryThreshold === undefined) return false
  return state.secondarySince !== undefined || nowMs >= secondaryStart(policy, state)
}

/** Whether no further attempt is to be made. */
export function isExhausted(policy: RetryPolicy, state: RetryState): boolean {
  if (policy.forever) return false
  return state.timeout === 'over' || state.steps >= policy.maxTimes
}

function nextTime(
  policy: RetryPolicy,
  state: RetryState,
  { nowMs, unit }: { nowMs: number; unit: number },
): number {
  const since = state.secondarySince
  const exact = interval(policy, state.steps - (since ?? 0))
  const naive = nowMs + (policy.randomize ? exact * (1 + randomizeWidth * (2 * unit - 1)) : exact)
  if (policy.forever) return naive
  const toSecondary = policy.secondaryThreshold !== undefined && since === undefined
  return Math.min(
    naive,
    toSecondary ? secondaryStart(policy, state) : state.startMs + policy.timeoutMs,
  )
}

/** Milliseconds before the attempt that follows `failed` retries. */
function interval(policy: RetryPolicy, failed: number): number {
  if (policy.type === 'periodic') return policy.waitMs
  const raw = policy.waitMs * policy.base ** failed
  return Math.min(raw, policy.maxIntervalMs, Number.MAX_SAFE_INTEGER)
}

function secondaryStart(policy: RetryPolicy, state: RetryState): number {
  return state.startMs + wholeRetryTime(policy) * (policy.secondaryThreshold ?? 1)
}

/** Time that all retries take: the timeout, or less where retry_max_times ends them sooner. */
function wholeRetryTime(policy: RetryPolicy): number {
  if (policy.waitMs <= 0) return 0
  return Math.min(sumOfIntervals(policy), policy.timeoutMs)
}

/** Of the first `maxTimes` intervals, without adding them one by one: there may be millions, or no end of them. */
function sumOfIntervals({ type, waitMs, base, maxIntervalMs, maxTimes }: RetryPolicy): number {
  if (type === 'periodic') return waitMs * maxTimes
  if (waitMs >= maxIntervalMs && base >= 1) return maxIntervalMs * maxTimes
  if (base === 1) return waitMs * maxTimes
  const geometric = (times: number) => (waitMs * (base ** times - 1)) / (base - 1)
  if (base < 1) return geometric(maxTimes)
  const growing = Math.ceil(Math.log(maxIntervalMs / waitMs) / Math.log(base))
  if (growing >= maxTimes) return geometric(maxTimes)
  return geometric(growing) + maxIntervalMs * (maxTimes - growing)
}
