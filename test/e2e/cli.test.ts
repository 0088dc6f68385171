import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, freePort, listening, type Running, run, until } from './support.ts'

/** The command line as a user meets it: options, exit codes, signals, the log. */

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const call = (
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string } = {},
) => {
  const done = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    encoding: 'utf8',
    input: options.input ?? '',
    env: { ...process.env, TZ: 'UTC', ...options.env },
    timeout: 15_000,
  })
  return { code: done.status, out: done.stdout, log: done.stderr }
}

const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const forward = (port: number | string) =>
  `<source>\n  @type forward\n  bind 127.0.0.1\n  port ${port}\n</source>\n`
const toStdout = '<match **>\n  @type stdout\n</match>\n'

async function start(config: string, args: readonly string[] = []) {
  const port = await freePort()
  const sluice = run({ config: config.replaceAll('@PORT@', String(port)), args })
  await listening(port, sluice)
  return { sluice, port, config: join(sluice.dir, 'fluent.conf') }
}

const logged = (sluice: Running, text: string | RegExp) =>
  until(
    () => `"${text}" in the log:\n${sluice.log()}`,
    () => sluice.log().match(text) !== null,
  )

describe('without running anything', () => {
  it('tells its version and its options', () => {
    expect(call(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^sluice \d+\.\d+\.\d+\n$/),
    })
    expect(call(['--help']).out).toContain('--config')
    expect(call(['cat', '--help']).out).toContain('--time-as-integer')
  })

  it('goes by other names', () => {
    for (const name of ['fluentd', 'fluent-cat']) symlinkSync(cli, join(folder, name))
    const as = (name: string, ...args: string[]) =>
      spawnSync(process.execPath, [join(folder, name), ...args], { encoding: 'utf8' })
    expect(as('fluentd', '--version').stdout).toMatch(/^sluice /)
    expect(as('fluent-cat').stderr).toContain('a tag is missing')
  })

  it('writes its built-in configuration where it is asked to, and never over another', () => {
    const directory = join(folder, 'setup')
    expect(call(['--setup', directory])).toMatchObject({ code: 0 })
    const path = join(directory, 'fluent.conf')
    expect(readFileSync(path, 'utf8')).toContain('@type forward')
    writeFileSync(path, 'mine')
    expect(call(['--setup', directory]).out).toContain('already exists')
    expect(readFileSync(path, 'utf8')).toBe('mine')
  })

  it.each<[string, string[], RegExp]>([
    ['an unknown option', ['--bogus'], /^sluice: unknown option --bogus\nSee sluice --help\.\n$/],
    ['a daemon', ['-d', 'x.pid'], /--daemon is not supported/],
    [
      'a file that is not there',
      ['-c', 'none.conf'],
      /cannot read the configuration file none.conf: there is no such file/,
    ],
    ['a directory', ['-c', '.'], /cannot read the configuration file/],
    [
      'a user that is not there',
      ['--user', 'nobody-of-that-name', '-i', toStdout],
      /cannot change to/,
    ],
  ])('refuses %s', (_, args, expected) => {
    const { code, out, log } = call(args)
    expect(log).toMatch(expected)
    expect({ code, out }).toEqual({ code: 1, out: '' })
  })

  it('shows errors of the configuration with their place', () => {
    const path = file(
      'bad.conf',
      '<source>\n  @type forward\n  port many\n</source>\n<match **>\n  @type stdoot\n</match>\n',
    )
    const { code, log } = call(['-c', path])
    expect(code).toBe(1)
    expect(log).toContain(`${path}:3:`)
    expect(log).toContain('^')
    expect(log).toContain(`${path}:6:`)
    expect(log).toContain('2 errors in the configuration')
  })
})

describe('dry run', () => {
  it('ends well where a start would', async () => {
    const path = file('dry.conf', forward(await freePort()) + toStdout)
    const { code, log, out } = call(['--dry-run', '-c', path])
    expect(log).toContain('dry run: it would start')
    expect({ code, out }).toEqual({ code: 0, out: '' })
  })

  it('finds a port that is taken', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    const port = await new Promise<number>((done) =>
      server.once('listening', () => done((server.address() as net.AddressInfo).port)),
    )
    const path = file('taken.conf', forward(port) + toStdout)
    // The call blocks this process; the port stays taken meanwhile.
    const dry = call(['--dry-run', '-c', path])
    const real = call(['-c', path])
    server.close()
    expect(dry.code).toBe(1)
    expect(dry.log).toContain('address already in use')
    expect(real.code).toBe(1)
    expect(real.log).toContain('address already in use')
  })
})

