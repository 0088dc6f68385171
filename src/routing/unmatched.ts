import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Logger } from '../core/log.ts'
import type { Counter, Metrics } from '../core/metrics.ts'
import { comparedPatternLimit, shownTagChars, unmatchedTagLimit } from './limits.ts'
import { nearestPattern } from './nearest.ts'

/**
 * sluice_unmatched_events_total{tag}, one for the whole application: tags come from outside, so
 * those after the first `unmatchedTagLimit` share one label value.
 */
export class UnmatchedCounts {
  readonly #metrics: Metrics
  readonly #counters = new Map<string, Counter>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  of(tag: string): Counter {
    const shown = tag.slice(0, shownTagChars)
    const name =
      this.#counters.has(shown) || this.#counters.size < unmatchedTagLimit ? shown : '(others)'
    const known = this.#counters.get(name)
    if (known !== undefined) return known
    const counter = this.#metrics.counter({
      name: 'sluice_unmatched_events_total',
      help: 'Events whose tag no <match> pattern matched.',
      labels: { tag: name },
    })
    this.#counters.set(name, counter)
    return counter
  }
}

/**
 * Takes the events that no <match> wants. They are gone, as in Fluentd (and acknowledged): counted
 * by tag, and said once a tag, with what helps to find the mistake, for at most `unmatchedTagLimit`
 * tags.
 */
export class Unmatched implements Consumer {
  readonly #log: Logger
  readonly #counts: UnmatchedCounts
  readonly #label: string
  readonly #patterns: readonly string[]
  readonly #quiet: boolean
  readonly #counters = new Map<string, Counter>()
  #saidAll = false

  constructor(options: {
    log: Logger
    counts: UnmatchedCounts
    /** 'ROOT' or '@NAME': where no pattern matched. */
    label: string
    /** Of this pipeline's <match> sections, as written. */
    patterns: readonly string[]
    /** Say and count nothing: for <label @FLUENT_LOG>. */
    quiet?: boolean
  }) {
    this.#log = options.log
    this.#counts = options.counts
    this.#label = options.label
    this.#patterns = options.patterns.slice(0, comparedPatternLimit)
    this.#quiet = options.quiet ?? false
  }

  emit(batch: Batch): void {
    if (this.#quiet) return
    const known = this.#counters.get(batch.tag)
    if (known !== undefined) known.add(batch.count)
    else this.#first(batch)
  }

  #first(batch: Batch): void {
    const counter = this.#counts.of(batch.tag)
    counter.add(batch.count)
    if (this.#counters.size < unmatchedTagLimit) {
      this.#counters.set(batch.tag, counter)
      this.#say(batch.tag)
    } else if (!this.#saidAll) {
      this.#saidAll = true
      this.#log.warn('no patterns matched many more tags: they are only counted from here on', {
        limit: unmatchedTagLimit,
      })
    }
  }

  #say(tag: string): void {
    const fields: Record<string, unknown> = { tag: tag.slice(0, shownTagChars) }
    if (this.#label !== 'ROOT') fields.label = this.#label
    const nearest = nearestPattern(tag, this.#patterns)
    if (nearest !== undefined) fields.nearest = nearest
    if (dockerDefaultTag.test(tag)) fields.hint = dockerAdvice
    this.#log.warn('no patterns matched', fields)
  }
}

/** Docker's default tag: the first 12 hex digits of the container's id. */
const dockerDefaultTag = /^[0-9a-f]{12}$/
const dockerAdvice =
  "this is a container id, Docker's default tag: give the container --log-opt tag=docker.{{.Name}} and match docker.**"
