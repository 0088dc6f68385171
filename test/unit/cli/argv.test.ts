import { describe, expect, it } from 'vitest'
import { parseArguments, type RunCommand } from '../../../src/cli/argv.ts'
import { helpText } from '../../../src/cli/help.ts'
import { catOptions, runOptions } from '../../../src/cli/options.ts'

const run = (...args: string[]) => parseArguments('sluice', args) as RunCommand

describe('running', () => {
  it('needs no arguments', () => {
    expect(run()).toEqual({
      kind: 'run',
      configPath: undefined,
      configType: 'auto',
      inlineConfig: undefined,
      dryRun: false,
      strictConfigValue: false,
      suppressConfigDump: false,
      withoutSource: false,
      withSourceOnly: false,
      workers: undefined,
      alone: false,
      disableSharedSocket: false,
      pluginDirectories: [],
      modules: [],
      emitErrorLogInterval: undefined,
      user: undefined,
      group: undefined,
      umask: undefined,
      logPath: undefined,
      logRotateAge: undefined,
      logRotateSizeBytes: undefined,
      logLevel: undefined,
      notices: [],
    })
  })

  const cases: [string[], Partial<RunCommand>][] = [
    [['-c', '/a b.conf'], { configPath: '/a b.conf' }],
    [['-c/a.conf'], { configPath: '/a.conf' }],
    [['--no-supervisor'], { alone: true }],
    [['--with-source-only'], { withSourceOnly: true }],
    [['-p', '/plugins', '--plugin=/more'], { pluginDirectories: ['/plugins', '/more'] }],
    [['-r', 'json', '-r', './x.js'], { modules: ['json', './x.js'] }],
    [['--emit-error-log-interval', '5'], { emitErrorLogInterval: 5 }],
    [['--disable-shared-socket'], { disableSharedSocket: true }],
    [['--config=/a.conf'], { configPath: '/a.conf' }],
    [['--config', '-odd.conf'], { configPath: '-odd.conf' }],
    [['-c', 'a', '-c', 'b'], { configPath: 'b' }],
    [['-c', '01'], { configPath: '01' }],
    [['-vc', 'a'], { configPath: 'a', logLevel: 'debug' }],
    [['-v'], { logLevel: 'debug' }],
    [['-vv'], { logLevel: 'trace' }],
    [['-vvvv'], { logLevel: 'trace' }],
    [['-v', '-v'], { logLevel: 'trace' }],
    [['--verbose'], { logLevel: 'debug' }],
    [['-q'], { logLevel: 'warn' }],
    [['-qq'], { logLevel: 'error' }],
    [['-qqq'], { logLevel: 'error' }],
    [['-i', '-x'], { inlineConfig: '-x' }],
    [
      ['-i', '<match **>\n@type null\n</match>'],
      { inlineConfig: '<match **>\n@type null\n</match>' },
    ],
    [['--dry-run'], { dryRun: true }],
    [['--workers', '4'], { workers: 4 }],
    [['--umask', '027'], { umask: 0o27 }],
    [['-o', '/l', '--log-rotate-age', '5'], { logPath: '/l', logRotateAge: 5 }],
    [['--log-rotate-age=weekly'], { logRotateAge: 'weekly' }],
    [['--log-rotate-size', '1000'], { logRotateSizeBytes: 1000 }],
    [['--config-file-type', 'yml'], { configType: 'yaml' }],
    [['--config-file-type', 'guess'], { configType: 'auto' }],
    [['--user', 'u', '--group', 'g'], { user: 'u', group: 'g' }],
    [['--suppress-config-dump'], { suppressConfigDump: true }],
    [
      ['--strict-config-value', '--without-source'],
      { strictConfigValue: true, withoutSource: true },
    ],
  ]
  it.each(cases)('%j', (args, expected) => {
    expect(run(...args)).toMatchObject({ ...expected, notices: [] })
  })

  it.each([
    [['-I', '/lib'], 'include'],
    [['--use-v1-config'], 'use-v1-config'],
    [['--suppress-repeated-stacktrace'], 'suppress-repeated-stacktrace'],
    [['--suppress-repeated-stacktrace', 'true'], 'suppress-repeated-stacktrace'],
  ])('%j is accepted with a word', (args, name) => {
    expect(run(...args).notices).toEqual([
      expect.stringMatching(new RegExp(`^option --${name} has no effect: .{10}`)),
    ])
  })

  it.each([
    [['-d', '/run/x.pid'], '--daemon is not supported'],
    [['--use-v0-config'], '--use-v0-config is not supported'],
    [['--nonsense'], 'unknown option --nonsense'],
    [['-Z'], 'unknown option -Z'],
    [['--no-dry-run'], 'unknown option --no-dry-run'],
    [['--__proto__', 'x'], 'unknown option'],
    [['file.conf'], 'unexpected argument "file.conf"'],
    [['-c'], 'Not enough arguments following: '],
    [['--workers', '0'], '--workers expects'],
    [['--workers', '2x'], '--workers expects'],
    [['--umask', '9'], '--umask expects'],
    [['--log-rotate-age', 'yearly'], '--log-rotate-age expects'],
    [['--log-rotate-size', '1k'], '--log-rotate-size expects'],
    [['--config-file-type', 'toml'], '--config-file-type expects'],
  ])('%j is refused', (args, message) => {
    expect(() => run(...args)).toThrow(message)
  })
})