describe('running', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'prints what sluice cat sends, and ends with 0 on %s',
    async (signal) => {
      const { sluice, port } = await start(forward('@PORT@') + toStdout)
      const sent = call(
        ['cat', 'test.hello', '-p', String(port), '--event-time', '2026-11-20 21:37:15 +0000'],
        {
          input: '{"hello":"world"}\n{"n":1}\n',
        },
      )
      expect(sent).toEqual({ code: 0, out: '', log: '' })
      await until('two lines', () => sluice.lines.length === 2)
      expect(sluice.lines).toEqual([
        '2026-11-20 21:37:15.000000000 +0000 test.hello: {"hello":"world"}',
        '2026-11-20 21:37:15.000000000 +0000 test.hello: {"n":1}',
      ])
      expect(await sluice.stop(signal)).toBe(0)
      expect(sluice.log()).toMatch(
        /\[info\]: #0 stopping because="SIG(TERM|INT)"\n.*\[info\]: #0 stopped\n$/,
      )
    },
  )

  it('logs the configuration, with its secrets masked, unless told otherwise', async () => {
    const config = `${forward('@PORT@')}<match x>\n  @type http\n  endpoint http://127.0.0.1:9/\n  <auth>\n    method basic\n    username u\n    password hunter2\n  </auth>\n</match>\n`
    const shown = await start(config)
    await shown.sluice.stop()
    expect(shown.sluice.log()).toContain('using configuration file')
    expect(shown.sluice.log()).toMatch(/\n {2}<source>\n {4}@type forward\n/)
    expect(shown.sluice.log()).not.toContain('hunter2')
    const hidden = await start(config, [
      '--suppress-config-dump',
      '--no-supervisor',
      '-p',
      '/plugins',
    ])
    await hidden.sluice.stop()
    expect(hidden.sluice.log()).not.toContain('using configuration file')
    expect(hidden.sluice.log()).not.toContain('option --no-supervisor')
    expect(hidden.sluice.log()).toContain('there is no such plugin directory directory="/plugins"')
  })

  it('logs as JSON when <system> says so', async () => {
    const system = '<system>\n  <log>\n    format json\n    time_format %Y\n  </log>\n</system>\n'
    const { sluice } = await start(system + forward('@PORT@') + toStdout)
    await sluice.stop()
    const lines = sluice.log().trim().split('\n')
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        level: 'info',
        time: expect.stringMatching(/^\d{4}$/),
        worker_id: 0,
      })
    }
  })

  it('is quiet when told to be', async () => {
    const { sluice } = await start(forward('@PORT@') + toStdout, ['-q'])
    await sluice.stop()
    expect(sluice.log()).toBe('')
  })

  it('takes its configuration from $FLUENT_CONF', () => {
    const { log } = call(['--dry-run'], { env: { FLUENT_CONF: 'from-the-environment.conf' } })
    expect(log).toContain('from-the-environment.conf')
  })

  it('takes more from the command line', async () => {
    const { sluice } = await start(forward('@PORT@'), ['-i', toStdout])
    expect(await sluice.stop()).toBe(0)
    expect(sluice.log()).toContain('@type stdout')
  })
})

describe('signals', () => {
  it('a second TERM does not wait for an output that hangs', async () => {
    const silent = net.createServer().listen(0, '127.0.0.1')
    await new Promise((done) => silent.once('listening', done))
    const { port: sink } = silent.address() as net.AddressInfo
    const { sluice, port } = await start(
      `${forward('@PORT@')}<match **>\n  @type http\n  endpoint http://127.0.0.1:${sink}/\n</match>\n`,
    )
    expect(call(['cat', 'a', '-p', String(port)], { input: '{}' }).code).toBe(0)
    sluice.child.kill('SIGTERM')
    await logged(sluice, 'stopping because="SIGTERM"')
    sluice.child.kill('SIGTERM')
    const began = Date.now()
    expect(await sluice.exited).toBe(0)
    expect(Date.now() - began).toBeLessThan(5_000)
    expect(sluice.log()).toContain('stopping at once: what is not delivered is lost')
    silent.close()
  })

  it('HUP takes a new configuration; a wrong one leaves the old', async () => {
    const { sluice, port, config } = await start(forward('@PORT@') + toStdout)
    const text = readFileSync(config, 'utf8')
    writeFileSync(config, text.replace('stdout', 'nonsense'))
    sluice.child.kill('SIGHUP')
    await logged(sluice, 'the old configuration stays')
    await listening(port, sluice)
    const other = await freePort()
    writeFileSync(config, text.replace(String(port), String(other)))
    sluice.child.kill('SIGHUP')
    await logged(sluice, 'the new configuration is in place')
    await listening(other, sluice)
    expect(await sluice.stop()).toBe(0)
  })

  it('USR1 opens the log file anew', async () => {
    const path = join(folder, 'reopened.log')
    const { sluice } = await start(forward('@PORT@') + toStdout, ['-o', path])
    expect(sluice.log()).toBe('')
    renameSync(path, `${path}.1`)
    sluice.child.kill('SIGUSR1')
    await until(
      'a new file',
      () => existsSync(path) && readFileSync(path, 'utf8').includes('flushing'),
    )
    expect(readFileSync(`${path}.1`, 'utf8')).toContain('starting sluice')
    expect(await sluice.stop()).toBe(0)
  })

  it('CONT writes down the internal state, for its owner only', async () => {
    const { sluice } = await start(forward('@PORT@') + toStdout)
    const path = join(tmpdir(), `sluice-sigdump-${sluice.child.pid}.txt`)
    for (const times of [1, 2]) {
      sluice.child.kill('SIGCONT')
      await until(
        'a message',
        () => sluice.log().split('internal state is dumped').length === times + 1,
      )
    }
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toContain('"plugin_category":"input"')
    rmSync(path)
    expect(await sluice.stop()).toBe(0)
  })
})

it('sluice cat gives up with 1 and one line a try', async () => {
  const port = await freePort()
  const { code, log } = call(['cat', 'a', '-p', String(port), '--retry-limit', '0'], {
    input: '{}',
  })
  expect(code).toBe(1)
  expect(log).toMatch(/^sluice cat: cannot connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED.*\n$/)
})
