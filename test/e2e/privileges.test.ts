import { chmodSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { exchange, forwardOn, freePort, listening, type Running, run, until } from './support.ts'

/** --user and --group: what a process started by root has left. Needs root. */
const isRoot = process.getuid?.() === 0
const nobody = 65534

let running: Running | undefined
afterEach(async () => {
  await running?.stop('SIGKILL')
})

function statusOf(one: Running): Record<string, string> {
  const text = readFileSync(`/proc/${one.child.pid}/status`, 'utf8')
  const lines = text.split('\n').map((line) => line.split(':\t') as [string, string])
  return Object.fromEntries(lines)
}

async function start(args: string[]) {
  const port = await freePort()
  const config = `${forwardOn(port)}
<match **>
  @type stdout
</match>
`
  running = run({ config, args, cwd: '/' })
  // The configuration is read by the user it becomes, too.
  chmodSync(running.dir, 0o755)
  await listening(port, running)
  return { running, port }
}

describe.skipIf(!isRoot)('a process that root starts', () => {
  it.each([
    ['--user alone: its own group too', ['--user', 'nobody'], nobody],
    ['--user and --group', ['--user', 'nobody', '--group', 'nogroup'], nobody],
    ['numbers', ['--user', '65534', '--group', '65534'], nobody],
  ])('%s', async (_name, args, gid) => {
    const { running, port } = await start(args)
    const status = statusOf(running)
    expect(status.Uid?.split('\t')).toEqual(Array(4).fill(String(nobody)))
    expect(status.Gid?.split('\t')).toEqual(Array(4).fill(String(gid)))
    expect(status.Groups?.trim().split(' ')).toEqual([String(gid)])
    // Nothing that root may do is left: neither now nor to be had again.
    expect(status.CapEff).toMatch(/^0+$/)
    expect(status.CapPrm).toMatch(/^0+$/)
    await exchange(port, Buffer.from('["a",1700000000,{"n":1}]'))
    await until('the event', () => running.lines.length === 1)
  })

  it('--umask 077', async () => {
    const { running } = await start(['--umask', '077', '--user', 'nobody'])
    expect(statusOf(running).Umask).toBe('0077')
  })
})
