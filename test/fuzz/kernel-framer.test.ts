import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMessages } from '../reference/messages.ts'
import { cut, joined, newKernel, now, options, run } from '../unit/kernel/framing.ts'
import { damagedStream, noise, stream } from './kernel-arbitraries.ts'

const kernel = newKernel()
const other = kernel.createFramer(options)

const runs = Number(process.env.FUZZ_RUNS ?? 300)

const rules = fc.record({
  skipInvalidEvent: fc.boolean(),
  messageLimitBytes: fc.constantFrom(Number.POSITIVE_INFINITY, 60),
  messageWarnBytes: fc.constantFrom(Number.POSITIVE_INFINITY, 40),
  itemLimit: fc.constantFrom(1_000_000, 12),
  depthLimit: fc.constantFrom(64, 4),
  keyLimit: fc.constantFrom(1_000_000, 3),
  recordLimitBytes: fc.constantFrom(Number.POSITIVE_INFINITY, 12),
})

/** Of the outcomes, all but a last fatal one: what comes before it does not depend on when it is noticed. */
function beforeFatal<T extends { kind: string }>(outcomes: readonly T[]): T[] {
  return outcomes.filter((outcome) => outcome.kind !== 'fatal')
}

/** Of a message with several faults, which one is found first is not laid down. */
function anyFault<T extends { kind: string }>(outcomes: readonly T[]): (T | { kind: string })[] {
  return outcomes.map((outcome) => (outcome.kind === 'fatal' ? { kind: 'fatal' } : outcome))
}

describe('the framer equals the plain reference', () => {
  for (const [name, bytesOf] of [
    ['messages', stream],
    ['damaged messages', damagedStream],
    ['noise', noise],
  ] as const) {
    it(`${name}, whole`, () => {
      fc.assert(
        fc.property(bytesOf, rules, (bytes, some) => {
          const all = { ...options, ...some }
          const reference = readMessages(bytes, { ...all, now })
          const framer = kernel.createFramer(all)
          const outcomes = run(framer, [bytes])
          const expected = joined(reference.outcomes)
          // A message cut by the end may be refused before it is whole.
          if (reference.unfinished > 0) {
            expect(beforeFatal(outcomes)).toEqual(expected)
          } else {
            expect(anyFault(outcomes)).toEqual(anyFault(expected))
          }
        }),
        { numRuns: runs },
      )
    })

    it(`${name}, however they are cut`, () => {
      fc.assert(
        fc.property(
          bytesOf,
          rules,
          fc.array(fc.nat(40), { maxLength: 30 }),
          fc.boolean(),
          (bytes, some, sizes, holding) => {
            const all = { ...options, ...some }
            const whole = joined(readMessages(bytes, { ...all, now }).outcomes)
            const framer = kernel.createFramer(all)
            const pieces: Uint8Array[] = []
            let at = 0
            for (const size of sizes) {
              pieces.push(bytes.subarray(at, at + size))
              at += size
            }
            pieces.push(...cut(bytes.subarray(at), 1 + (sizes[0] ?? 0)))
            const interruption = (): void => {
              if (!holding) return
              framer.hold()
              run(other, [Buffer.from('93a178018093a17801', 'hex'), Buffer.from('80', 'hex')])
            }
            expect(beforeFatal(run(framer, pieces, interruption))).toEqual(beforeFatal(whole))
          },
        ),
        { numRuns: runs },
      )
    })
  }
})
