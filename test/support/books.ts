import type { App } from '../../src/app.ts'
import type { OutputStatistics } from '../../src/core/output.ts'

/** One output's books, as a sentence if they do not close; undefined if they do. */
export function bookError(id: string, of: OutputStatistics): string | undefined {
  const dropped = Object.values(of.droppedEvents)
  const sum = of.deliveredEvents + of.bufferedEvents + dropped.reduce((all, one) => all + one, 0)
  const figures = `emitted ${of.emittedEvents}, delivered ${of.deliveredEvents}, buffered ${of.bufferedEvents}, dropped ${JSON.stringify(of.droppedEvents)}`
  const all = [of.emittedEvents, of.deliveredEvents, of.bufferedEvents, ...dropped]
  if (!all.every((figure) => Number.isSafeInteger(figure) && figure >= 0)) {
    return `${id} has figures that cannot be: ${figures}`
  }
  return sum === of.emittedEvents ? undefined : `the books of ${id} do not close: ${figures}`
}

/**
 * Throws unless, for every output of the running graph, emitted = delivered + buffered + dropped{reason}: at any
 * moment, not only at the end.
 */
export function expectBooksClose(app: Pick<App, 'view'>): void {
  const errors: string[] = []
  for (const view of app.view.plugins()) {
    const statistics = view.statistics()
    const error = statistics === undefined ? undefined : bookError(view.id, statistics)
    if (error !== undefined) errors.push(error)
  }
  if (errors.length > 0) throw new Error(errors.join('\n'))
}
