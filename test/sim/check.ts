import { bookError } from '../support/books.ts'
import { clientOf, idsOf } from './events.ts'
import type { SinkPlan } from './plan.ts'
import type { Outcome, Sent } from './run-one.ts'
import type { Destination } from './sinks.ts'

/** What must be true of a run once it is over. Throws. */
export function check(outcome: Outcome): void {
  const truth = truthOf(outcome)
  for (const sink of outcome.plan.sinks) {
    checkBooks(outcome, sink, truth)
    checkReasons(outcome, sink)
    checkRepeats(outcome, sink, truth)
    checkOrder(outcome, sink)
  }
  checkRoutes(outcome, truth)
}

interface Arrived {
  /** Event → how often it arrived, and the sender knew it (of files: how often it stands there). */
  readonly known: ReadonlyMap<number, number>
  /** Event → how often it arrived without the sender's knowing. */
  readonly unknown: ReadonlyMap<number, number>
}

type Truth = ReadonlyMap<string, Arrived>

function truthOf(outcome: Outcome): Truth {
  return new Map(outcome.plan.sinks.map((sink) => [sink.name, arrivedAt(outcome, sink)]))
}

function placesOf(outcome: Outcome, sink: SinkPlan): Destination[] {
  return [sink.name, `${sink.name}_second`]
    .map((name) => outcome.destinations.get(name))
    .filter((place) => place !== undefined)
}

function arrivedAt(outcome: Outcome, sink: SinkPlan): Arrived {
  const known = new Map<number, number>()
  const unknown = new Map<number, number>()
  const add = (to: Map<number, number>, id: number) => void to.set(id, (to.get(id) ?? 0) + 1)
  for (const place of placesOf(outcome, sink)) {
    for (const arrival of place.arrivals) {
      for (const id of arrival.ids) add(arrival.unknown ? unknown : known, id)
    }
  }
  const own = (path: string) => path.startsWith(`/out/${sink.name}`)
  // The end of a write that failed, on a disk that never works again, or of a killed process that left nothing to write: whoever
  // writes next cuts it off.
  const { heals, ends } = outcome.plan
  const maybeTorn =
    (outcome.diskFaultsMet > 0 && !heals) || (ends.includes('kill') && !sink.persistent)
  for (const [path, text] of Object.entries(outcome.files)) {
    const lines = maybeTorn ? text.slice(0, text.lastIndexOf('\n') + 1) : text
    if (own(path)) for (const id of idsOf(lines)) add(known, id)
  }
  return { known, unknown }
}

const sumOf = (counts: Iterable<number>) => [...counts].reduce((sum, count) => sum + count, 0)

interface Figures {
  emitted: number
  delivered: number
  buffered: number
  dropped: number
  reasons: Set<string>
}

/** Over all lives. `buffered`: at the end of the last. */
function figuresOf(outcome: Outcome, sink: SinkPlan): Figures {
  const figures: Figures = { emitted: 0, delivered: 0, buffered: 0, dropped: 0, reasons: new Set() }
  for (const life of outcome.books) {
    figures.buffered = 0
    for (const books of life.byOutput.get(sink.name) ?? []) {
      figures.emitted += books.emittedEvents
      figures.delivered += books.deliveredEvents
      figures.buffered += books.bufferedEvents
      figures.dropped += sumOf(Object.values(books.droppedEvents))
      for (const reason of Object.keys(books.droppedEvents)) figures.reasons.add(reason)
    }
  }
  return figures
}

/** The books say what the destination says. */
function checkBooks(outcome: Outcome, sink: SinkPlan, truth: Truth): void {
  for (const life of outcome.books) {
    for (const books of life.byOutput.get(sink.name) ?? []) {
      const error = bookError(sink.name, books)
      if (error !== undefined) throw new Error(error)
    }
  }
  const killed = outcome.plan.ends.includes('kill')
  if (sink.kind === 'file' && (outcome.diskFaultsMet > 0 || killed)) return
  const figures = figuresOf(outcome, sink)
  const known = sumOf((truth.get(sink.name) as Arrived).known.values())
  if (killed ? figures.delivered > known : figures.delivered !== known) {
    throw new Error(
      `${sink.name} says that it delivered ${figures.delivered} events; ${known} are there`,
    )
  }
}

