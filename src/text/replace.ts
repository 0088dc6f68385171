import type { LineMatcher, RegexpFound } from './regexp.ts'

/**
 * The text with `replacement` in place of what the expression finds: at every place (Ruby's gsub), or the first one (sub).
 * After an empty find the next character stays as it is. Throws RegexpInputError.
 */
export function replaceFound(
  text: string,
  matcher: LineMatcher,
  replacement: (found: RegexpFound) => string,
  options: { all: boolean } = { all: true },
): string {
  let out = ''
  let copied = 0
  let from = 0
  while (from <= text.length) {
    const found = matcher.find(text, from)
    if (found === undefined) break
    out += text.slice(copied, found.start) + replacement(found)
    copied = found.end
    from = found.end > found.start ? found.end : found.end + characterLength(text, found.end)
    if (!options.all) break
  }
  return copied === 0 && out === '' ? text : out + text.slice(copied)
}

function characterLength(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

/** Parts of a replacement: text, or the number of a group. */
export type ReplacementPart = string | number

/**
 * Ruby's replacement strings: \1 to \9 and \0 (or \&) are groups, \k<name> the last group of that name, \\ a backslash. What is
 * none of these stays as it stands. Groups that there are not hold nothing.
 */
export function parseReplacement(written: string, matcher: LineMatcher): ReplacementPart[] {
  const parts: ReplacementPart[] = []
  const pattern = /\\(?:([0-9])|(&)|k<([^>]+)>|(\\))/g
  let copied = 0
  for (const found of written.matchAll(pattern)) {
    const [all, digit, whole, name] = found
    parts.push(written.slice(copied, found.index))
    copied = found.index + all.length
    if (digit !== undefined) parts.push(Number(digit))
    else if (whole !== undefined) parts.push(0)
    else if (name !== undefined) parts.push(groupNumber(name, matcher))
    else parts.push('\\')
  }
  parts.push(written.slice(copied))
  return parts.filter((part) => part !== '')
}

/** Of several groups with one name the last counts; -1: there is none. */
function groupNumber(name: string, matcher: LineMatcher): number {
  if (/^\d+$/.test(name)) return Number(name)
  const index = matcher.groupNames.lastIndexOf(name)
  return index < 0 ? -1 : index + 1
}

export function fillReplacement(parts: readonly ReplacementPart[], found: RegexpFound): string {
  let text = ''
  for (const part of parts) {
    text += typeof part === 'string' ? part : (found.captures[part] ?? '')
  }
  return text
}
