import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { type Chance, createChance } from '../../sim/chance.ts'
import { message, mutate, randomBytes } from './msgpack.ts'

/** What an input is: bytes, and what they are sent to. */
export const kinds = ['forward', 'handshake', 'json', 'http', 'lines', 'config'] as const
export type Kind = (typeof kinds)[number]

export interface Input {
  readonly kind: Kind
  readonly bytes: Buffer
  /** Where the bytes are cut when they are sent; of http: which request. */
  readonly cuts: readonly number[]
}

export interface Corpus {
  readonly byKind: Readonly<Record<Kind, readonly Buffer[]>>
}

/** The captures of real clients, the configurations of the examples, and what earlier runs found worth keeping. */
export function readCorpus(grown: string): Corpus {
  const captures = ['test/captures/docker', 'test/captures/fluent-bit'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.bin') && !/reply|s2c|json-file/.test(name))
      .map((name) => readFileSync(`${folder}/${name}`))
      .filter((bytes) => bytes.length > 0 && bytes.length < 20_000),
  )
  const configs = readdirSync('examples', { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.conf'))
    .map((name) => readFileSync(`examples/${name}`))
  const json = ['["a.b",1700000000,{"n":1}]', '["a",[[1,{"k":"v"}],[2,{}]],{"chunk":"x"}]', '{}']
  const http = [
    ...json.slice(0, 1),
    '{"a":1}\n{"b":[2]}',
    'json={"a":1}&time=1',
    'msgpack=%81%a1a%01',
  ]
  const lines = [
    '192.168.0.1 - - [28/Feb/2013:12:00:00 +0900] "GET / HTTP/1.1" 200 777 "-" "Opera/12.0"\n',
    '<6>Feb 28 12:00:00 192.168.0.1 fluentd[11111]: [error] Syslog test\n',
    'a\tb\r\n',
  ]
  const texts = (all: readonly string[]) => all.map((one) => Buffer.from(one))
  const byKind: Record<Kind, Buffer[]> = {
    forward: captures,
    handshake: captures,
    json: texts(json),
    http: [...texts(http), Buffer.from('81a16101', 'hex'), gzipSync('{"a":1}')],
    lines: texts(lines),
    config: configs,
  }
  for (const kind of kinds) byKind[kind] = [...byKind[kind], ...grownOf(`${grown}/${kind}`)]
  return { byKind }
}

function grownOf(folder: string): Buffer[] {
  try {
    return readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`))
  } catch (error) {
    // The first run has none.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return []
  }
}

/** Which kind comes, by a number below a hundred. */
const shares: readonly [Kind, number][] = [
  ['forward', 55],
  ['handshake', 67],
  ['json', 77],
  ['http', 89],
  ['lines', 99],
  ['config', 100],
]

/** Largest input: what grows by repetition is cut there. */
const inputLimitBytes = 100_000

/** The input of a seed; the same again only while the corpus is the same. */
export function inputOf(seed: number, corpus: Corpus, only?: Kind): Input {
  const chance = createChance(seed, 40)
  const share = chance.below(100)
  const kind = only ?? (shares.find(([, below]) => share < below)?.[0] as Kind)
  const known = corpus.byKind[kind]
  const base = () => known[chance.below(known.length)] ?? Buffer.alloc(0)
  let bytes: Buffer
  if (kind === 'config') bytes = changedText(chance, base(), base(), configWords)
  else if (kind === 'forward' || kind === 'handshake') {
    bytes = chance.often(50) ? message(chance) : base()
    for (let i = chance.below(4); i > 0; i--) bytes = mutate(chance, bytes, base())
  } else {
    bytes = changedText(chance, base(), base(), kind === 'lines' ? lineWords : jsonWords)
  }
  bytes = bytes.subarray(0, inputLimitBytes)
  const cuts = Array.from({ length: chance.below(4) }, () => chance.below(bytes.length + 1))
  return { kind, bytes, cuts: cuts.sort((a, b) => a - b) }
}

const jsonWords = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\u0000',
  '\\ud800',
  '1e999',
  '-',
  'null',
  'true',
  '"__proto__":',
  '[[[[[[[[',
  '"a":',
  '\n',
  '\\',
  '0.1',
  '18446744073709551616',
  '"chunk":"x"',
  '%',
  '&time=',
  '\ufeff',
]
const lineWords = [
  '"',
  ' ',
  '[',
  ']',
  '<',
  '>',
  '\n',
  '\r',
  '\0',
  'é',
  '<999>',
  '12 ',
  '-',
  ':',
  '\u001b[2J',
  '\\"',
]
const configWords = [
  '<source>\n',
  '</source>\n',
  '<match **>\n',
  '</match>\n',
  '<buffer tag,time>\n',
  '</buffer>\n',
  '@type ',
  'forward\n',
  'file\n',
  '@include x\n',
  '"#{ENV[\'A\']}"',
  '[',
  '{"a":',
  '}',
  '\n',
  ' ',
  '\\',
  '"',
  "'",
  '#',
  '@label @A\n',
  '<label @A>\n',
  '</label>\n',
  '/(a+)+$/\n',
  'path /tmp/${tag}/%Y\n',
  '1g\n',
  '-1\n',
  '\0',
  '\ufeff',
]

/** Text with pieces left out, repeated, put in, taken from another text. */
function changedText(
  chance: Chance,
  bytes: Buffer,
  other: Buffer,
  words: readonly string[],
): Buffer {
  let changed = bytes
  for (let i = 1 + chance.below(6); i > 0; i--) {
    const from = chance.below(changed.length + 1)
    const to = chance.often(50) ? from : Math.min(changed.length, from + chance.below(30))
    const start = chance.below(other.length + 1)
    const middle = chance.pick(
      () => Buffer.from(words[chance.below(words.length)] as string),
      () => Buffer.from((words[chance.below(words.length)] as string).repeat(chance.below(300))),
      () => other.subarray(start, start + chance.below(200)),
      () => randomBytes(chance, chance.below(8)),
      () => Buffer.alloc(0),
    )()
    changed = Buffer.concat([changed.subarray(0, from), middle, changed.subarray(to)])
  }
  return changed
}
