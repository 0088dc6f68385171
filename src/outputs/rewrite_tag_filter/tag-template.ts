import type { RegexpFound } from '../../text/regexp.ts'

/** A new tag as written, in parts. */
export type TagPart =
  | string
  /** `$1`: what a group of the pattern holds. */
  | { readonly kind: 'group'; readonly number: number }
  /** `${tag}` and the like, or `__TAG__`. `name` is written without what is around it, in lower case. */
  | { readonly kind: 'placeholder'; readonly name: string; readonly written: string }

/** A new tag for one old tag: placeholders are filled in, groups are left. */
export type FilledTag = readonly (string | number)[]

const pieces = /(\$\d+|\$\{[a-z_]+(?:\[\d+\])?\}|__[A-Z_]+?(?:\[\d+\])?__)/

/** `groups` false: `$1` is text, as with a pattern that is not to be found. */
export function parseTagTemplate(written: string, groups: boolean): TagPart[] {
  return written
    .split(pieces)
    .map((piece, i): TagPart => {
      if (i % 2 === 0) return piece
      if (/^\$\d/.test(piece)) {
        return groups ? { kind: 'group', number: Number(piece.slice(1)) } : piece
      }
      return {
        kind: 'placeholder',
        name: piece.slice(2, piece.startsWith('$') ? -1 : -2).toLowerCase(),
        written: piece,
      }
    })
    .filter((part) => part !== '')
}

/** What placeholders stand for, by the old tag. undefined: nothing known. */
export function tagPlaceholder(name: string, tag: string, hostname: string): string | undefined {
  if (name === 'tag') return tag
  if (name === 'hostname') return hostname
  const index = /^tag_parts\[(\d+)\]$/.exec(name)?.[1]
  return index === undefined ? undefined : tag.split('.')[Number(index)]
}

/** Neighbouring texts become one. */
export function fillTag(
  parts: readonly TagPart[],
  placeholder: (part: { name: string; written: string }) => string,
): FilledTag {
  const filled: (string | number)[] = []
  for (const part of parts) {
    const value =
      typeof part === 'string' ? part : part.kind === 'group' ? part.number : placeholder(part)
    const last = filled.at(-1)
    if (typeof value === 'string' && typeof last === 'string')
      filled[filled.length - 1] = last + value
    else filled.push(value)
  }
  return filled
}

/** Groups that took no part, and those that there are not, hold nothing. */
export function tagOf(filled: FilledTag, found: RegexpFound, capitalize: boolean): string {
  let tag = ''
  for (const part of filled) {
    if (typeof part === 'string') tag += part
    else if (part > 0) {
      const held = found.captures[part] ?? ''
      tag += capitalize ? capitalized(held) : held
    }
  }
  return tag
}

/** Ruby's capitalize: the first letter large, all others small. */
function capitalized(text: string): string {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0)
  return text === '' ? '' : first.toUpperCase() + text.slice(first.length).toLowerCase()
}
