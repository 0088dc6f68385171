import type { PluginContext } from '../config/define.ts'
import { type Bound, positionOf, regexp, section, string } from '../config/schema.ts'
import { maxDepth } from '../core/batch.ts'
import { ConfigError } from '../core/errors.ts'
import { type MsgMap, type MsgValue, RawString } from '../core/value.ts'
import type { Encoder } from '../msgpack/encode.ts'
import {
  decodeRecord,
  eachPair,
  type FieldKey,
  fieldKey,
  findField,
  valueAt,
} from '../msgpack/entries.ts'
import { MsgpackError, skipValue } from '../msgpack/walk.ts'
import { deleteValue, parseRecordPath, type RecordPath } from '../text/record-path.ts'
import { type LineMatcher, RegexpInputError } from '../text/regexp.ts'
import { fillReplacement, parseReplacement, replaceFound } from '../text/replace.ts'
import { scrub } from '../text/ruby-text.ts'
import { type Convert, createConvert } from './char-encoding.ts'
import { KeyTable } from './key-table.ts'
import {
  compileExpression,
  type Expression,
  ExpressionError,
  Scope,
} from './ruby-expression/index.ts'

export const modifierParams = {
  prepare_value: string({
    description: 'Ruby that is run at start.',
    unsupported: 'no Ruby is run; write constants into <record> itself',
  }),
  char_encoding: string({
    description:
      'Which encoding texts are in, `from`, or are to be converted from and to, `from:to`. They leave in UTF-8.',
    differs: 'Only to UTF-8.',
  }),
  whitelist_keys: string({
    description: 'Fields that stay, with commas between them; those of <record> stay too.',
  }),
} as const

export const modifierSections = {
  record: section(
    { params: {} },
    {
      description:
        'Fields to set, in this order. `${…}` in values are expressions (docs/expressions.md) that see what was set before.',
      multi: true,
      open: true,
    },
  ),
  replace: section(
    {
      params: {
        key: string({ description: 'The field.', required: true }),
        expression: regexp({ description: 'What is looked for in it.', required: true }),
        replace: string({
          description: 'What takes its place; `\\1` and `\\k<name>` are groups.',
          required: true,
        }),
      },
    },
    { description: 'Replaces what an expression finds in a field.', multi: true },
  ),
} as const

type Values = Bound<{ params: typeof modifierParams; sections: typeof modifierSections }>

export interface ModifierParams extends Values {
  /** Paths are read as paths where `nestedKeys`. */
  readonly removeKeys: readonly string[] | undefined
}

interface Field {
  readonly name: string
  readonly value: Expression
}

/** What happens to a key. */
interface Use {
  readonly key: string
  /** Index of the field that sets it, or -1. */
  readonly sets: number
  readonly removed: boolean
  readonly replaces: boolean
}

type Replace = (value: MsgValue) => MsgValue

/** An entry in packed bytes, and where it divides. */
export interface Entry {
  readonly packed: Uint8Array
  readonly start: number
  readonly timeEnd: number
  readonly end: number
}

/** What a pair becomes. */
const keep = -1
const drop = -2

