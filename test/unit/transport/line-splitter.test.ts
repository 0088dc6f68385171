import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from '../../../src/transport/line-splitter.ts'

/** Lines and losses as they come out of the pieces: `line …`, `lost BYTES head`. */
function play(pieces: readonly Uint8Array[], delimiter: string, limitBytes: number) {
  const out: string[] = []
  const splitter = new LineSplitter(Buffer.from(delimiter), limitBytes, {
    line: (bytes) => out.push(`line ${Buffer.from(bytes).toString('latin1')}`),
    tooLong: (bytes, head) => out.push(`lost ${bytes} ${Buffer.from(head).toString('latin1')}`),
  })
  let mostHeld = 0
  for (const piece of pieces) {
    // What is handed in is only lent.
    const lent = Buffer.from(piece)
    splitter.feed(lent)
    lent.fill(0)
    mostHeld = Math.max(mostHeld, splitter.heldBytes)
  }
  return { out, mostHeld, unfinished: splitter.unfinished }
}

/** The same, plainly, of the whole stream. */
function reference(bytes: Buffer, delimiter: string, limitBytes: number) {
  const parts = bytes.toString('latin1').split(delimiter)
  const rest = parts.pop() ?? ''
  const out = parts.map((part) =>
    part.length > limitBytes
      ? `lost ${part.length} ${part.slice(0, Math.min(32, limitBytes))}`
      : `line ${part}`,
  )
  return { out, unfinished: rest !== '' }
}

const streams = fc
  .array(fc.constantFrom('a', 'b', 'é', '\r', '\n', '--', 'x'.repeat(40)), { maxLength: 60 })
  .map((parts) => Buffer.from(parts.join('')))

describe('a stream cut into lines', () => {
  it.each(['\n', '\r\n', '--', 'abab'])(
    'at %j equals the plain way, however it comes',
    (delimiter) => {
      fc.assert(
        fc.property(
          streams,
          fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
          fc.constantFrom(5, 40, 1000),
          (bytes, sizes, limitBytes) => {
            const pieces: Uint8Array[] = []
            for (let at = 0, i = 0; at < bytes.length; i++) {
              const size = sizes[i % sizes.length]!
              pieces.push(bytes.subarray(at, at + size))
              at += size
            }
            const expected = reference(bytes, delimiter, limitBytes)
            const { out, mostHeld, unfinished } = play(pieces, delimiter, limitBytes)
            expect(out).toEqual(expected.out)
            expect(unfinished).toBe(expected.unfinished)
            expect(mostHeld).toBeLessThanOrEqual(limitBytes + delimiter.length)
          },
        ),
      )
    },
  )

  it('keeps nothing of a line that will be left out', () => {
    const pieces = Array.from({ length: 1000 }, () => Buffer.alloc(1000, 'x'))
    const { out, mostHeld } = play([...pieces, Buffer.from('\nnext\n')], '\n', 4096)
    expect(out).toEqual([`lost 1000000 ${'x'.repeat(32)}`, 'line next'])
    expect(mostHeld).toBeLessThanOrEqual(4097)
  })
})
