import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { forwardOn, freePort, listening, type Running, run, until } from './support.ts'

/** What `<system>` does to the process, seen from outside. */

let running: Running | undefined
afterEach(async () => {
  await running?.stop('SIGKILL')
})

async function started(system: string): Promise<Running> {
  const port = await freePort()
  running = run({
    config: `<system>\n${system}\n</system>
${forwardOn(port)}
<match **>
  @type null
</match>`,
  })
  await listening(port, running)
  return running
}

it.runIf(existsSync('/proc/self/cmdline'))(
  'process_name is what lists of processes show',
  async () => {
    const { child } = await started('process_name tidings')
    const shown = readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').replace(/\0.*/s, '')
    expect(shown).toBe('worker:tidings')
    if (existsSync('/bin/ps')) {
      const listed = execFileSync('/bin/ps', ['-o', 'args=', '-p', String(child.pid)]).toString()
      expect(listed.trim()).toBe('worker:tidings')
    }
  },
)

it('<log> rotate_age 3 and rotate_size keep two files beside the one that is written', async () => {
  const { child, dir } = await started(
    '<log>\npath @DIR@/log/own.log\nrotate_age 3\nrotate_size 2k\n</log>',
  )
  const files = () => readdirSync(join(dir, 'log')).sort()
  expect(files()).toEqual(['own.log'])
  // Each flush is a line of the log.
  const flush = () => void child.kill('SIGUSR1')
  await until('three files', () => {
    flush()
    return files().length === 3
  })
  const oldest = () => statSync(join(dir, 'log', 'own.log.1')).ino
  const first = oldest()
  await until('the oldest to be another one', () => {
    flush()
    return oldest() !== first
  })
  expect(files()).toEqual(['own.log', 'own.log.0', 'own.log.1'])
  for (const name of files()) expect(statSync(join(dir, 'log', name)).size).toBeLessThan(4_000)
}, 30_000)
