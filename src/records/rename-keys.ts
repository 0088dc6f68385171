import { type Param, positionOf, string } from '../config/schema.ts'
import { ConfigError, type Position } from '../core/errors.ts'
import type { MsgMap, MsgValue } from '../core/value.ts'
import type { Encoder } from '../msgpack/encode.ts'
import { decodeRecord, eachPair, pairCount, textAt } from '../msgpack/entries.ts'
import { arrayItems, headLength, isMap, skipValue } from '../msgpack/walk.ts'
import { compileRegexpSource, type LineMatcher } from '../text/regexp.ts'
import {
  fillReplacement,
  parseReplacement,
  type ReplacementPart,
  replaceFound,
} from '../text/replace.ts'

/** Rules of each kind that can be written. */
const ruleCount = 100
/** Keys whose new name is remembered, and their longest. */
const rememberedKeys = 4096
const rememberedChars = 256

function numbered(base: string, description: string): Record<string, Param<string | undefined>> {
  const params: Record<string, Param<string | undefined>> = {}
  for (let i = 1; i <= ruleCount; i++) params[`${base}${i}`] = string({ description })
  return params
}

/** The rules, for filter and output. */
export const renameRuleParams = {
  ...numbered(
    'rename_rule',
    'An expression for keys (without blanks) and the new key behind it, in which `${md[0]}` is what the expression found and `${md[1]}` its first group. The first rule that holds counts.',
  ),
  ...numbered(
    'replace_rule',
    'An expression for keys and, behind it, what takes the place of all that it finds in the key; nothing: that is taken away. After the rename rules.',
  ),
}

/** A new key for an old one; undefined: the rule does not hold. Throws RegexpInputError. */
type Rule = (key: string) => string | undefined

/** Gives keys new names. Records without a key that a rule concerns keep their bytes. */
export class KeyRenamer {
  readonly #renames: readonly Rule[]
  readonly #replaces: readonly Rule[]
  readonly #deep: boolean
  readonly #known = new Map<string, string>()

  constructor(rules: { renames: readonly Rule[]; replaces: readonly Rule[]; deep: boolean }) {
    this.#renames = rules.renames
    this.#replaces = rules.replaces
    this.#deep = rules.deep
  }

  /** Writes the record at `recordAt`, which ends at `end`, with its new keys. Throws RegexpInputError. */
  write(encoder: Encoder, packed: Uint8Array, recordAt: number, end: number): void {
    if (this.#concerns(packed, recordAt)) {
      encoder.value(this.#renamed(decodeRecord(packed, recordAt)))
    } else encoder.raw(packed, recordAt, end)
  }

  #concerns(packed: Uint8Array, at: number): boolean {
    let found = false
    eachPair(packed, at, (keyAt, valueAt) => {
      if (found) return
      const key = textAt(packed, keyAt)
      found = key !== undefined && this.newKey(key) !== key
      if (!found && this.#deep) found = this.#concernsInside(packed, valueAt)
    })
    return found
  }

  #concernsInside(packed: Uint8Array, at: number): boolean {
    if (isMap(packed[at]!)) return pairCount(packed, at) > 0 && this.#concerns(packed, at)
    const items = arrayItems(packed, at) ?? 0
    let p = at + headLength(packed[at]!)
    for (let i = 0; i < items; i++) {
      if (isMap(packed[p]!) && this.#concerns(packed, p)) return true
      p = skipValue(packed, p)
    }
    return false
  }

  #renamed(record: MsgMap): MsgMap {
    const renamed: MsgMap = new Map()
    for (const [key, value] of record) renamed.set(this.#newName(key), this.#inside(value))
    return renamed
  }

  /** Maps, and maps that stand right in an array. */
  #inside(value: MsgValue): MsgValue {
    if (!this.#deep) return value
    if (value instanceof Map) return this.#renamed(value)
    if (!Array.isArray(value)) return value
    return value.map((item) => (item instanceof Map ? this.#renamed(item) : item))
  }

  /** Keys that are no text, or no UTF-8, keep their name. */
  #newName(key: MsgValue): MsgValue {
    return typeof key === 'string' ? this.newKey(key) : key
  }

  /** Throws RegexpInputError. */
  newKey(key: string): string {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const renamed = firstOf(this.#renames, key)
    const made = firstOf(this.#replaces, renamed)
    if (key.length > rememberedChars || made.length > rememberedChars) return made
    if (this.#known.size >= rememberedKeys) this.#known.clear()
    this.#known.set(key, made)
    return made
  }
}

function firstOf(rules: readonly Rule[], key: string): string {
  for (const rule of rules) {
    const made = rule(key)
    if (made !== undefined) return made
  }
  return key
}

/** Throws ConfigError for a rule that cannot be read, for one whose expression was there before, and where there is none. */
export function createKeyRenamer(params: object & { readonly deepRename: boolean }): KeyRenamer {
  const renames = rulesOf(params, 'renameRule', renameRule)
  const replaces = rulesOf(params, 'replaceRule', replaceRule)
  if (renames.length === 0 && replaces.length === 0) {
    throw new ConfigError('No rename or replace rules are given', {
      position: positionOf(params),
      hint: 'write `rename_rule1 ^old$ new`',
    })
  }
  return new KeyRenamer({ renames, replaces, deep: params.deepRename })
}

function rulesOf(
  params: object,
  base: 'renameRule' | 'replaceRule',
  make: (matcher: LineMatcher, rest: string) => Rule,
): Rule[] {
  const seen = new Set<string>()
  const rules: Rule[] = []
  const needsMore = base === 'renameRule'
  for (let i = 1; i <= ruleCount; i++) {
    const written = (params as Record<string, string | undefined>)[`${base}${i}`]
    if (written === undefined) continue
    const position = positionOf(params, `${base}${i}`)
    const parts = /^(\S+)(?:\s+([\s\S]+))?$/.exec(written)
    if (parts === null || (needsMore && parts[2] === undefined)) {
      throw failedToParse(written, position, needsMore)
    }
    const expression = parts[1]!
    if (seen.has(expression)) {
      throw new ConfigError(`Duplicated rules for key ${expression}`, { position })
    }
    seen.add(expression)
    rules.push(make(compileRegexpSource(expression, position), parts[2] ?? ''))
  }
  return rules
}

function failedToParse(written: string, position: Position | undefined, needsMore: boolean) {
  return new ConfigError(`Failed to parse: ${written}`, {
    position,
    hint: needsMore ? 'write an expression, a blank, and the new key' : 'write an expression',
  })
}

const groupPlaceholder = /\$\{md\[(\d+)\]\}/

/** Text and numbers of groups, as written with ${md[n]}. */
function keyTemplate(written: string): ReplacementPart[] {
  return written
    .split(groupPlaceholder)
    .map((piece, i) => (i % 2 === 0 ? piece : Number(piece)))
    .filter((piece) => piece !== '')
}

function renameRule(matcher: LineMatcher, written: string): Rule {
  const template = keyTemplate(written)
  return (key) => {
    const found = matcher.find(key)
    return found === undefined ? undefined : fillReplacement(template, found)
  }
}

/** `${md[n]}` is of the first place, `\1` of each place. */
function replaceRule(matcher: LineMatcher, written: string): Rule {
  const template = keyTemplate(written).map((part) =>
    typeof part === 'number' ? part : parseReplacement(part, matcher),
  )
  return (key) => {
    const first = matcher.find(key)
    if (first === undefined) return undefined
    return replaceFound(key, matcher, (found) =>
      template
        .map((part) =>
          typeof part === 'number' ? (first.captures[part] ?? '') : fillReplacement(part, found),
        )
        .join(''),
    )
  }
}
