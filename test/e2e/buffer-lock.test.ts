import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { encode } from '../../src/msgpack/encode.ts'
import { cli, exchange, freePort, listening, run, until } from './support.ts'

/** Two processes that are given one buffer directory. */

it('a buffer directory has one process: the second does not start, a dead one is followed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-buffer-lock-'))
  const buffer = join(dir, 'buffer')
  const start = (port: number) =>
    run({
      config: `<source>
@type forward
bind 127.0.0.1
port ${port}
</source>
<match **>
@type stdout
@id out
<buffer tag>
@type file
path ${buffer}
flush_mode lazy
</buffer>
</match>
`,
    })
  const ports = [await freePort(), await freePort(), await freePort()] as const
  const first = start(ports[0])
  const all = [first]
  try {
    await listening(ports[0], first)
    await exchange(ports[0], encode(['app.web', 1_700_000_000, new Map([['n', 1]])]))
    const chunk = await until('a chunk', () =>
      readdirSync(buffer).find((name) => name.endsWith('.log')),
    )

    const second = start(ports[1])
    all.push(second)
    expect(await second.exited).toBe(1)
    expect(second.log()).toContain(
      `the buffer directory ${buffer} is in use by the process ${first.child.pid}: stop it`,
    )

    const dropped = await new Promise<string>((done) => {
      const args = [cli, 'buffer', 'drop', '--yes', '-d', buffer, join(buffer, chunk)]
      execFile(process.execPath, args, (_error, _out, said) => done(said))
    })
    expect(dropped).toContain(`Sluice is about to deliver it (process ${first.child.pid})`)

    first.child.kill('SIGUSR2')
    await until('the reload', () => first.log().includes('the new configuration is in place'))
    await exchange(ports[0], encode(['app.web', 1_700_000_000, new Map([['n', 2]])]))

    expect(await first.stop('SIGKILL')).toBe('SIGKILL')
    const third = start(ports[2])
    all.push(third)
    await listening(ports[2], third)
    third.child.kill('SIGUSR1')
    await until('both events', () => third.lines.length === 2)
    expect(await third.stop()).toBe(0)
    expect(readdirSync(buffer)).toEqual([])
  } finally {
    for (const running of all) if (running.child.exitCode === null) await running.stop('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
})
