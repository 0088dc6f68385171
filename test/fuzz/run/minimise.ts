import type { Input } from './inputs.ts'

/** Runs that making one input smaller may take. */
const runLimit = 2000

/** The smallest input found that still fails: pieces are taken out, larger ones first, then bytes become zeros. */
export async function minimise(
  input: Input,
  fails: (input: Input) => Promise<boolean>,
): Promise<Input> {
  let best = input
  let runs = 0
  const attempt = async (bytes: Buffer): Promise<boolean> => {
    runs += 1
    if (runs > runLimit) return false
    const cuts = best.cuts.map((cut) => Math.min(cut, bytes.length))
    const smaller = { ...best, bytes, cuts }
    if (!(await fails(smaller))) return false
    best = smaller
    return true
  }
  if (best.cuts.length > 0 && (await fails({ ...best, cuts: [] }))) best = { ...best, cuts: [] }
  for (let size = best.bytes.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.bytes.length; ) {
      const { bytes } = best
      const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)])
      if (!(await attempt(without))) at += size
    }
  }
  for (let at = 0; at < best.bytes.length; at++) {
    if (best.bytes[at] === 0) continue
    const simpler = Buffer.from(best.bytes)
    simpler[at] = 0
    await attempt(simpler)
  }
  return best
}

/** The fewest inputs of a list that still fail together. */
export async function minimiseList(
  inputs: readonly Input[],
  fails: (inputs: readonly Input[]) => Promise<boolean>,
): Promise<readonly Input[]> {
  let best = inputs
  for (let i = best.length - 1; i >= 0 && best.length > 1; i--) {
    const fewer = best.filter((_, at) => at !== i)
    if (await fails(fewer)) best = fewer
  }
  return best
}
