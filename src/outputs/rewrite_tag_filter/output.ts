import { type Books, createBooks } from '../../buffer/books.ts'
import type { PluginContext } from '../../config/define.ts'
import { positionOf } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Consumer } from '../../core/consumer.ts'
import type { Output } from '../../core/output.ts'
import { eachEntry } from '../../msgpack/entries.ts'
import { LogLimiter } from '../../routing/log-limiter.ts'
import { checkMadeTag, MadeTagError } from '../../routing/made-tag.ts'
import { Regroup } from '../../routing/regroup.ts'
import { packedText } from '../../text/packed-text.ts'
import {
  type PackedPath,
  packedPath,
  parseRecordPath,
  RecordPathError,
} from '../../text/record-path.ts'
import { type LineMatcher, RegexpInputError } from '../../text/regexp.ts'
import type { RewriteTagParams } from './index.ts'
import {
  type FilledTag,
  fillTag,
  parseTagTemplate,
  type TagPart,
  tagOf,
  tagPlaceholder,
} from './tag-template.ts'

/** Old tags whose new ones are kept filled in. */
const tagLimit = 256

interface Rule {
  readonly path: PackedPath
  readonly pattern: LineMatcher
  readonly invert: boolean
  readonly template: readonly TagPart[]
  readonly target: Consumer
  readonly hasLabel: boolean
}

/** A rule for one old tag. */
interface FilledRule extends Rule {
  /** The new tag, where it does not depend on what the pattern finds. */
  readonly fixed: string | undefined
  readonly filled: FilledTag
}

export class RewriteTagOutput implements Output {
  readonly #params: RewriteTagParams
  readonly #hostname: string
  readonly #context: PluginContext
  readonly #rules: readonly Rule[]
  readonly #books: Books
  readonly #limiter: LogLimiter
  readonly #filled = new Map<string, readonly FilledRule[]>()

  constructor(params: RewriteTagParams, hostname: string, context: PluginContext) {
    this.#params = params
    this.#hostname = hostname
    this.#context = context
    this.#books = createBooks(context)
    this.#limiter = new LogLimiter(context.host.clock)
    this.#rules = params.rule.map((rule) => {
      const { label } = rule
      const hasLabel = label !== undefined && label !== ''
      return {
        path: packedPath(parseRecordPath(rule.key, positionOf(rule, 'key'))),
        pattern: rule.pattern,
        invert: rule.invert,
        template: parseTagTemplate(rule.tag, !rule.invert),
        target: hasLabel ? context.route(label, rule) : context.router,
        hasLabel,
      }
    })
  }

  emit(batch: Batch): void | Promise<void> {
    const { packed, tag, receipt } = batch
    const rules = this.#rulesFor(tag)
    const regroup = new Regroup(packed, {
      receipt,
      inOrder: this.#params.emitMode === 'record',
    })
    let left = 0
    eachEntry(packed, (start, timeEnd, end) => {
      try {
        if (!this.#sort(rules, { packed, start, timeEnd, end, tag }, regroup)) left++
      } catch (error) {
        if (!isDataError(error)) throw error
        this.#context.emitError({ tag, packed: packed.subarray(start, end), count: 1 }, error)
      }
    })
    const taken = regroup.emit()
    if (left === 0) return taken
    // Counted once the others are safe: a batch that is refused comes again.
    if (taken !== undefined) return taken.then(() => this.#books.drop('not_rewritten', left))
    this.#books.drop('not_rewritten', left)
    return undefined
  }

  /** False: the event goes nowhere. */
  #sort(
    rules: readonly FilledRule[],
    event: { packed: Uint8Array; start: number; timeEnd: number; end: number; tag: string },
    regroup: Regroup,
  ): boolean {
    for (const rule of rules) {
      const tag = this.#newTag(rule, event.packed, event.timeEnd)
      if (tag === undefined) continue
      if (tag === event.tag && !rule.hasLabel) return false
      regroup.add(rule.target, tag, event.start, event.end)
      return true
    }
    return false
  }

  /** undefined: the rule does not hold. */
  #newTag(rule: FilledRule, packed: Uint8Array, recordAt: number): string | undefined {
    const text = packedText(packed, rule.path.find(packed, recordAt))
    if (rule.invert) return rule.pattern.test(text) ? undefined : (rule.fixed as string)
    if (text === '') return undefined
    if (rule.fixed !== undefined) return rule.pattern.test(text) ? rule.fixed : undefined
    const found = rule.pattern.find(text)
    if (found === undefined) return undefined
    const tag = tagOf(rule.filled, found, this.#params.capitalizeRegexBackreference)
    checkMadeTag(tag)
    return tag
  }

  #rulesFor(tag: string): readonly FilledRule[] {
    const known = this.#filled.get(tag)
    if (known !== undefined) return known
    if (this.#filled.size >= tagLimit) this.#filled.clear()
    const shown = this.#shownTag(tag)
    const rules = this.#rules.map((rule): FilledRule => {
      const filled = fillTag(rule.template, ({ name, written }) => {
        const value = tagPlaceholder(name, shown, this.#hostname)
        if (value === undefined) this.#warnUnknown(written, tag)
        return value ?? ''
      })
      const fixed = filled.every((part) => typeof part === 'string') ? filled.join('') : undefined
      return { ...rule, filled, fixed }
    })
    this.#filled.set(tag, rules)
    return rules
  }

  /** The old tag as placeholders show it. */
  #shownTag(tag: string): string {
    const { removeTagPrefix: prefix, removeTagRegexp: expression } = this.#params
    if (prefix !== undefined) {
      if (!tag.startsWith(prefix)) return tag
      return tag.slice(prefix.length + (tag[prefix.length] === '.' ? 1 : 0))
    }
    const found = expression?.find(tag)
    return found === undefined ? tag : tag.slice(0, found.start) + tag.slice(found.end)
  }

  #warnUnknown(placeholder: string, tag: string): void {
    this.#limiter.run({ placeholder, tag }, (fields) => {
      this.#context.log.warn('rewrite_tag_filter: unknown placeholder found', fields)
    })
  }

  async start(): Promise<void> {}

  async stop(_deadline: AbortSignal): Promise<void> {}
}

/** What a record, not a bug, brings about. */
function isDataError(error: unknown): error is Error {
  return (
    error instanceof RecordPathError ||
    error instanceof RegexpInputError ||
    error instanceof MadeTagError
  )
}
