import { ConfigError, type Position } from '../core/errors.ts'
import type { MsgMap, MsgValue } from '../core/value.ts'
import { type FieldKey, fieldKey, findField, valueAt } from '../msgpack/entries.ts'
import { arrayItems, headLength, isMap, skipValue, uint16At, uint32At } from '../msgpack/walk.ts'

/**
 * Which field a parameter names: `key` (a top-level key, dots included), `$.a.b[0]`, `$['a']["b"][0]`: Fluentd's
 * record_accessor.
 */
export interface RecordPath {
  readonly written: string
  /** At least one. Numbers are indexes of arrays (negative: from the end). */
  readonly keys: readonly (string | number)[]
}

/** A value on the path has nothing inside: Ruby's `dig` fails there, and so do the plugins that use it. */
export class RecordPathError extends Error {
  override readonly name = 'TypeError'
}

/** Throws ConfigError. */
export function parseRecordPath(written: string, position?: Position): RecordPath {
  if (written.startsWith('$.')) return { written, keys: parseDots(written, position) }
  if (written.startsWith('$[')) return { written, keys: parseBrackets(written, position) }
  return { written, keys: [written] }
}

function parseDots(written: string, position: Position | undefined): (string | number)[] {
  const parts = written.slice(2).split('.')
  // As in Ruby's split: empty parts at the end do not count.
  while (parts.length > 0 && parts.at(-1) === '') parts.pop()
  const keys = parts.flatMap((part) => {
    const bracket = part.indexOf('[')
    if (bracket < 0) return [part]
    const name = part.slice(0, bracket)
    const indexes = parseIndexes(part.slice(bracket), written, position)
    return name === '' ? indexes : [name, ...indexes]
  })
  if (keys.length === 0) throw new ConfigError('empty keys in dot notation', { position })
  for (const key of keys) {
    if (typeof key === 'string' && /\s/.test(key)) {
      throw new ConfigError(
        `whitespace character is not allowed in dot notation. Use bracket notation: ${key}`,
        { position },
      )
    }
  }
  return keys
}

function parseIndexes(text: string, written: string, position: Position | undefined): number[] {
  if (!/^(\[\s*[+-]?\d+\s*\])+$/.test(text)) {
    throw new ConfigError(`expected [number] in ${written}`, { position })
  }
  return [...text.matchAll(/[+-]?\d+/g)].map(([digits]) => Number(digits))
}

function parseBrackets(written: string, position: Position | undefined): (string | number)[] {
  const keys: (string | number)[] = []
  const part = /\[(?:\s*([+-]?\d+)\s*|'((?:(?!'\]|"\]).)*)'|"((?:(?!'\]|"\]).)*)")\]/sy
  part.lastIndex = 1
  while (part.lastIndex < written.length) {
    const found = part.exec(written)
    if (found === null) {
      throw new ConfigError(`expected ['key'], ["key"] or [number] in ${written}`, { position })
    }
    keys.push(found[1] === undefined ? (found[2] ?? found[3] ?? '') : Number(found[1]))
  }
  return keys
}

/** The value there; undefined if there is none. Throws RecordPathError. */
export function getValue(record: MsgMap, path: RecordPath): MsgValue | undefined {
  return dig(record, path.keys)
}

function dig(record: MsgValue, keys: readonly (string | number)[]): MsgValue | undefined {
  let value: MsgValue | undefined = record
  for (const key of keys) {
    if (value === undefined || value === null) return undefined
    value = child(value, key)
  }
  return value
}

function child(value: MsgValue, key: string | number): MsgValue | undefined {
  if (value instanceof Map) return value.get(key)
  if (!Array.isArray(value)) throw new RecordPathError(`a value on the way to ${key} has no fields`)
  if (typeof key === 'string') throw new RecordPathError(`an array has no field ${key}`)
  return value.at(key)
}

/** Removes it; nothing happens if it is not there. */
export function deleteValue(record: MsgMap, path: RecordPath): void {
  const parent = parentOf(record, path)
  const last = path.keys.at(-1) as string | number
  if (parent instanceof Map) {
    parent.delete(last)
  } else if (Array.isArray(parent) && typeof last === 'number') {
    const index = last < 0 ? parent.length + last : last
    if (index >= 0 && index < parent.length) parent.splice(index, 1)
  }
}

function parentOf(record: MsgMap, path: RecordPath): MsgValue | undefined {
  try {
    return dig(record, path.keys.slice(0, -1))
  } catch (error) {
    if (error instanceof RecordPathError) return undefined
    throw error
  }
}

/** Finds a path's value in packed bytes, without decoding what is around it. */
export interface PackedPath {
  /**
   * Offset of the value, or -1 if there is none; `recordAt` is the offset of the record's head. Throws RecordPathError
   * where getValue does.
   */
  find(packed: Uint8Array, recordAt: number): number
}

export function packedPath(path: RecordPath): PackedPath {
  const keys = path.keys.map((key) => (typeof key === 'string' ? fieldKey(key) : key))
  const only = keys.length === 1 ? keys[0] : undefined
  if (typeof only === 'object') {
    return { find: (packed, recordAt) => findField(packed, recordAt, only) }
  }
  return {
    find(packed, recordAt) {
      let at = recordAt
      for (const key of keys) {
        if (packed[at] === 0xc0) return -1
        at = packedChild(packed, at, key)
        if (at < 0) return -1
      }
      return at
    },
  }
}

function packedChild(packed: Uint8Array, at: number, key: FieldKey | number): number {
  const head = packed[at] as number
  const name = typeof key === 'number' ? key : key.name
  if (isMap(head)) {
    return typeof key === 'number' ? integerField(packed, at, key) : findField(packed, at, key)
  }
  const count = arrayItems(packed, at)
  if (count === undefined) throw new RecordPathError(`a value on the way to ${name} has no fields`)
  if (typeof key !== 'number') throw new RecordPathError(`an array has no field ${name}`)
  const index = key < 0 ? count + key : key
  if (index < 0 || index >= count) return -1
  let p = at + headLength(head)
  for (let i = 0; i < index; i++) p = skipValue(packed, p)
  return p
}

/** The value of an integer key, which hardly any map has. */
function integerField(packed: Uint8Array, at: number, key: number): number {
  const count = itemCount(packed, at)
  let p = at + headLength(packed[at] as number)
  let found = -1
  for (let i = 0; i < count; i++) {
    const value = skipValue(packed, p)
    if (valueAt(packed, p) === key) found = value
    p = skipValue(packed, value)
  }
  return found
}

function itemCount(packed: Uint8Array, at: number): number {
  const head = packed[at] as number
  if (head < 0xa0) return head & 15
  return head === 0xdc || head === 0xde ? uint16At(packed, at + 1) : uint32At(packed, at + 1)
}
