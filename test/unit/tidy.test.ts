import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The rules of the code that a machine can check (docs/ARCHITECTURE.md, "Who may import whom"). */

const files = readdirSync('src', { recursive: true })
  .map((name) => `src/${String(name)}`)
  .filter((name) => name.endsWith('.ts') && !name.includes('/assembly/'))
  .sort()

const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const imports: Import[] = [...sources].flatMap(([from, text]) =>
  [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'/gms)].map((match) => ({
    from,
    to: match[2]!.startsWith('.') ? normalize(join(dirname(from), match[2]!)) : match[2]!,
    typeOnly: match[1] !== undefined,
  })),
)

const area = (file: string) => (file.split('/').length > 2 ? file.split('/')[1]! : file)

/** Area → areas it may import, besides itself. `types`: only as `import type`. */
const allowed: Record<string, { areas: string[]; types?: string[] }> = {
  core: { areas: [] },
  kernel: { areas: ['core', 'msgpack', 'time', 'text'] },
  msgpack: { areas: ['core'] },
  time: { areas: ['core'], types: ['kernel'] },
  text: { areas: ['core', 'msgpack'] },
  config: { areas: ['core', 'text'], types: ['kernel'] },
  forward: { areas: ['core', 'kernel', 'msgpack', 'text', 'config'] },
  routing: { areas: ['core', 'kernel', 'msgpack', 'time', 'text', 'config', 'buffer'] },
  buffer: { areas: ['core', 'kernel', 'msgpack', 'time', 'text', 'config'] },
  transport: { areas: ['core', 'config', 'forward', 'msgpack', 'text'] },
  records: { areas: ['core', 'kernel', 'msgpack', 'time', 'text', 'config'] },
  observe: { areas: ['core', 'kernel', 'msgpack', 'time', 'text', 'config'] },
  storage: { areas: ['core', 'config'] },
}
const plugins = ['sources', 'filters', 'outputs', 'parsers', 'formatters']
const shared = [
  'core',
  'kernel',
  'msgpack',
  'time',
  'text',
  'config',
  'records',
  'buffer',
  'routing',
  'forward',
  'observe',
  'transport',
  'storage',
]

describe('who imports whom', () => {
  it.each(Object.keys(allowed))('%s imports only what is below it', (name) => {
    const rule = allowed[name]!
    const wrong = imports
      .filter((i) => area(i.from) === name && i.to.startsWith('src/') && area(i.to) !== name)
      .filter((i) => !rule.areas.includes(area(i.to)))
      .filter((i) => !(i.typeOnly && rule.types?.includes(area(i.to))))
    expect(wrong).toEqual([])
  })

  it.each(plugins)(
    '%s import the shared areas, their own folder, and formatting helpers',
    (name) => {
      const folder = (file: string) => file.split('/').slice(0, 3).join('/')
      const wrong = imports
        .filter((i) => area(i.from) === name && i.to.startsWith('src/'))
        .filter((i) => !shared.includes(area(i.to)))
        .filter((i) => folder(i.to) !== folder(i.from) && !/\/(index|inject)\.ts$/.test(i.from))
        .filter((i) => !/^src\/(formatters|parsers)\/[a-z-]+\.ts$/.test(i.to))
      expect(wrong).toEqual([])
    },
  )

  it('only src/host and the kernel loader touch the outside world', () => {
    const outside =
      /^node:(fs|net|tls|http|https|dgram|os|timers|child_process|worker_threads|cluster)/
    const wrong = imports.filter((i) => outside.test(i.to) && !/^src\/(host|cli)/.test(i.from))
    expect(wrong).toEqual([])
  })

  it('clocks, timers and chance come from the host', () => {
    const direct =
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|setInterval|setImmediate)\b/
    const wrong = [...sources]
      .filter(([file]) => !/^src\/(host|cli)/.test(file))
      .flatMap(([file, text]) =>
        text
          .split('\n')
          .map((line, i) => ({ place: `${file}:${i + 1}`, line }))
          .filter(({ line }) => direct.test(line.replace(/\/\/.*|^\s*\/?\*.*/, ''))),
      )
    expect(wrong).toEqual([])
  })

  it('only cli.ts ends the process', () => {
    const wrong = [...sources].filter(
      ([file, text]) => file !== 'src/cli.ts' && /process\.exit\(/.test(text),
    )
    expect(wrong.map(([file]) => file)).toEqual([])
  })
})

describe('form', () => {
  /** File → why it may be longer than the rest. */
  const long: Record<string, string> = {}

  it('files hold one thing: at most 400 lines', () => {
    const wrong = [...sources]
      .map(([file, text]) => ({ file, lines: text.split('\n').length }))
      .filter(({ file, lines }) => lines > 400 && !(file in long))
    expect(wrong).toEqual([])
  })

  it('file names are kebab-case', () => {
    const wrong = files.filter(
      (file) => !/^src(\/[a-z0-9]+([-_][a-z0-9]+)*)+(\.d)?\.ts$/.test(file),
    )
    expect(wrong).toEqual([])
  })

  it('no marks of unfinished work', () => {
    // Spelled so that this line is none itself.
    const wrong = [...sources].filter(([, text]) => /\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/.test(text))
    expect(wrong.map(([file]) => file)).toEqual([])
  })

  it('no error is swallowed', () => {
    const wrong = [...sources].filter(([, text]) => /catch\s*(\([^)]*\))?\s*\{\s*\}/.test(text))
    expect(wrong.map(([file]) => file)).toEqual([])
  })
})
