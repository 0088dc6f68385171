import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inputOf, kinds, readCorpus } from './run/inputs.ts'
import { minimise } from './run/minimise.ts'
import { fuzz, playAlone } from './run/runner.ts'

/** A short slice of `npm run fuzz`: hostile inputs of every kind, books checked. Other seeds: FUZZ_SEED. */
const seed = Number(process.env.FUZZ_SEED ?? 24224)
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('hostile inputs', () => {
  it.each(kinds)('%s: no crash, and the books close', async (kind) => {
    let left = kind === 'config' ? 100 : 500
    let events = 0
    await fuzz({
      seed,
      stride: 1,
      kind,
      corpusFolder: folder,
      isOver: () => left <= 0,
      report(progress) {
        left -= progress.inputs
        events += progress.events
      },
    })
    // Inputs that are all turned away at once would show nothing.
    if (kind !== 'config') expect(events).toBeGreaterThan(10)
    expect(readdirSync(join(folder, kind)).length).toBeGreaterThan(1)
  })

  it('are the same for the same seed', () => {
    const corpus = readCorpus(folder)
    for (let i = 0; i < 50; i++)
      expect(inputOf(seed + i, corpus)).toEqual(inputOf(seed + i, corpus))
  })

  it('play alone', async () => {
    await playAlone([inputOf(seed, readCorpus(folder))])
  })
})

describe('minimise', () => {
  it('leaves the bytes that matter', async () => {
    const input = { kind: 'forward' as const, bytes: Buffer.from('xxxxAyyyyByyC'), cuts: [3, 5] }
    const fails = async ({ bytes }: { bytes: Buffer }) => /A.*B/.test(bytes.toString('latin1'))
    expect((await minimise(input, fails)).bytes.toString()).toBe('AB')
  })
})