/** Sets, removes and replaces fields, as fluent-plugin-record-modifier. Pairs that nothing concerns keep their bytes. */
export class RecordModifier {
  readonly scope = new Scope()
  readonly #fields: readonly Field[]
  readonly #table: KeyTable<Use>
  readonly #replaces = new Map<string, Replace[]>()
  readonly #kept: readonly FieldKey[] | undefined
  readonly #paths: readonly RecordPath[]
  readonly #convert: Convert | undefined
  readonly #values: MsgValue[] = []
  readonly #isSet: boolean[] = []
  readonly #pairs: {
    at: number
    valueAt: number
    end: number
    fate: number
    use: Use | undefined
  }[] = []

  /** Throws ConfigError. `nestedKeys`: remove_keys may be paths. */
  constructor(params: ModifierParams, context: PluginContext, options: { nestedKeys: boolean }) {
    if (params.removeKeys !== undefined && params.whitelistKeys !== undefined) {
      throw new ConfigError('remove_keys and whitelist_keys are exclusive with each other.', {
        position: positionOf(params, 'whitelistKeys'),
      })
    }
    this.#fields = fieldsOf(params, context)
    const paths = (params.removeKeys ?? []).map((key) =>
      options.nestedKeys
        ? parseRecordPath(key, positionOf(params, 'removeKeys'))
        : { written: key, keys: [key] },
    )
    const isTop = ({ keys }: RecordPath) => keys.length === 1 && typeof keys[0] === 'string'
    const removed = new Set(paths.filter(isTop).map(({ keys }) => keys[0] as string))
    this.#paths = paths.filter((path) => !isTop(path))
    for (const { key, expression, replace } of params.replace) {
      this.#replaces.set(key, [...(this.#replaces.get(key) ?? []), replacer(expression, replace)])
    }
    this.#kept = keptKeys(params, this.#fields)
    this.#convert = createConvert(params)
    const names = new Set([
      ...this.#fields.map(({ name }) => name),
      ...removed,
      ...this.#replaces.keys(),
    ])
    this.#table = new KeyTable(
      [...names].map((key) => ({
        key,
        sets: this.#fields.findIndex(({ name }) => name === key),
        removed: removed.has(key),
        replaces: this.#replaces.has(key),
      })),
    )
  }

  /** Writes the entry anew. Throws ExpressionError, RegexpInputError and MsgpackError, for the event. */
  write(encoder: Encoder, tag: string, entry: Entry): void {
    const { packed, start, timeEnd } = entry
    this.scope.setTag(tag)
    this.scope.setEvent(packed, start, timeEnd)
    this.#evaluate()
    encoder.raw(packed, start, timeEnd)
    if (this.#convert !== undefined || this.#paths.length > 0) this.#rebuild(encoder, entry)
    else if (this.#kept !== undefined) this.#pick(encoder, entry, this.#kept)
    else this.#patch(encoder, entry)
  }

  #evaluate(): void {
    const { scope } = this
    for (const [i, { name, value }] of this.#fields.entries()) {
      const made = value(scope)
      scope.changed.set(name, made)
      this.#values[i] = made
    }
  }

  /** Copies pairs, but for those that are set, removed or replaced. */
  #patch(encoder: Encoder, { packed, timeEnd }: Entry): void {
    const pairs = this.#pairs
    this.#isSet.fill(false, 0)
    let count = 0
    let kept = 0
    eachPair(packed, timeEnd, (at, valueAt, end) => {
      const use = this.#table.find(packed, at)
      const fate = this.#fateOf(use)
      pairs[count++] = { at, valueAt, end, fate, use }
      if (fate !== drop) kept++
    })
    const added = this.#fields.filter((_, i) => !this.#isSet[i] && !this.#isRemoved(i))
    encoder.mapHeader(kept + added.length)
    for (let i = 0; i < count; i++) {
      const { at, valueAt: from, end, fate, use } = pairs[i]!
      if (fate === drop) continue
      if (use === undefined) encoder.raw(packed, at, end)
      else {
        encoder.raw(packed, at, from)
        this.#writeField(encoder, use.key, fate >= 0 ? this.#values[fate]! : valueAt(packed, from))
      }
    }
    for (const field of added) {
      encoder.string(field.name)
      this.#writeField(encoder, field.name, this.#values[this.#fields.indexOf(field)] as MsgValue)
    }
    pairs.length = 0
  }

  #fateOf(use: Use | undefined): number {
    if (use === undefined) return keep
    if (use.removed || (use.sets >= 0 && this.#isSet[use.sets])) return drop
    if (use.sets < 0) return keep
    this.#isSet[use.sets] = true
    return use.sets
  }

  #isRemoved(index: number): boolean {
    return this.#table.get(this.#fields[index]!.name)?.removed === true
  }

  /** Only these fields, in their order. */
  #pick(encoder: Encoder, { packed, timeEnd }: Entry, keys: readonly FieldKey[]): void {
    const found = keys.map((key) => ({
      key,
      set: this.#fields.findIndex(({ name }) => name === key.name),
      at: findField(packed, timeEnd, key),
    }))
    const there = found.filter(({ set, at }) => set >= 0 || at >= 0)
    encoder.mapHeader(there.length)
    for (const { key, set, at } of there) {
      encoder.string(key.name)
      if (set < 0 && !this.#replaces.has(key.name)) encoder.raw(packed, at, skipValue(packed, at))
      else this.#writeField(encoder, key.name, set >= 0 ? this.#values[set]! : valueAt(packed, at))
    }
  }

  /** With the record decoded: for paths into it, and for texts of other encodings. */
  #rebuild(encoder: Encoder, { packed, timeEnd }: Entry): void {
    const old = decodeRecord(packed, timeEnd)
    for (const [i, { name }] of this.#fields.entries()) old.set(name, this.#values[i]!)
    for (const path of this.#paths) deleteValue(old, path)
    const record: MsgMap = this.#kept === undefined ? old : new Map()
    for (const { name } of this.#kept ?? []) {
      const value = old.get(name)
      if (value !== undefined) record.set(name, value)
    }
    for (const [key, value] of record) {
      if (typeof key === 'string' && this.#table.get(key)?.removed) record.delete(key)
      else {
        const made = typeof key === 'string' ? this.#replaced(key, value) : value
        record.set(key, this.#convert?.(made) ?? made)
      }
    }
    const mark = encoder.length
    encoder.value(record)
    skipValue(encoder.bytes, mark, encoder.length, maxDepth - 1)
  }

  #writeField(encoder: Encoder, key: string, value: MsgValue): void {
    const mark = encoder.length
    encoder.value(this.#replaced(key, value))
    if (typeof value === 'object' && value !== null) {
      skipValue(encoder.bytes, mark, encoder.length, maxDepth - 2)
    }
  }

  #replaced(key: string, value: MsgValue): MsgValue {
    let made = value
    for (const replace of this.#replaces.get(key) ?? []) made = replace(made)
    return made
  }
}

/** What a record, not a bug, brings about. */
export function isRecordError(error: unknown): error is Error {
  return (
    error instanceof ExpressionError ||
    error instanceof RegexpInputError ||
    error instanceof MsgpackError
  )
}

/** A value with expressions, for <record> and the output's tag. Throws ConfigError. */
export function modifierExpression(
  written: string,
  context: PluginContext,
  position: ReturnType<typeof positionOf>,
): Expression {
  if (!written.includes('${')) return () => written
  const { hostname, env, clock } = context.host
  const world = { hostname, env, clock, timeIsTime: false, tagRanges: false }
  return compileExpression(written, { world, asText: false, position })
}

function fieldsOf(params: ModifierParams, context: PluginContext): Field[] {
  const fields = new Map<string, Field>()
  for (const { extra, extraTyped, extraPlaces } of params.record) {
    for (const [name, written] of extra) {
      const typed = extraTyped.get(name)
      const value =
        typed === undefined
          ? modifierExpression(written, context, extraPlaces?.get(name))
          : () => typed
      fields.set(name, { name, value })
    }
  }
  return [...fields.values()]
}

function keptKeys(params: ModifierParams, fields: readonly Field[]): FieldKey[] | undefined {
  if (params.whitelistKeys === undefined) return undefined
  const written = params.whitelistKeys.split(',').map((key) => key.trim())
  return [...new Set([...written, ...fields.map(({ name }) => name)])].map(fieldKey)
}

function replacer(expression: LineMatcher, replacement: string): Replace {
  const parts = parseReplacement(replacement, expression)
  return (value) => {
    if (value === null) return value
    if (typeof value !== 'string' && !(value instanceof RawString)) {
      throw new ExpressionError('only texts can be replaced in')
    }
    const text = typeof value === 'string' ? value : scrub(value.bytes, '?')
    if (!expression.test(text)) return value
    return replaceFound(text, expression, (found) => fillReplacement(parts, found))
  }
}
