const maxLength = 64

/**
 * Optimal string alignment distance, cut off above `limit`. Swapped neighbours cost 1.
 */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(substitution, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1)
      }
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}

/** The candidates most like `word`, nearest first, at most three; none where nothing is near. */
export function nearest(word: string, candidates: Iterable<string>): readonly string[] {
  if (word === '' || word.length > maxLength) return []
  const folded = fold(word)
  const limit = Math.max(1, Math.floor(folded.length / 3))
  const scored: { candidate: string; score: number }[] = []
  for (const candidate of candidates) {
    const other = fold(candidate)
    const score = other === folded ? 0 : distance(folded, other, limit)
    if (score <= limit) scored.push({ candidate, score })
  }
  scored.sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
  return scored.slice(0, 3).map((one) => one.candidate)
}

/** `did you mean …?`, or undefined. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(word, candidates).map((one) => `\`${one}\``)
  if (near.length === 0) return undefined
  const last = near.pop()!
  return `did you mean ${near.length > 0 ? `${near.join(', ')} or ` : ''}${last}?`
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll('-', '_')
}
