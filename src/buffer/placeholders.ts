import { ConfigError, type Position } from '../core/errors.ts'
import type { ChunkMetadata } from '../core/output.ts'
import type { Chunking } from './chunk-keys.ts'

/**
 * Placeholders in paths, endpoints and headers, filled from a chunk's keys: `${tag}`, `${tag[1]}`, `${tag[-1]}`, `${field}`,
 * `${$.nested.field}`, `${chunk_id}`, and strftime's `%Y%m%d` of the chunk's time slice. What a chunk key does not
 * have (a missing field, a tag with fewer parts) is empty.
 */

export interface Template {
  /** Everything before the first placeholder or time directive. */
  readonly prefix: string
  /** Whether tags or record fields, which anybody may send, are in it. */
  readonly hasValues: boolean
  expand(chunk: { id: string; metadata: ChunkMetadata }, options?: ExpandOptions): string
}

export interface ExpandOptions {
  /** Makes a tag, a part of one or a field's text harmless where it is put. Default: as it is. */
  readonly harmless?: (value: string) => string
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'chunk_id' }
  | { readonly kind: 'tag' }
  | { readonly kind: 'tag_part'; readonly index: number }
  | { readonly kind: 'field'; readonly name: string }

/** As it is written in configurations. */
const wholeTag = `\${tag}`

const placeholder = /\$\{(?:tag\[(-?\d+)\]|([-_.@$a-zA-Z0-9]+))\}/g

/**
 * `time`: strftime is applied to the text between the placeholders where the chunk key `time` is set; false for URLs,
 * whose percent signs mean something else. Placeholders of keys that the chunking lacks stay as they are written.
 */
export function compileTemplate(
  text: string,
  chunking: Chunking,
  options: { time?: boolean } = {},
): Template {
  const parts = parse(text).map((part) => (isKnown(part, chunking) ? part : asText(part)))
  const timed = (options.time ?? true) && chunking.timekeySeconds !== undefined
  const first = parts[0]?.kind === 'text' ? parts[0].text : ''
  return {
    prefix: timed ? (first.split('%')[0] as string) : first,
    hasValues: parts.some((part) => part.kind !== 'text' && part.kind !== 'chunk_id'),
    expand({ id, metadata }, { harmless = (value: string) => value } = {}) {
      return parts
        .map((part) => {
          if (part.kind === 'chunk_id') return id
          if (part.kind !== 'text') return harmless(keyValue(part, metadata))
          return timed && metadata.timekey !== undefined
            ? chunking.formatTime(part.text, metadata.timekey)
            : part.text
        })
        .join('')
    },
  }
}

/** The chunk keys a text refers to. */
export function placeholdersIn(text: string): { tag: boolean; fields: string[] } {
  const parts = parse(text)
  return {
    tag: parts.some((part) => part.kind === 'tag' || part.kind === 'tag_part'),
    fields: [
      ...new Set(parts.flatMap((part) => (part.kind === 'field' ? [part.name] : []))),
    ].sort(),
  }
}

/**
 * Fluentd's checks of a parameter against the chunk keys, with its words: each chunk key is used, each
 * placeholder has its chunk key, and the time format is as fine as the timekey. Throws ConfigError.
 */
export function validatePlaceholders(options: {
  /** The parameter's name. */
  readonly name: string
  readonly text: string
  readonly chunking: Chunking
  readonly position: Position | undefined
  /** Only the time format: for a secondary, which need not separate what its primary separates. */
  readonly onlyTime?: boolean
}): void {
  const problem =
    timeProblem(options.text, options.chunking) ??
    (options.onlyTime === true
      ? undefined
      : (tagProblem(options.text, options.chunking) ??
        fieldProblem(options.text, options.chunking)))
  if (problem === undefined) return
  throw new ConfigError(`Parameter '${options.name}: ${options.text}' ${problem.says}`, {
    position: options.position,
    hint: problem.hint,
  })
}

interface Problem {
  readonly says: string
  readonly hint: string
}

const timeUnits = [
  { seconds: 1, name: 'second', example: '%S' },
  { seconds: 60, name: 'minute', example: '%M' },
  { seconds: 3600, name: 'hour', example: '%H' },
  { seconds: 86_400, name: 'day', example: '%d' },
] as const

