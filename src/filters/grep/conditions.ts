import { positionOf } from '../../config/schema.ts'
import { ConfigError, type Position } from '../../core/errors.ts'
import { type FieldKey, fieldKey } from '../../msgpack/entries.ts'
import { packedText } from '../../text/packed-text.ts'
import { type PackedPath, packedPath, parseRecordPath } from '../../text/record-path.ts'
import { compileRegexpSource, type LineMatcher } from '../../text/regexp.ts'
import { type GrepParams, oldStyleCount } from './shape.ts'

/** A field and the expression tried on it. A field that is missing is tried as an empty text. */
export interface Condition {
  readonly path: PackedPath
  /** Where the path is one key of the record: its place in Conditions.fields. -1: it is not. */
  readonly number: number
  readonly matcher: LineMatcher
}

export interface Conditions {
  /** All must match: <regexp>, and those inside <and>. */
  readonly regexpAnd: readonly Condition[]
  /** One must match: <regexp> inside <or>. Empty: no such condition. */
  readonly regexpOr: readonly Condition[]
  /** Dropped if all match: <exclude> inside <and>. Empty: no such condition. */
  readonly excludeAnd: readonly Condition[]
  /** Dropped if one matches: <exclude>, and those inside <or>. */
  readonly excludeOr: readonly Condition[]
  /** The keys that are all that the conditions look at; undefined: there are other paths. */
  readonly fields: readonly FieldKey[] | undefined
}

/** Throws RecordPathError and RegexpInputError, where Fluentd fails to look as well. */
export function matches(condition: Condition, packed: Uint8Array, recordAt: number): boolean {
  const at = condition.path.find(packed, recordAt)
  return condition.matcher.test(packedText(packed, at))
}

/** `test` looks at one condition. */
export function keeps(conditions: Conditions, test: (condition: Condition) => boolean): boolean {
  const { regexpAnd, regexpOr, excludeAnd, excludeOr } = conditions
  return (
    regexpAnd.every(test) &&
    (regexpOr.length === 0 || regexpOr.some(test)) &&
    (excludeAnd.length === 0 || !excludeAnd.every(test)) &&
    !excludeOr.some(test)
  )
}

/** Keys of records, each once. */
class FieldList {
  readonly keys: FieldKey[] = []

  number(name: string): number {
    const known = this.keys.findIndex((key) => key.name === name)
    return known < 0 ? this.keys.push(fieldKey(name)) - 1 : known
  }
}

/** A list that refuses a second condition for one key. */
class ConditionList {
  readonly conditions: Condition[] = []
  private readonly keys = new Set<string>()
  private readonly fields: FieldList

  constructor(fields: FieldList) {
    this.fields = fields
  }

  add(key: string, matcher: LineMatcher, places: { key?: Position; words: string }): void {
    if (this.keys.has(key)) throw new ConfigError(`${places.words}${key}`, { position: places.key })
    this.keys.add(key)
    const path = parseRecordPath(key, places.key)
    const [only, ...more] = path.keys
    const number = typeof only === 'string' && more.length === 0 ? this.fields.number(only) : -1
    this.conditions.push({ path: packedPath(path), number, matcher })
  }
}

type Section = GrepParams['regexp'][number]

/** Throws ConfigError. */
export function createConditions(params: GrepParams): Conditions {
  const fields = new FieldList()
  const lists = {
    regexpAnd: new ConditionList(fields),
    regexpOr: new ConditionList(fields),
    excludeAnd: new ConditionList(fields),
    excludeOr: new ConditionList(fields),
  }
  const add = (list: ConditionList, sections: readonly Section[], words: string) => {
    for (const section of sections) {
      list.add(section.key, section.pattern, { key: positionOf(section, 'key'), words })
    }
  }
  addOldStyle(params, 'regexp', lists.regexpAnd)
  addOldStyle(params, 'exclude', lists.excludeOr)
  add(lists.regexpAnd, params.regexp, 'Duplicate key: ')
  add(lists.excludeOr, params.exclude, 'Duplicate key: ')
  for (const group of params.and) {
    refuseMixture(group, 'and')
    add(lists.regexpAnd, group.regexp, 'Duplicate key in <and>: ')
    add(lists.excludeAnd, group.exclude, 'Duplicate key in <and>: ')
  }
  for (const group of params.or) {
    refuseMixture(group, 'or')
    add(lists.regexpOr, group.regexp, 'Duplicate key in <or>: ')
    add(lists.excludeOr, group.exclude, 'Duplicate key in <or>: ')
  }
  return {
    regexpAnd: lists.regexpAnd.conditions,
    regexpOr: lists.regexpOr.conditions,
    excludeAnd: lists.excludeAnd.conditions,
    excludeOr: lists.excludeOr.conditions,
    fields: Object.values(lists).some((list) => list.conditions.some(({ number }) => number < 0))
      ? undefined
      : fields.keys,
  }
}

function refuseMixture(
  group: { readonly regexp: readonly unknown[]; readonly exclude: readonly unknown[] },
  name: string,
): void {
  if (group.regexp.length > 0 && group.exclude.length > 0) {
    throw new ConfigError(`Do not specify both <regexp> and <exclude> in <${name}>`, {
      position: positionOf(group),
      hint: `write two <${name}> sections`,
    })
  }
}

/** `regexp1 key pattern`: the pattern is not put between slashes there. */
function addOldStyle(params: GrepParams, kind: 'regexp' | 'exclude', list: ConditionList): void {
  for (let i = 1; i <= oldStyleCount; i++) {
    const name = `${kind}${i}`
    const written = (params as unknown as Record<string, string | undefined>)[name]
    if (written === undefined) continue
    const position = positionOf(params, name)
    const space = written.indexOf(' ')
    if (space < 0) throw new ConfigError(`${name} does not contain 2 parameters`, { position })
    const key = written.slice(0, space)
    const matcher = compileRegexpSource(written.slice(space + 1), position)
    list.add(key, matcher, { key: position, words: `${name} contains a duplicated key, ` })
  }
}
