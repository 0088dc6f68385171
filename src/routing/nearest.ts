/**
 * The pattern that the tag comes closest to, for a message: the one with the fewest changes of
 * characters between the tag and what the pattern says literally. undefined if there are none.
 */
export function nearestPattern(tag: string, patterns: readonly string[]): string | undefined {
  const wanted = tag.slice(0, comparedChars)
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const text of patterns) {
    for (const word of text.split(/\s+/)) {
      const distance = distanceBetween(wanted, skeleton(word))
      if (distance < bestDistance) {
        best = word
        bestDistance = distance
      }
    }
  }
  return best
}

const comparedChars = 64

/** What a pattern says literally: `docker.**` is compared as `docker`. */
function skeleton(word: string): string {
  return word
    .replace(/[*{}\\/^$]/g, '')
    .replace(/^\.+|\.+$/g, '')
    .slice(0, comparedChars)
}

/** Levenshtein's distance; both texts are at most `comparedChars` long. */
function distanceBetween(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(change, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return previous[b.length]!
}
