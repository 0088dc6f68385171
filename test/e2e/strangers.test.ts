import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, statSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, freePort, listening, type Running, run, until } from './support.ts'

/** Who is let in, by the built command and its own client: keys, users, addresses, permissions of sockets. */

const isRoot = process.getuid?.() === 0
const nobody = 65_534

const sections = {
  keys: 'shared_key new\nadditional_shared_keys ["old"]',
  users:
    'shared_key key\nuser_auth true\n<user>\nusername alice\npassword wonder\n</user>\n<user>\nusername bob\npassword builder\n</user>',
  nobody: 'shared_key key\nallow_anonymous_source false\n<client>\nnetwork 192.0.2.0/24\n</client>',
  client:
    'shared_key key\nuser_auth true\nallow_anonymous_source false\n<user>\nusername alice\npassword wonder\n</user>\n<user>\nusername bob\npassword builder\n</user>\n<client>\nnetwork 127.0.0.0/8\nshared_key own\nusers ["alice"]\n</client>',
}

const ports: Record<string, number> = {}
let sluice: Running

beforeAll(async () => {
  for (const name of [...Object.keys(sections), 'allowed']) ports[name] = await freePort()
  const secured = Object.entries(sections).map(
    ([name, lines]) =>
      `<source>\n@type forward\nbind 127.0.0.1\nport ${ports[name]}\n<security>\nself_hostname here\n${lines}\n</security>\n</source>\n`,
  )
  const owner = isRoot ? 'unix_owner nobody\nunix_group nogroup' : ''
  sluice = run({
    config: `${secured.join('')}
<source>\n@type forward\nbind 0.0.0.0\nport ${ports.allowed}\nallow_from 127.0.0.2/31, ::1\n</source>
<source>\n@type unix\npath @DIR@/plain.sock\n</source>
<source>\n@type unix\npath @DIR@/all.sock\nunix_mode 0666\n</source>
<source>\n@type unix\npath @DIR@/owned.sock\nunix_mode 0660\n${owner}\n</source>
<match **>\n@type stdout\n</match>\n`,
  })
  chmodSync(sluice.dir, 0o755)
  for (const name of Object.keys(sections)) await listening(ports[name] as number, sluice)
})

afterAll(async () => {
  expect(await sluice.stop()).toBe(0)
})

/** Sends an event by `sluice cat`; the code it ends with. */
function cat(port: number, ...options: string[]): Promise<number | null> {
  const args = ['cat', 'a.b', '--port', String(port), '--host', '127.0.0.1', '--retry-limit', '0']
  const child = spawn(process.execPath, [cli, ...args, ...options], { stdio: 'pipe' })
  child.stdin.end('{"n":1}\n')
  return new Promise((resolve) => child.once('close', resolve))
}

describe('<security>', () => {
  it.each<[keyof typeof sections, string, string[], boolean]>([
    ['keys', 'the new key', ['--shared-key', 'new'], true],
    ['keys', 'the old key', ['--shared-key', 'old'], true],
    ['keys', 'another key', ['--shared-key', 'key'], false],
    [
      'users',
      'a user',
      ['--shared-key', 'key', '--username', 'bob', '--password', 'builder'],
      true,
    ],
    [
      'users',
      'the password of another',
      ['--shared-key', 'key', '--username', 'bob', '--password', 'wonder'],
      false,
    ],
    ['users', 'nobody', ['--shared-key', 'key'], false],
    [
      'users',
      'a user without the key',
      ['--shared-key', 'x', '--username', 'bob', '--password', 'builder'],
      false,
    ],
    ['nobody', 'an address that is not named', ['--shared-key', 'key'], false],
    [
      'client',
      'its own key and user',
      ['--shared-key', 'own', '--username', 'alice', '--password', 'wonder'],
      true,
    ],
    [
      'client',
      "everybody's key",
      ['--shared-key', 'key', '--username', 'alice', '--password', 'wonder'],
      false,
    ],
    [
      'client',
      'a user of others',
      ['--shared-key', 'own', '--username', 'bob', '--password', 'builder'],
      false,
    ],
  ])('%s: %s', async (section, _who, options, lets) => {
    const before = sluice.lines.length
    const code = await cat(ports[section] as number, ...options)
    expect(code === 0).toBe(lets)
    if (lets) await until('the event', () => sluice.lines.length === before + 1)
    else expect(sluice.lines.length).toBe(before)
  })
})

/** What becomes of a connection that sends an event and waits for the ack. */
function ack(place: net.NetConnectOpts): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(place, () => socket.write('["t",1700000000,{"n":1},{"chunk":"x"}]'))
    socket.once('data', () => {
      resolve('taken')
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    socket.once('close', () => resolve('closed'))
  })
}

it.each([
  ['127.0.0.1', 'ECONNRESET'],
  ['127.0.0.2', 'taken'],
  ['127.0.0.3', 'taken'],
  ['127.0.0.4', 'ECONNRESET'],
])('allow_from: %s is %s', async (localAddress, what) => {
  expect(await ack({ port: ports.allowed as number, host: '127.0.0.1', localAddress })).toBe(what)
})

describe('unix sockets', () => {
  const file = (name: string) => join(sluice.dir, `${name}.sock`)

  it('have the mode and the owner that they are given', () => {
    expect(statSync(file('all')).mode & 0o777).toBe(0o666)
    const owned = statSync(file('owned'))
    expect(owned.mode & 0o777).toBe(0o660)
    if (isRoot) expect(owned.uid).toBe(nobody)
    // Without unix_mode nobody else may write, which is what connecting needs.
    expect(statSync(file('plain')).mode & 0o022).toBe(0)
  })

  it('take events', async () => {
    for (const name of ['plain', 'all', 'owned']) {
      expect(await ack({ path: file(name) })).toBe('taken')
    }
  })

  it.skipIf(!isRoot)('let in who may, and nobody else', () => {
    const connects = (name: string, uid: number) => {
      const script = `require('net').connect(${JSON.stringify(file(name))}).on('connect',()=>process.exit(0)).on('error',(e)=>{console.log(e.code);process.exit(1)})`
      const { status, stdout } = spawnSync(process.execPath, ['-e', script], {
        uid,
        gid: uid,
        cwd: '/',
      })
      return status === 0 ? 'let in' : String(stdout).trim()
    }
    expect(connects('plain', nobody)).toBe('EACCES')
    expect(connects('all', nobody)).toBe('let in')
    expect(connects('owned', nobody)).toBe('let in')
    expect(connects('owned', 1234)).toBe('EACCES')
  })
})
