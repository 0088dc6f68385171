import { execFile } from 'node:child_process'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { encode } from '../../src/msgpack/encode.ts'
import { cli, exchange, freePort, listening, run, until } from './support.ts'

/** `sluice buffer` beside a server that runs: what was refused is seen, sent again, and arrives at the next flush. */

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function sluice(...args: readonly string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(process.execPath, [cli, ...args], (error, out, err) =>
      done({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

it('shows what a destination refused, and sends it again', async () => {
  const bodies: string[] = []
  let status = 400
  const destination = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      if (status === 200) bodies.push(body)
      response.writeHead(status).end('no such field')
    })
  })
  await new Promise<void>((done) => destination.listen(0, '127.0.0.1', done))
  const port = await freePort()
  const running = run({
    config: `<system>
root_dir @DIR@/root
</system>
<source>
@type forward
bind 127.0.0.1
port ${port}
</source>
<match app.**>
@type http
@id api
endpoint http://127.0.0.1:${(destination.address() as AddressInfo).port}/
<buffer tag>
@type file
flush_mode immediate
</buffer>
</match>
`,
  })
  const config = join(running.dir, 'fluent.conf')
  const list = async () => {
    const { out } = await sluice('buffer', 'ls', '-c', config, '--json')
    const lines = out.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  try {
    await listening(port, running)
    await exchange(port, encode(['app.web', 1_700_000_000, new Map([['n', 1]])]))
    const kept = await until('the backup', async () => {
      const found = await list()
      return found[0]?.state === 'backup' && found[0].reason !== null && found[0]
    })
    expect(kept).toMatchObject({ output: 'api', events: 1, tag: 'app.web' })
    expect(kept.reason).toBe('400 no such field (http_400)')

    const shown = await sluice('buffer', 'inspect', '-c', config, String(kept.id))
    expect(shown.out.trimEnd().split('\n').at(-1)).toBe('  {"n":1}')
    const refused = await sluice('buffer', 'replay', '-c', config, 'ffff')
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain('there is no chunk "ffff"')
    expect(refused.err).toContain('See sluice buffer --help.')

    status = 200
    const replayed = await sluice('buffer', 'replay', '-c', config, '--all')
    expect(replayed).toMatchObject({ code: 0, err: '' })
    expect(await list()).toMatchObject([{ state: 'queued', id: kept.id, tag: 'app.web' }])
    running.child.kill('SIGUSR1')
    await until('the event at its destination', () => bodies.length > 0)
    expect(bodies).toEqual(['{"n":1}\n'])
    await until('an empty buffer', async () => (await list()).length === 0)
  } finally {
    await running.stop()
    destination.close()
  }
})