function timeProblem(text: string, chunking: Chunking): Problem | undefined {
  const timekey = chunking.timekeySeconds
  const finest = finestUnit(text, chunking)
  if (finest === undefined) {
    if (timekey === undefined) return undefined
    return {
      says: `doesn't have timestamp placeholders for timekey ${timekey}`,
      hint: 'put a time format such as %Y%m%d into it',
    }
  }
  if (timekey === undefined) {
    return {
      says: "has timestamp placeholders, but chunk key 'time' is not configured",
      hint: 'write `<buffer time>` with a timekey',
    }
  }
  if (timekey >= finest.seconds) return undefined
  return {
    says: `doesn't have timestamp placeholder for ${finest.name}('${finest.example}') for timekey ${timekey}`,
    hint: `the timekey of ${timekey} s is shorter than what the format can tell apart`,
  }
}

/** The smallest unit that changes the text: found by formatting moments that differ by it. */
function finestUnit(text: string, chunking: Chunking): (typeof timeUnits)[number] | undefined {
  // 2016-01-01 00:00:00 UTC
  const base = 1_451_606_400
  const at = (seconds: number) => chunking.formatTime(text, seconds)
  return timeUnits.find((unit) => at(base + unit.seconds) !== at(base))
}

function tagProblem(text: string, chunking: Chunking): Problem | undefined {
  const used = placeholdersIn(text).tag
  if (used === chunking.byTag) return undefined
  return used
    ? {
        says: "has tag placeholders, but chunk key 'tag' is not configured",
        hint: 'write `<buffer tag>`',
      }
    : { says: "doesn't have tag placeholder", hint: `put ${wholeTag} into it` }
}

function fieldProblem(text: string, chunking: Chunking): Problem | undefined {
  const used = placeholdersIn(text).fields
  const keys = chunking.fields.map((field) => field.name).sort()
  const unused = keys.filter((key) => !used.includes(key))
  if (unused.length > 0) {
    return {
      says: `doesn't have enough placeholders for keys ${unused.join(',')}`,
      hint: `put ${unused.map((key) => `\${${key}}`).join(' and ')} into it`,
    }
  }
  const unknown = used.filter((name) => !keys.includes(name))
  if (unknown.length === 0) return undefined
  return {
    says: `has placeholders, but chunk keys doesn't have keys ${unknown.join(',')}`,
    hint: `write \`<buffer ${unknown.join(',')}>\``,
  }
}

function parse(text: string): Part[] {
  const parts: Part[] = []
  let done = 0
  for (const match of text.matchAll(placeholder)) {
    if (match.index > done) parts.push({ kind: 'text', text: text.slice(done, match.index) })
    const [all, index, name] = match
    done = match.index + all.length
    if (index !== undefined) parts.push({ kind: 'tag_part', index: Number(index) })
    else if (name === 'tag' || name === 'chunk_id') parts.push({ kind: name })
    else parts.push({ kind: 'field', name: name as string })
  }
  if (done < text.length) parts.push({ kind: 'text', text: text.slice(done) })
  return parts
}

function isKnown(part: Part, chunking: Chunking): boolean {
  if (part.kind === 'tag' || part.kind === 'tag_part') return chunking.byTag
  if (part.kind !== 'field') return true
  return chunking.fields.some((field) => field.name === part.name)
}

function asText(part: Part): Part {
  if (part.kind === 'tag') return { kind: 'text', text: wholeTag }
  if (part.kind === 'tag_part') return { kind: 'text', text: `\${tag[${part.index}]}` }
  if (part.kind === 'field') return { kind: 'text', text: `\${${part.name}}` }
  return part
}

function keyValue(
  part: Exclude<Part, { kind: 'text' | 'chunk_id' }>,
  metadata: ChunkMetadata,
): string {
  if (part.kind === 'field') {
    const value = metadata.variables?.[part.name]
    return value === undefined || value === null ? '' : String(value)
  }
  const tag = metadata.tag ?? ''
  return part.kind === 'tag' ? tag : tagPart(tag, part.index)
}

/** Parts as Ruby's split gives them: empty ones at the end do not count. */
function tagPart(tag: string, index: number): string {
  const parts = tag.replace(/\.+$/, '').split('.')
  return parts.at(index) ?? ''
}
