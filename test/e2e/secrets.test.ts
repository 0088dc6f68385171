import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cli, freePort, listening, type Running, run, until } from './support.ts'

/** A run full of secrets: whatever it says, to whomever, by whatever way, none of them is in it. */

const marker = /S3CR\w*/g
let running: Running | undefined
afterEach(async () => {
  await running?.stop('SIGKILL')
  running = undefined
})

interface Ports {
  readonly forward: number
  readonly monitor: number
  readonly metrics: number
  readonly rpc: number
}

function configOf({ forward, monitor, metrics, rpc }: Ports): string {
  return `
<system>
  rpc_endpoint 127.0.0.1:${rpc}
  rpc_token S3CR01
  enable_get_dump true
  log_level trace
</system>
@include more.conf
<source>
  @type forward
  bind 127.0.0.1
  port ${forward}
  <security>
    self_hostname h
    shared_key S3CR02
    additional_shared_keys ["S3CR03", "S3CR04"]
    user_auth true
    <user>
      username u
      password S3CR05
    </user>
    <client>
      host 127.0.0.1
      shared_key "S3CR06"
    </client>
  </security>
</source>
<source>
  @type monitor_agent
  port ${monitor}
  include_config true
  include_retry true
  include_debug_info true
</source>
<source>
  @type prometheus
  bind 127.0.0.1
  port ${metrics}
</source>
<match web.**>
  @type http
  endpoint http://user:S3CR07@127.0.0.1:1/in
  headers {"Authorization": "Bearer S3CR08", "X-Api-Key": "S3CR09"}
  proxy http://proxy:S3CR10@127.0.0.1:1
  tls_private_key_passphrase S3CR11
  <auth>
    method basic
    username u
    password "#{ENV['HIDDEN']}"
  </auth>
  <buffer []>
    flush_mode immediate
    retry_max_times 1
  </buffer>
</match>
<match **>
  @type forward
  transport tcp
  tls_client_private_key_passphrase S3CR13
  <security>
    self_hostname h
    shared_key S3CR14
  </security>
  <server>
    host 127.0.0.1
    port 1
    shared_key S3CR15
    username u
    password S3CR16
  </server>
  <buffer tag>
    flush_mode immediate
    retry_max_times 1
  </buffer>
</match>
`
}

const more = `
<match other.**>
  @type http
  endpoint https://only:S3CR17@127.0.0.1:1/
  api_key S3CR18
  token S3CR19
  <buffer []>
  </buffer>
</match>
`
const env = { HIDDEN: 'S3CR12' }

async function ports(): Promise<Ports> {
  const [forward, monitor, metrics, rpc] = await Promise.all([1, 2, 3, 4].map(freePort))
  return { forward: forward!, monitor: monitor!, metrics: metrics!, rpc: rpc! }
}

/** What the address answers, headers included. */
async function answerOf(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers })
  const all = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  return `${response.status}\n${all}\n${await response.text()}`
}

function secretsIn(text: string): string[] {
  return [...new Set(text.match(marker) ?? [])].sort()
}

describe('a run full of secrets', () => {
  it('says none of them in its log, dumps, metrics and answers', { timeout: 40_000 }, async () => {
    const at = await ports()
    running = run({ config: configOf(at), files: { 'more.conf': more }, env, args: ['-vv'] })
    await listening(at.monitor, running)
    await listening(at.forward, running)
    // A client that knows nothing, and one that talks nonsense.
    for (const bytes of ['c0', '93a177ce6553f10081a16b01']) {
      const socket = net.connect(at.forward, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.end(Buffer.from(bytes, 'hex'))
    }
    running.child.kill('SIGCONT')
    running.child.kill('SIGUSR1')
    const said: string[] = []
    const monitor = `http://127.0.0.1:${at.monitor}`
    for (const path of ['plugins', 'plugins.json', 'config', 'config.json', 'none']) {
      said.push(await answerOf(`${monitor}/api/${path}?debug=1&with_config=yes&with_ivars=params`))
    }
    said.push(await answerOf(`http://127.0.0.1:${at.metrics}/metrics`))
    said.push(await answerOf(`http://127.0.0.1:${at.metrics}/aggregated_metrics`))
    const rpc = `http://127.0.0.1:${at.rpc}/api`
    const authorization = { authorization: 'Bearer S3CR01' }
    const refused = await answerOf(`${rpc}/config.getDump`)
    expect(refused).toMatch(/^401/)
    const dump = await answerOf(`${rpc}/config.getDump`, authorization)
    expect(dump).toMatch(/^200/)
    said.push(refused, dump, await answerOf(`${rpc}/config.dump`, authorization))
    expect(said.every((text) => text.length > 20)).toBe(true)
    // A configuration that is wrong where its secrets stand: the lines shown must not show them.
    const broken = configOf(at)
      .replace('shared_key S3CR02', 'shared_key S3CR02\n    shared_keyy S3CR20')
      .replace('password S3CR05', 'password S3CR05\n      passwort')
    writeFileSync(join(running.dir, 'fluent.conf'), broken)
    running.child.kill('SIGUSR2')
    const { log } = running
    await until('the reload to be refused', () => /reload|configuration/i.test(log()))
    await answerOf(`${rpc}/config.reload`, authorization)
    await new Promise((done) => setTimeout(done, 500))
    said.push(running.log(), running.lines.join('\n'))
    await running.stop()
    said.push(running.log())
    running = undefined
    expect(secretsIn(said.join('\n'))).toEqual([])
  })

  it.each([['--dry-run'], ['--show-plugin-config=output:http'], ['--dry-run', '-vv']])(
    'says none of them with %s %s',
    async (...args) => {
      const at = await ports()
      const one = run({
        config: configOf(at),
        files: { 'more.conf': more },
        env,
        args: args.filter(Boolean),
      })
      await one.exited
      expect(one.log().length + one.lines.join('').length).toBeGreaterThan(100)
      expect(secretsIn(one.log() + one.lines.join('\n'))).toEqual([])
    },
  )

  it('the marker would be found', () => {
    expect(secretsIn(configOf({ forward: 1, monitor: 2, metrics: 3, rpc: 4 })).length).toBe(15)
    expect(execFileSync(process.execPath, [cli, '--version']).toString()).toContain('sluice')
  })
})
