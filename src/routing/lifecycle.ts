import type { Component } from '../core/component.ts'
import { ConfigError } from '../core/errors.ts'
import type { Clock } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { stopGraceMs } from './limits.ts'
import { startAll } from './many.ts'

/** Something started and stopped with the graph. */
export interface Living extends Component {
  readonly id: string
  readonly category: 'input' | 'filter' | 'output'
  /** Hands events to other pipelines. */
  readonly reemits: boolean
  /** Of one that does: the pipeline it stands in, and those it leads to. */
  readonly stands?: string
  readonly leadsTo?: ReadonlySet<string>
}

/**
 * The first is upstream of the second, and so on: sources, filters (some hold events, and send them into labels), outputs
 * that lead into other pipelines, ends. Outputs that lead on come one by one, so that those that hold events (buffer,
 * exec_filter, detect_exceptions) hand them on to what still runs.
 */
export function tiersOf<T extends Living>(living: readonly T[]): readonly T[][] {
  const sources = living.filter((one) => one.category === 'input')
  const filters = living.filter((one) => one.category === 'filter')
  const others = living.filter((one) => one.category === 'output')
  return [
    sources,
    filters,
    ...upstreamFirst(others.filter((one) => one.reemits)).map((one) => [one]),
    others.filter((one) => !one.reemits),
  ]
}

/**
 * By the labels they lead to, wherever those stand in the file. Where events go inside of one pipeline depends on tags: what
 * may follow there stands behind it in nearly every file. Of those that lead in a circle the first in the file is first.
 */
function upstreamFirst<T extends Living>(outputs: readonly T[]): readonly T[] {
  const places = new Map(outputs.map((one, index) => [one, index]))
  const isBefore = (a: T, b: T) => (places.get(a) as number) < (places.get(b) as number)
  const leads = (from: T, to: T): boolean => {
    if (from === to || to.stands === undefined || !from.leadsTo?.has(to.stands)) return false
    return from.stands !== to.stands || isBefore(from, to)
  }
  const left = new Set(outputs)
  const order: T[] = []
  while (left.size > 0) {
    const free = [...left].find((to) => ![...left].some((from) => leads(from, to)))
    const next = free ?? ([...left][0] as T)
    left.delete(next)
    order.push(next)
  }
  return order
}

/**
 * Starts downstream first: when a source accepts its first event, all it can lead to is ready. If
 * one cannot start, those that had are stopped again, and its error is thrown.
 */
export function startGraph(living: readonly Living[]): Promise<void> {
  const order = [...tiersOf(living)].reverse().flat()
  return startAll(order.map((one) => ({ start: () => startOne(one), stop: (d) => one.stop(d) })))
}

/** The error says who could not start, and in words what Node's code means. */
async function startOne(one: Living): Promise<void> {
  try {
    await one.start()
  } catch (error) {
    // It says itself what it is about, and where.
    if (error instanceof ConfigError) throw error
    const { code, message } = error as { code?: string; message: string }
    const words = code === 'EADDRINUSE' ? 'address already in use' : ''
    const said = message.includes(words) ? message : `${words} (${message})`
    throw new Error(`${one.id} cannot start: ${said}`, { cause: error })
  }
}

/**
 * Stops upstream first, each tier at once, until `deadline` aborts. What fails or hangs is logged,
 * and does not keep the others from being stopped.
 */
export async function stopGraph(
  living: readonly Living[],
  options: { deadline: AbortSignal; clock: Clock; log: Logger },
): Promise<void> {
  for (const tier of tiersOf(living)) {
    await Promise.all(tier.map((one) => stopOne(one, options)))
  }
}

async function stopOne(
  one: Living,
  options: { deadline: AbortSignal; clock: Clock; log: Logger },
): Promise<void> {
  const overdue = overdueAfter(options.deadline, options.clock)
  try {
    const ended = await Promise.race([
      one.stop(options.deadline).then(() => true),
      overdue.promise.then(() => false),
    ])
    if (!ended) options.log.warn('did not stop in time', { plugin_id: one.id })
  } catch (error) {
    options.log.warn('unexpected error while stopping', { plugin_id: one.id, error })
  } finally {
    overdue.cancel()
  }
}

/** Settles a moment after the deadline: a component has that long to give up what it holds. */
function overdueAfter(deadline: AbortSignal, clock: Clock) {
  let arm = (): void => undefined
  let timer: { cancel(): void } | undefined
  const promise = new Promise<void>((resolve) => {
    arm = () => {
      timer = clock.after(stopGraceMs, resolve)
    }
  })
  if (deadline.aborted) arm()
  else deadline.addEventListener('abort', arm, { once: true })
  return {
    promise,
    cancel(): void {
      deadline.removeEventListener('abort', arm)
      timer?.cancel()
    },
  }
}
