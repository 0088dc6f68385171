import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { notBuilt, onPurpose } from './differences.ts'

/**
 * Plays the corpus recorded from Fluentd 1.19.3 (README.md beside this file) against the built command, and holds
 * the result against the list of differences: everything else passes, and what is listed still differs.
 */

const cases = readdirSync('test/golden/cases').sort()
const results = new Map<string, string>()

function play(): Promise<void> {
  // As Fluentd was recorded: only a worker that is supervised has a worker_id.
  const receiver = `${process.execPath} ${resolve('dist/cli.js')} -c {conf} --no-supervisor`
  const args = ['test/golden/run.mjs', '--receiver', receiver, '--jobs', '3', '--retry', '1']
  const child = spawn(process.execPath, [...args, 'test/golden/cases'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const match = /^(pass|FAIL) ([^\s:]+):?\s*(.*)$/.exec(line)
      if (match) results.set(match[2]!, match[1] === 'pass' ? 'pass' : match[3]!)
    }
  })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', () => done())
  })
}

describe('golden cases', () => {
  beforeAll(play, 12 * 60_000)

  it.each(cases.filter((name) => !(name in onPurpose) && !(name in notBuilt)))('%s', (name) => {
    expect(results.get(name)).toBe('pass')
  })

  it.each(Object.entries(onPurpose))('%s differs on purpose: %s', (name) => {
    expect(results.get(name)).not.toBe('pass')
  })

  it.each(Object.entries(notBuilt))('%s is not built yet: %s', (name) => {
    expect(results.get(name)).not.toBe('pass')
  })
})
