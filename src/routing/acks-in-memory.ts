import type { Logger } from '../core/log.ts'
import type { Graph } from './build.ts'

/** Said at start: a client that has its ack forgets its events, and a memory buffer does so when the process is killed. */
export function sayAcksInMemory(graph: Graph, log: Logger): void {
  const sources = graph.sources.filter(({ source }) => source.acknowledgesBuffered === true)
  const outputs = graph.allOutputs.filter(({ persistent }) => persistent === false)
  if (sources.length === 0 || outputs.length === 0) return
  log.info(
    'events are acknowledged once they are in a memory buffer, which does not survive a crash: where that matters, use <buffer> @type file, or ack_when delivered in the source',
    { sources: sources.map(({ id }) => id), outputs: outputs.map(({ id }) => id) },
  )
}
