import { describe, expect, it } from 'vitest'
import { createFrameReader, framedStdout } from '../../../src/host/stdout-frames.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const bytes = (value: string) => Buffer.from(value)

function framed(...writes: string[]): Buffer {
  const parts: Uint8Array[] = []
  const stdout = framedStdout({
    write: (piece) => void parts.push(piece.slice()),
    drain: async () => true,
  })
  for (const each of writes) void stdout.write(bytes(each))
  return Buffer.concat(parts)
}

describe('frames of standard output', () => {
  it('have their length before them', () => {
    expect(framed('ab\n').toString('hex')).toBe('0000000361620a')
  })

  it.each([1, 2, 3, 5, 7, 100])('come out whole, whatever the pieces (%i bytes)', (size) => {
    const sent = framed('one\n', '', 'two\nthree\n', 'x'.repeat(40))
    const seen: string[] = []
    const reader = createFrameReader({ write: (piece) => void seen.push(text(piece)) })
    for (let at = 0; at < sent.length; at += size) reader.push(sent.subarray(at, at + size))
    expect(seen.join('')).toBe(`one\ntwo\nthree\n${'x'.repeat(40)}`)
  })

  it('of two workers never mix, however their bytes arrive', () => {
    const out: string[] = []
    const stdout = { write: (piece: Uint8Array) => void out.push(text(piece)) }
    const a = createFrameReader(stdout)
    const b = createFrameReader(stdout)
    const [ofA, ofB] = [framed('a'.repeat(9).concat('\n')), framed('b'.repeat(9).concat('\n'))]
    for (let at = 0; at < ofA.length; at++) {
      a.push(ofA.subarray(at, at + 1))
      b.push(ofB.subarray(at, at + 1))
    }
    expect(out.join('')).toBe('aaaaaaaaa\nbbbbbbbbb\n')
  })

  it('of a worker that died inside one: its whole lines are passed on', () => {
    const out: string[] = []
    const reader = createFrameReader({ write: (piece) => void out.push(text(piece)) })
    reader.push(framed('one\ntwo\nthree\n').subarray(0, 14))
    reader.end()
    expect(out.join('')).toBe('one\ntwo\n')
  })

  it('hand on what pushes back', async () => {
    const reader = createFrameReader({ write: () => Promise.resolve() })
    const sent = framed('x\n')
    expect(reader.push(sent.subarray(0, 3))).toBeUndefined()
    await expect(reader.push(sent.subarray(3))).resolves.toBeUndefined()
  })
})
