import type { Batch } from '../../../src/core/batch.ts'
import type { Output } from '../../../src/core/output.ts'

export interface SpyOutput extends Output {
  /** Tag and first byte of each batch, in order. */
  readonly taken: string[]
  readonly lives: string[]
}

/** Takes everything, unless `answer` does something else. */
export function spyOutput(
  answer: (batch: Batch) => void | Promise<void> = () => undefined,
): SpyOutput {
  const taken: string[] = []
  const lives: string[] = []
  return {
    taken,
    lives,
    emit(batch) {
      const result = answer(batch)
      taken.push(`${batch.tag}:${batch.packed[0]}`)
      return result
    },
    start: async () => void lives.push('start'),
    stop: async () => void lives.push('stop'),
    flush: async () => void lives.push('flush'),
  }
}

/** Refuses with an exception. */
export function refusingOutput(message = 'no room'): SpyOutput {
  return spyOutput(() => {
    throw new Error(message)
  })
}

/** Pushes back: settled by hand. */
export function slowOutput() {
  const settle: { resolve(): void; reject(error: Error): void }[] = []
  const output = spyOutput(
    () => new Promise<void>((resolve, reject) => settle.push({ resolve, reject })),
  )
  return { output, settle }
}
