import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readMessages } from '../../reference/messages.ts'
import { cut, joined, newKernel, now, options, run } from './framing.ts'

const folder = new URL('../../captures/', import.meta.url)
const captures = ['docker', 'fluent-bit'].flatMap((client) =>
  readdirSync(new URL(`${client}/`, folder))
    .filter((name) => name.endsWith('.bin') && !name.includes('json-file'))
    .map((name) => `${client}/${name}`),
)

describe('what real clients sent', () => {
  const kernel = newKernel()

  it.each(captures)('%s: whole and cut', (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)))
    const { outcomes } = readMessages(bytes, { ...options, now })
    const expected = joined(outcomes)
    for (const size of bytes.length > 60_000 ? [65_536, 1001] : [100_000, 1001, 7, 1]) {
      const framer = kernel.createFramer(options)
      expect(run(framer, cut(bytes, size))).toEqual(expected)
      expect(framer.unfinishedBytes).toBe(0)
    }
  })
})