describe('other commands', () => {
  it.each([
    [['--version'], { kind: 'version' }],
    [['--help'], { kind: 'help', of: 'run' }],
    [['-h'], { kind: 'help', of: 'run' }],
    [['-s'], { kind: 'setup', directory: '/etc/fluent' }],
    [['--setup', '/x'], { kind: 'setup', directory: '/x' }],
    [['cat', '--help'], { kind: 'help', of: 'cat' }],
  ])('%j', (args, expected) => {
    expect(parseArguments('sluice', args)).toEqual(expected)
  })

  const defaults = {
    kind: 'cat',
    tag: 'a.b',
    host: '127.0.0.1',
    port: 24224,
    socketPath: undefined,
    format: 'json',
    messageKey: 'message',
    timeAsInteger: false,
    retryLimit: 5,
    eventTime: undefined,
  }
  it.each([
    [['a.b'], {}],
    [['--none', 'a.b'], { format: 'none' }],
    [['a.b', '--msgpack'], { format: 'msgpack' }],
    [['-f', 'none', 'a.b', '--message-key', 'm'], { format: 'none', messageKey: 'm' }],
    [['-h', 'host', '-p', '1', 'a.b'], { host: 'host', port: 1 }],
    [['-p24225', 'a.b'], { port: 24225 }],
    [['-u', 'a.b'], { socketPath: '/var/run/fluent/fluent.sock' }],
    [['-us', '/s', 'a.b'], { socketPath: '/s' }],
    [['-s', '/s', 'a.b'], {}],
    [['--time-as-integer', '--retry-limit', '0', 'a.b'], { timeAsInteger: true, retryLimit: 0 }],
    [['--event-time', '2026-01-01', 'a.b'], { eventTime: '2026-01-01' }],
  ])('cat %j', (args, expected) => {
    expect(parseArguments('sluice', ['cat', ...args])).toEqual({ ...defaults, ...expected })
    expect(parseArguments('fluent-cat', args)).toEqual({ ...defaults, ...expected })
  })

  it.each([
    [[], 'a tag is missing'],
    [['a', 'b'], 'unexpected argument "b"'],
    [['a', '-p', '0'], '--port expects'],
    [['a', '-p', '65536'], '--port expects'],
    [['a', '-f', 'xml'], '--format expects'],
  ])('cat %j is refused', (args, message) => {
    expect(() => parseArguments('sluice', ['cat', ...args])).toThrow(message)
  })
})

describe('help', () => {
  it.each([runOptions, catOptions])('names what can be used', async (...specs) => {
    const text = await helpText('sluice [options]', specs, 'The end.')
    for (const { name, describe: about } of specs) {
      if (about !== '') expect(text).toContain(`--${name}`)
    }
    expect(text).not.toContain('--gemfile')
    expect(text).toContain('The end.')
  })

  it('has each name once', () => {
    for (const specs of [runOptions, catOptions]) {
      const names = specs.flatMap(({ name, short }) => [name, short]).filter((name) => name)
      expect(new Set(names).size).toBe(names.length)
    }
  })
})
