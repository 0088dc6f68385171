import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** A short slice of `npm run faults`, whose figures of time are those of a machine that does other things meanwhile. */
const slice = [
  'kill -9 under load, file',
  'disk full, output',
  'SIGTERM',
  'broken payloads',
  '5,000',
  'flood',
]

function faults(rows: string): Promise<{ code: number; text: string }> {
  const args = ['test/faults/main.mjs', '--quick', '--slack', '20', '--rows', rows]
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr })
    })
  })
}

describe('faults, seen from outside', () => {
  for (const rows of slice) {
    it(rows, { timeout: 60_000 }, async (context) => {
      const { code, text } = await faults(rows)
      const skipped = /skipped: (.*)/.exec(text)?.[1]
      if (skipped !== undefined) context.skip(skipped)
      expect(code, text).toBe(0)
    })
  }
})
