import { maxDepth } from '../../core/batch.ts'
import type { MsgValue } from '../../core/value.ts'
import { encode } from '../../msgpack/encode.ts'
import type { Expression } from '../../records/ruby-expression/index.ts'
import { JsonError, parseJson } from '../../text/json.ts'
import { parsePlaceholders, type Source, type TagWords, writtenForm } from './placeholders.ts'

/** What a field of <record> becomes, as far as it can be known before the event. */
export type Template =
  /** MessagePack, ready. */
  | { readonly kind: 'packed'; readonly bytes: Uint8Array }
  /** One placeholder alone: the value keeps its type. */
  | { readonly kind: 'value'; readonly source: Source }
  | { readonly kind: 'text'; readonly parts: readonly (string | Source)[] }
  /** Evaluated for each event, with enable_ruby. */
  | { readonly kind: 'code'; readonly run: Expression }
  | { readonly kind: 'map'; readonly pairs: readonly TemplatePair[] }
  | { readonly kind: 'array'; readonly items: readonly Template[] }

export interface TemplatePair {
  readonly key: Template
  readonly value: Template
}

/** A value that stands in a record has the entry and the record around it. */
export const valueDepth = maxDepth - 2

/** Reads a text with expressions in it; `asText`: it is to be a text. Throws ConfigError. */
export type ReadCode = (written: string, asText: boolean) => Expression

interface TemplateOptions {
  readonly autoTypecast: boolean
  /** With enable_ruby. */
  readonly readCode?: ReadCode | undefined
}

/** `{…}` and `[…]` are JSON with placeholders in its texts; what is no JSON is a text, and `onBadJson` is told. */
export function compileTemplate(
  written: string,
  options: TemplateOptions & { readonly onBadJson: (reason: string) => void },
): Template {
  if (!written.startsWith('{') && !written.startsWith('[')) {
    return textTemplate(written, options.autoTypecast, options.readCode)
  }
  let value: MsgValue
  try {
    value = parseJson(written, { depthLimit: valueDepth })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    options.onBadJson(error.message)
    return textTemplate(written, options.autoTypecast, options.readCode)
  }
  return valueTemplate(value, options)
}

export function constantTemplate(value: MsgValue): Template {
  return { kind: 'packed', bytes: encode(value) }
}

/** `typecast` false: always a text, as keys are. */
export function textTemplate(text: string, typecast: boolean, readCode?: ReadCode): Template {
  if (readCode !== undefined) {
    const isPlain = !text.includes('{') && !text.includes('\\')
    return isPlain ? constantTemplate(text) : { kind: 'code', run: readCode(text, !typecast) }
  }
  const parts = parsePlaceholders(text)
  const only = parts[0]
  if (parts.length === 1 && typeof only === 'object' && typecast) {
    return { kind: 'value', source: only }
  }
  return parts.every((part) => typeof part === 'string')
    ? constantTemplate(text)
    : { kind: 'text', parts }
}

function valueTemplate(value: MsgValue, options: TemplateOptions): Template {
  const { autoTypecast, readCode } = options
  if (typeof value === 'string') return textTemplate(value, autoTypecast, readCode)
  if (Array.isArray(value)) {
    return folded({ kind: 'array', items: value.map((item) => valueTemplate(item, options)) })
  }
  if (!(value instanceof Map)) return constantTemplate(value)
  const pairs = [...value].map(([key, item]) => ({
    key: typeof key === 'string' ? textTemplate(key, false, readCode) : constantTemplate(key),
    value: valueTemplate(item, options),
  }))
  return folded({ kind: 'map', pairs })
}

/** What does not change from event to event of one tag is known once the tag is. */
export interface Knowledge {
  readonly tag: TagWords
  readonly hostname: string
  /** Told of placeholders that stand for nothing. */
  readonly onUnknown: (written: string) => void
}

/** The template with all that is known filled in. */
export function resolve(template: Template, known: Knowledge): Template {
  switch (template.kind) {
    case 'packed':
    case 'code':
      return template
    case 'value': {
      const text = resolveSource(template.source, known)
      return text === undefined ? template : constantTemplate(text)
    }
    case 'text': {
      const parts = template.parts.map((part) =>
        typeof part === 'string' ? part : (resolveToText(part, known) ?? part),
      )
      const isKnown = parts.every((part) => typeof part === 'string')
      return isKnown ? constantTemplate(parts.join('')) : { kind: 'text', parts }
    }
    case 'map':
      return folded({
        kind: 'map',
        pairs: template.pairs.map(({ key, value }) => ({
          key: resolve(key, known),
          value: resolve(value, known),
        })),
      })
    case 'array':
      return folded({ kind: 'array', items: template.items.map((item) => resolve(item, known)) })
  }
}

function resolveToText(source: Source, known: Knowledge): string | undefined {
  const text = resolveSource(source, known)
  return text === null ? '' : text
}

/** null: it stands for nothing. undefined: only the event knows. */
function resolveSource(source: Source, known: Knowledge): string | null | undefined {
  switch (source.kind) {
    case 'tag':
      return known.tag.tag
    case 'hostname':
      return known.hostname
    case 'time':
    case 'field':
      return undefined
    case 'unknown':
      known.onUnknown(writtenForm(source))
      return null
    default: {
      const word = known.tag.get(source.kind, source.index)
      if (word === undefined) known.onUnknown(writtenForm(source))
      return word ?? null
    }
  }
}

/** A map or array of ready parts is ready itself. */
function folded(template: Template & { kind: 'map' | 'array' }): Template {
  const parts =
    template.kind === 'array'
      ? template.items
      : template.pairs.flatMap(({ key, value }) => [key, value])
  if (!parts.every((part) => part.kind === 'packed')) return template
  const count = template.kind === 'array' ? parts.length : parts.length / 2
  const header = containerHeader(template.kind, count)
  return { kind: 'packed', bytes: Buffer.concat([header, ...parts.map((part) => part.bytes)]) }
}

function containerHeader(kind: 'map' | 'array', count: number): Uint8Array {
  const [small, wide] = kind === 'map' ? [0x80, 0xde] : [0x90, 0xdc]
  if (count < 16) return Uint8Array.of(small | count)
  if (count < 0x1_0000) return Uint8Array.of(wide, count >> 8, count & 255)
  return Uint8Array.of(wide + 1, count >>> 24, (count >> 16) & 255, (count >> 8) & 255, count & 255)
}

/** Keys of the record that the templates ask for. */
export function fieldsOf(templates: readonly Template[]): string[] {
  const keys = new Set<string>()
  const visit = (template: Template): void => {
    switch (template.kind) {
      case 'packed':
      case 'code':
        return
      case 'value':
        if (template.source.kind === 'field') keys.add(template.source.key)
        return
      case 'text':
        for (const part of template.parts) {
          if (typeof part === 'object' && part.kind === 'field') keys.add(part.key)
        }
        return
      case 'map':
        for (const { key, value } of template.pairs) {
          visit(key)
          visit(value)
        }
        return
      case 'array':
        template.items.forEach(visit)
    }
  }
  templates.forEach(visit)
  return [...keys]
}
