import { type Bound, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import {
  compileRegexp,
  type LineMatcher,
  RegexpInputError,
  regexpInputLimitChars,
} from '../../text/regexp.ts'
import { Quota } from './quota.ts'
import type { shape } from './shape.ts'

export type GroupParams = NonNullable<Bound<typeof shape>['group']>

interface Rule {
  /** Place of the group among those of the pattern, and what it must match. */
  readonly conditions: readonly { readonly at: number; readonly matcher: LineMatcher }[]
  readonly limit: number
  readonly paths: Set<string>
}

/**
 * `<group>`: how many lines files may bring in a period. A rule's files share its limit evenly; files that no rule fits
 * have none.
 */
export class Groups {
  readonly #pattern: LineMatcher
  readonly #periodMs: number
  readonly #rules: readonly Rule[]

  /** Throws ConfigError. */
  constructor(params: GroupParams) {
    this.#pattern = params.pattern
    this.#periodMs = params.ratePeriod * 1000
    this.#rules = params.rule
      .map((rule) => ({ rule, size: Object.keys(rule.match).length }))
      .sort((a, b) => b.size - a.size)
      .map(({ rule }) => this.#rule(rule))
  }

  #rule(params: GroupParams['rule'][number]): Rule {
    const position = positionOf(params, 'match')
    const conditions = Object.entries(params.match).flatMap(([name, value]) => {
      const at = this.#pattern.names.indexOf(name)
      // The default's expressions, in a list, match anything.
      if (Array.isArray(value)) return []
      if (at < 0) {
        throw new ConfigError(`the pattern of <group> has no group "${name}"`, {
          position,
          hint: `it has ${this.#pattern.names.join(', ') || 'none that is named'}`,
        })
      }
      return [{ at, matcher: compileRegexp(String(value), position) }]
    })
    return { conditions, limit: params.limit, paths: new Set() }
  }

  /** The lines that a file may bring. */
  join(path: string): Quota {
    const rule = this.#find(path)
    if (rule === undefined || rule.limit < 0) return unlimited()
    rule.paths.add(path)
    const share = () =>
      rule.limit === 0 ? 0 : Math.max(1, Math.floor(rule.limit / rule.paths.size))
    return new Quota(share, this.#periodMs)
  }

  leave(path: string): void {
    this.#find(path)?.paths.delete(path)
  }

  #find(path: string): Rule | undefined {
    const values = this.#match(path)
    if (values === undefined) return undefined
    return this.#rules.find(({ conditions }) =>
      conditions.every(({ at, matcher }) => {
        const value = values[at]
        return value !== undefined && matcher.test(value)
      }),
    )
  }

  #match(path: string): readonly (string | undefined)[] | undefined {
    try {
      return this.#pattern.match(path.slice(0, regexpInputLimitChars))
    } catch (error) {
      if (error instanceof RegexpInputError) return undefined
      throw error
    }
  }
}

export function unlimited(): Quota {
  return new Quota(() => Number.POSITIVE_INFINITY, 1000)
}
