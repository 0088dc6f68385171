/** Where a separator is, and where its captures begin and end (-1: it took no part). */
export interface Separator {
  readonly start: number
  readonly end: number
  readonly slots: ArrayLike<number>
}

/**
 * The text between separators, and what their captures hold, as JavaScript's String#split. `find` gives the first
 * separator that begins at a place or later; there is none before `first`.
 */
export function splitText(
  text: string,
  first: number,
  find: (from: number) => Separator | undefined,
): string[] {
  if (text.length === 0) return find(0) === undefined ? [text] : []
  const parts: string[] = []
  let taken = 0
  let from = first
  while (from < text.length) {
    const found = find(from)
    if (found === undefined) break
    if (found.end === taken) {
      from = found.start + 1
      continue
    }
    parts.push(text.slice(taken, found.start), ...capturesOf(text, found.slots))
    taken = found.end
    from = taken
  }
  parts.push(text.slice(taken))
  return parts
}

function capturesOf(text: string, slots: ArrayLike<number>): string[] {
  const texts: string[] = []
  for (let i = 0; i < slots.length; i += 2) {
    const [start = -1, end = -1] = [slots[i], slots[i + 1]]
    texts.push(start < 0 || end < 0 ? '' : text.slice(start, end))
  }
  return texts
}