/** Nothing is dropped for a reason that this run does not have. */
function checkReasons(outcome: Outcome, sink: SinkPlan): void {
  const { plan } = outcome
  const allowed = new Set<string>()
  if (sink.overflow === 'drop_oldest_chunk') allowed.add('overflow')
  if (sink.retriesEnd) allowed.add('retries_exhausted')
  if (plan.moods.includes('picky')) allowed.add('picky')
  if (plan.moods.includes('refusing') || sink.secondary) {
    allowed.add('rejected').add('backed_up')
  }
  if (sink.persistent && sink.retriesEnd) allowed.add('backed_up')
  if (!sink.persistent && outcome.overdue) allowed.add('shutdown')
  if (sink.persistent && plan.diskFaults) allowed.add('not_stored')
  for (const reason of figuresOf(outcome, sink).reasons) {
    if (!allowed.has(reason)) throw new Error(`${sink.name} dropped events: ${reason}`)
  }
}

/** An event comes twice only if how it arrived was unknown, its sender sent it twice, or the process died. */
function checkRepeats(outcome: Outcome, sink: SinkPlan, truth: Truth): void {
  const { known, unknown } = truth.get(sink.name) as Arrived
  const torn = sink.kind === 'file' && outcome.diskFaultsMet > 0
  // A chunk that was delivered and could not be removed is delivered again by the next process.
  const left = outcome.notRemoved > 0 || outcome.plan.ends.includes('kill')
  if (torn || (sink.persistent && left)) return
  for (const [id, times] of known) {
    const sent = outcome.sent.get(id)
    if (sent === undefined) throw new Error(`${sink.name} got event ${id}, which nobody sent`)
    if (times > 1 && !sent.again && !unknown.has(id)) {
      throw new Error(`${sink.name} got event ${id} ${times} times`)
    }
  }
}

/** Within a chunk a client's events are in the order it sent them. */
function checkOrder(outcome: Outcome, sink: SinkPlan): void {
  for (const place of placesOf(outcome, sink)) {
    for (const { chunk, ids } of place.arrivals) {
      const last = new Map<number, number>()
      for (const id of ids) {
        if (outcome.sent.get(id)?.again) continue
        const client = clientOf(id)
        const before = last.get(client) ?? -1
        if (before >= id) throw new Error(`${place.name}, chunk ${chunk}: ${id} behind ${before}`)
        last.set(client, id)
      }
    }
  }
}

/** What was acknowledged is where it had to go, or its outputs have counted at least as many as given up. */
function checkRoutes(outcome: Outcome, truth: Truth): void {
  const { plan } = outcome
  const missing = new Map<string, number>()
  for (const [id, sent] of outcome.sent) {
    if (sent.outcome !== 'acked' || (plan.filtered && sent.key === 'skip')) continue
    if (lostWithTheProcess(outcome, sent)) continue
    const route = plan.routes.get(sent.tag) ?? []
    if (route.length === 0) continue
    const lacks = route.map((names) => names.filter((name) => !has(truth, name, id)))
    if (lacks.some((names) => names.length === 0)) continue
    const names = lacks.flat().sort().join()
    missing.set(names, (missing.get(names) ?? 0) + 1)
  }
  const over = [...missing].flatMap(([names]) => names.split(','))
  const excused = new Map(
    plan.sinks.map((sink) => {
      const { dropped, buffered } = figuresOf(outcome, sink)
      return [sink.name, dropped + buffered]
    }),
  )
  for (const [names, count] of missing) {
    const excuses = sumOf(names.split(',').map((name) => excused.get(name) ?? 0))
    if (count > excuses) {
      throw new Error(
        `${count} acknowledged events are missing at ${names}, and ${excuses} are accounted for (${over.join()})`,
      )
    }
  }
}

function has(truth: Truth, name: string, id: number): boolean {
  const { known, unknown } = truth.get(name) as Arrived
  return known.has(id) || unknown.has(id)
}

/**
 * A buffer in memory dies with its process: only there is an acknowledged event allowed to be gone, unless its ack waited for
 * the delivery.
 */
function lostWithTheProcess({ plan, books }: Outcome, sent: Sent): boolean {
  if (sent.acksDelivery) return false
  const end = books.find(({ life }) => life === sent.life)?.end
  return end === 'kill' && plan.sinks.some((sink) => !sink.persistent)
}
