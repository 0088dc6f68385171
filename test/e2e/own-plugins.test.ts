import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, exchange, freePort, listening, run, until } from './support.ts'

/** -p and -r, with modules that stand anywhere. */

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-plugins-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function file(path: string, text: string): string {
  const full = join(dir, path)
  mkdirSync(join(full, '..'), { recursive: true })
  writeFileSync(full, text)
  return full
}

const upper = `import { defineFilter, recordFilter } from 'sluice/plugin'
export const helper = (text) => text.toUpperCase()
export const filters = [defineFilter({
  name: 'upper',
  summary: 'Capital letters.',
  shape: { params: {} },
  create: (params, context) => recordFilter(({ record }) => {
    if (record.get('m') === 'bad') throw new Error('no bad things')
    if (record.get('m') === 'drop') return undefined
    return record.set('m', helper(record.get('m')))
  }, context),
})]
`
/** A source that emits by itself, a parser and a formatter. */
const others = `import * as sluice from 'sluice/plugin'
export const ticks = sluice.defineSource({
  name: 'ticks',
  summary: 'One event.',
  shape: {
    params: { tag: sluice.string({ description: 'The tag.', required: true }) },
    sections: { parse: sluice.plugin('parser', { description: 'How.', always: true, defaultType: 'pairs' }) },
  },
  create({ tag, parse }, { host, router, createParser }) {
    const parser = createParser(parse)
    return {
      claims: [],
      async start() {
        host.clock.after(1, () => {
          const items = parser.parse('a=1 b=2')
          const time = new sluice.EventTime(1700000000, 5)
          void router.emit(sluice.packEvents(tag, items.map(({ record }) => ({ time, record }))))
        })
      },
      async stop() {},
    }
  },
})
export const pairs = sluice.defineParser({
  name: 'pairs',
  summary: 'a=1 b=2',
  shape: { params: {} },
  create: () => ({
    parse: (text) => [{ time: undefined, record: new Map(text.split(' ').map((pair) => pair.split('='))) }],
  }),
})
export default sluice.defineFormatter({
  name: 'keys',
  summary: 'Keys alone.',
  shape: { params: {} },
  create: () => sluice.textFormatter(({ tag, time, record }) =>
    tag + ' ' + time.seconds + ' ' + [...record.keys()].join(',') + '\\n'),
})
`

const source = (port: number) =>
  `<source>\n  @type forward\n  bind 127.0.0.1\n  port ${port}\n</source>\n`

