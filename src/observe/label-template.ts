import type { Position } from '../core/errors.ts'
import type { MsgValue } from '../core/value.ts'
import { fieldKey, findField, valueAt } from '../msgpack/entries.ts'
import { fieldText } from '../text/field-text.ts'
import { packedPath, parseRecordPath } from '../text/record-path.ts'
import { placeholder, type Surroundings } from './labels.ts'

/** A label's value: how it is made for an event. `needs` says what of the event it looks at. */
export interface LabelTemplate {
  readonly needs: 'nothing' | 'tag' | 'record'
  render(event: LabeledEvent): string
}

/** What labels are made of. The record is looked at only by templates that need it. */
export interface LabeledEvent {
  readonly tag: string
  /** The tag's, between its dots. */
  readonly parts: readonly string[]
  readonly packed: Uint8Array
  /** Offset of the record in `packed`. */
  readonly recordAt: number
}

/** For templates that look at nothing. */
export const noEvent: LabeledEvent = { tag: '', parts: [], packed: new Uint8Array(0), recordAt: 0 }

/**
 * `$.path` and `$[…]` are fields of the record; otherwise text with `${tag}`, `${tag_parts[N]}`, `${tag_prefix[N]}`,
 * `${tag_suffix[N]}`, `${hostname}`, `${worker_id}`, `${field}`, `${field[N]}` and `${field["key"]}`. What
 * has no value stays as it is written. Throws ConfigError for a bad path.
 */
export function compileLabel(
  written: string,
  surroundings: Surroundings,
  position: Position | undefined,
): LabelTemplate {
  if (written.startsWith('$.') || written.startsWith('$[')) {
    const path = packedPath(parseRecordPath(written, position))
    return {
      needs: 'record',
      render({ packed, recordAt }) {
        const at = path.find(packed, recordAt)
        return at < 0 ? '' : fieldText(valueAt(packed, at))
      },
    }
  }
  const pieces = [...split(written, surroundings)]
  const needs = (what: LabelTemplate['needs']) => pieces.some((piece) => piece.needs === what)
  return {
    needs: needs('record') ? 'record' : needs('tag') ? 'tag' : 'nothing',
    render: (event) => pieces.map((piece) => piece.render(event)).join(''),
  }
}

function* split(written: string, surroundings: Surroundings): Generator<LabelTemplate> {
  let from = 0
  for (const found of written.matchAll(placeholder)) {
    yield constant(written.slice(from, found.index))
    yield piece(found[0], found[1] as string, found[2], surroundings)
    from = found.index + found[0].length
  }
  yield constant(written.slice(from))
}

const constant = (text: string): LabelTemplate => ({ needs: 'nothing', render: () => text })

const ofTag = (
  whole: string,
  pick: (tag: string, parts: readonly string[]) => string | undefined,
): LabelTemplate => ({ needs: 'tag', render: ({ tag, parts }) => pick(tag, parts) ?? whole })

function piece(
  whole: string,
  key: string,
  bracket: string | undefined,
  surroundings: Surroundings,
): LabelTemplate {
  const index = bracket !== undefined && /^-?\d{1,4}$/.test(bracket) ? Number(bracket) : undefined
  if (key === 'tag' && bracket === undefined) return ofTag(whole, (tag) => tag)
  if (key === 'tag_parts') return ofTag(whole, (_, parts) => at(parts, index))
  // Out of range from the front only: a prefix or suffix has no negative index.
  if (key === 'tag_prefix') return ofTag(whole, (_, parts) => within(parts, index)?.head)
  if (key === 'tag_suffix') return ofTag(whole, (_, parts) => within(parts, index)?.tail)
  if (key === 'hostname' && bracket === undefined) return constant(surroundings.hostname)
  if (key === 'worker_id' && bracket === undefined) return constant(String(surroundings.workerId))
  const name = bracket?.startsWith('"') && bracket.endsWith('"') ? bracket.slice(1, -1) : undefined
  const field = fieldKey(key)
  return {
    needs: 'record',
    render({ packed, recordAt }) {
      const at = findField(packed, recordAt, field)
      const value = at < 0 ? undefined : valueAt(packed, at)
      return placeholderText(value, { bracket, index, name }) ?? whole
    },
  }
}

function at<T>(items: readonly T[], index: number | undefined): T | undefined {
  return index === undefined ? undefined : items.at(index)
}

function within(parts: readonly string[], index: number | undefined) {
  if (index === undefined || index < 0 || index >= parts.length) return undefined
  return {
    head: parts.slice(0, index + 1).join('.'),
    tail: parts.slice(parts.length - index - 1).join('.'),
  }
}

/** undefined: there is no such value, or it is an array or map that the placeholder does not look into. */
function placeholderText(
  value: MsgValue | undefined,
  inside: { bracket: string | undefined; index: number | undefined; name: string | undefined },
): string | undefined {
  let found: MsgValue | undefined
  if (inside.bracket === undefined) {
    found = value instanceof Map || Array.isArray(value) ? undefined : value
  } else if (inside.index !== undefined && Array.isArray(value)) {
    found = value.at(inside.index)
  } else if (inside.name !== undefined && value instanceof Map) {
    found = value.get(inside.name)
  }
  return found === undefined ? undefined : fieldText(found)
}