describe('plugins of others', () => {
  it('run like built-in ones, from a directory far from any package', async () => {
    const path = file('plugins/upper.js', upper)
    file('plugins/note.txt', 'no module')
    file('plugins/out_old.rb', 'class Old; end')
    const port = await freePort()
    const stdout = '@type stdout\n  <format>\n    @type json\n  </format>'
    const config = `${source(port)}<filter **>\n  @type upper\n</filter>
<match **>\n  ${stdout}\n</match>\n<label @ERROR>\n  <match **>\n    ${stdout}\n  </match>\n</label>\n`
    const sluice = run({ config, args: ['-p', join(path, '..')] })
    await listening(port, sluice)
    const messages = ['hello', 'drop', 'bad', 'bye'].map((m) => JSON.stringify(['t', 1, { m }]))
    await exchange(port, Buffer.from(messages.join('\n')))
    await until('three lines', () => sluice.lines.length === 3)
    expect([...sluice.lines].sort()).toEqual(['{"m":"BYE"}', '{"m":"HELLO"}', '{"m":"bad"}'])
    expect(sluice.log()).toContain('plugins in Ruby are left out')
    expect(sluice.log()).toContain('plugin loaded kind="filter" name="upper"')
    expect(await sluice.stop()).toBe(0)
  })

  it('are known to `sluice buffer` by the same options', () => {
    const path = file('buffer/plugins/upper.js', upper)
    const conf = file(
      'buffer/own.conf',
      `<filter **>\n  @type upper\n</filter>\n<match **>\n  @type file\n  path ${dir}/out\n  <buffer>\n    @type file\n    path ${dir}/b\n  </buffer>\n</match>\n`,
    )
    const ls = (...args: string[]) =>
      spawnSync(process.execPath, [cli, 'buffer', 'ls', '-c', conf, ...args], { encoding: 'utf8' })
    expect(ls('-p', join(path, '..')).status).toBe(0)
    expect(ls('-r', path).status).toBe(0)
    const without = ls()
    expect([without.status, without.stderr]).toEqual([1, expect.stringContaining("'upper'")])
  })

  it('can be sources, parsers and formatters, of a package or a path, in workers', async () => {
    const manifest = { name: 'others', type: 'module', exports: { import: './index.js' } }
    file('node_modules/others/package.json', JSON.stringify(manifest))
    file('node_modules/others/index.js', others)
    file('upper.js', upper)
    const conf = file(
      'own.conf',
      `<system>\n  workers 2\n</system>\n<worker 1>\n<source>\n  @type ticks\n  tag t\n</source>\n</worker>\n<filter none>\n  @type upper\n</filter>
<match **>\n  @type stdout\n  <format>\n    @type keys\n  </format>\n</match>\n`,
    )
    const sluice = run({ args: ['-c', conf, '-r', 'others', '-r', './upper.js'], cwd: dir })
    await until(
      () => `a line:\n${sluice.log()}`,
      () => sluice.lines.length === 1,
    )
    expect(sluice.lines).toEqual(['t 1700000000 a,b'])
    expect(sluice.log().match(/plugin loaded/g)).toHaveLength(4)
    expect(await sluice.stop()).toBe(0)
  })

  const broken: [string, string, RegExp][] = [
    ['a module that throws', 'throw new Error("not today")', /Error: not today/],
    ['wrong syntax', 'export default {', /SyntaxError/],
    [
      'a built-in name',
      upper.replace("'upper'", "'grep'"),
      /filter grep of .* is there already \(built in\)/,
    ],
    [
      'no create',
      'export default {kind: "filter", name: "x", summary: "x", shape: {params: {}}}',
      /no definition: create is missing/,
    ],
    [
      'no kind',
      'export default {kind: "input", name: "x", shape: {params: {}}}',
      /kind must be one of source, filter/,
    ],
  ]
  it.each(broken)('are refused: %s', async (name, text, words) => {
    const path = file(`broken ${name}/x.mjs`, text)
    const sluice = run({
      config: '<source>\n  @type forward\n  port 0\n</source>\n',
      args: ['--dry-run', '-p', join(path, '..')],
    })
    expect(await sluice.exited).toBe(1)
    expect(sluice.log()).toMatch(words)
  })

  it('are refused: a name that nothing has', async () => {
    const sluice = run({ config: '', args: ['--dry-run', '-r', 'fluent-plugin-nowhere'] })
    expect(await sluice.exited).toBe(1)
    expect(sluice.log()).toMatch(
      /cannot load plugins from fluent-plugin-nowhere: .*Cannot find package/,
    )
  })

  it('find their types in the package', () => {
    file('typed/package.json', '{"type":"module"}')
    mkdirSync(join(dir, 'typed/node_modules'), { recursive: true })
    symlinkSync(resolve('.'), join(dir, 'typed/node_modules/sluice'))
    const example = readFileSync('examples/own-plugin/plugins/redact.js', 'utf8')
    const right = file('typed/redact.ts', example)
    const wrong = file('typed/wrong.ts', example.replace('params.with', 'params.wiht'))
    const check = (path: string) => {
      const options =
        '--ignoreConfig --noEmit --strict --module nodenext --target es2023 --types node'
      return spawnSync(
        process.execPath,
        [resolve('node_modules/typescript/bin/tsc'), ...options.split(' '), '--skipLibCheck', path],
        { encoding: 'utf8', cwd: resolve('.') },
      )
    }
    expect(check(right).stdout).toBe('')
    expect(check(wrong).stdout).toContain("Property 'wiht' does not exist")
  })

  it('what docs/PLUGINS.md begins with runs', async () => {
    const page = readFileSync('docs/PLUGINS.md', 'utf8')
    const [module, config] = [...page.matchAll(/```(?:js)?\n(.*?)```/gs)].map((match) => match[1]!)
    const path = file('shown/add-rack.js', module!)
    const port = await freePort()
    const rest = '<match **>\n  @type stdout\n  <format>\n    @type json\n  </format>\n</match>\n'
    const sluice = run({ config: source(port) + config + rest, args: ['-p', join(path, '..')] })
    await listening(port, sluice)
    await exchange(port, Buffer.from(JSON.stringify(['t', 1, { m: 1 }])))
    await until('a line', () => sluice.lines.length === 1)
    expect(sluice.lines).toEqual(['{"m":1,"rack":"b12"}'])
    expect(await sluice.stop()).toBe(0)
  })
})
