import { type Chance, createChance } from './chance.ts'
import { type Mood, moods } from './sinks.ts'

/** One output to a destination, as the configuration has it. */
export interface SinkPlan {
  readonly name: string
  readonly kind: 'flaky' | 'file'
  readonly persistent: boolean
  readonly overflow: 'throw_exception' | 'block' | 'drop_oldest_chunk'
  readonly concurrency: number
  readonly keys: string
  readonly flushAtShutdown: boolean
  readonly retriesEnd: boolean
  readonly secondary: boolean
  readonly section: string
}

/** Where events of a tag have to arrive: at all outputs of one of the alternatives. */
export type Route = readonly (readonly string[])[]

export interface Plan {
  readonly seed: number
  readonly config: string
  readonly sinks: readonly SinkPlan[]
  /** By tag; no alternative: nothing takes them. */
  readonly routes: ReadonlyMap<string, Route>
  /** Events whose field `k` is `skip` are filtered out. */
  readonly filtered: boolean
  readonly forwardClients: number
  /** What their acks mean. */
  readonly ackWhen: 'buffered' | 'delivered'
  readonly steps: number
  readonly moods: readonly Mood[]
  readonly diskFaults: boolean
  readonly reloads: boolean
  /** How each life but the last ends. */
  readonly ends: readonly ('stop' | 'kill')[]
  /** Destinations work again before the last stop. */
  readonly heals: boolean
  readonly stopDeadlineMs: number
  readonly paddingLimit: number
}

export const tags = ['a.x', 'a.y', 'b', 'c.d.e'] as const

/** What buffers the tree has: file buffers are simulated from when they can be made. */
export interface Abilities {
  readonly fileBuffers: boolean
}

export function createPlan(seed: number, abilities: Abilities): Plan {
  const chance = createChance(seed, 1)
  const chances = { chance, storage: createChance(seed, 4) }
  const persistent = abilities.fileBuffers && chance.often(50)
  const sinks = [0, 1, 2].map((index) => createSink(`s${index}`, persistent, chances))
  const errors = chance.often(25) ? createSink('errors', persistent, chances) : undefined
  const { match, routes, used, filtered } = createTopology(sinks, chance)
  const all = errors === undefined ? used : [...used, errors]
  const forwardClients = chance.often(40) ? 1 + chance.below(3) : 0
  const acks = ackPlan(createChance(seed, 9))
  const config = [
    '<source>\n@type tap\n</source>',
    forwardClients === 0 ? '' : forwardSource(acks),
    match,
    errors === undefined ? '' : `<label @ERROR>\n<match **>\n${errors.section}</match>\n</label>`,
  ]
  return {
    seed,
    config: `${config.filter((part) => part !== '').join('\n')}\n`,
    sinks: all,
    routes: errors === undefined ? routes : withErrors(routes, errors.name),
    filtered: filtered === true,
    forwardClients,
    ackWhen: acks.when,
    steps: 15 + chance.below(35),
    moods: moodsOf(chance),
    diskFaults: chance.often(40),
    reloads: chance.often(15),
    ends: Array.from({ length: chance.below(persistent ? 4 : 2) }, () =>
      chance.pick('stop', 'kill'),
    ),
    heals: chance.often(75),
    stopDeadlineMs: chance.pick(0, 100, 5000, 60_000),
    paddingLimit: chance.pick(1, 30, 300),
  }
}

interface AckPlan {
  readonly when: 'buffered' | 'delivered'
  /** Whether repeats are known after a restart. */
  readonly persisted: boolean
}

function ackPlan(chance: Chance): AckPlan {
  return { when: chance.pick('buffered', 'buffered', 'delivered'), persisted: chance.often(50) }
}

function forwardSource({ when, persisted }: AckPlan): string {
  const lines = [
    '@type forward\nbind 127.0.0.1\nport 24224',
    `ack_when ${when}`,
    persisted ? 'repeats_path /repeats' : '',
  ]
  return `<source>\n${lines.filter((line) => line !== '').join('\n')}\n</source>`
}

/** `storage`: of a stream of its own, so that what it decides leaves the rest of a seed as it was. */
interface SinkChances {
  readonly chance: Chance
  readonly storage: Chance
}

function moodsOf(chance: Chance): readonly Mood[] {
  if (chance.often(10)) return ['healthy']
  if (chance.often(30)) return moods
  return ['healthy', chance.pick(...moods), chance.pick(...moods)]
}

function createSink(name: string, persistent: boolean, chances: SinkChances): SinkPlan {
  const { chance, storage } = chances
  const overflow = chance.pick('throw_exception', 'block', 'drop_oldest_chunk')
  const concurrency = 1 + chance.below(3)
  const kind = chance.often(25) ? 'file' : 'flaky'
  const keys =
    kind === 'file' ? chance.pick('', 'tag') : chance.pick('', 'tag', 'time', 'time,tag', 'k')
  const secondary = kind === 'flaky' && chance.often(25)
  const mode = chance.pick('interval', 'immediate', 'lazy', 'default')
  const flushAtShutdown = !persistent || chance.often(50)
  const retriesEnd = chance.often(30)
  const lines = [
    `@type ${persistent ? storage.pick('file', 'file', 'file_single') : 'memory'}`,
    persistent ? `path /buffers/${name}` : '',
    storage.often(25) ? 'compress gzip' : '',
    `flush_mode ${mode}`,
    mode === 'interval' ? `flush_interval ${chance.pick('0.1', '1', '3')}` : '',
    keys.includes('time') ? `timekey ${chance.pick(5, 60)}\ntimekey_wait ${chance.below(4)}` : '',
    `chunk_limit_size ${chance.pick(120, 1000, 20_000)}`,
    `total_limit_size ${chance.pick(6000, 30_000, 4_000_000)}`,
    chance.often(20) ? `chunk_limit_records ${1 + chance.below(8)}` : '',
    chance.often(20) ? `queued_chunks_limit_size ${1 + chance.below(4)}` : '',
    `overflow_action ${overflow}`,
    `flush_thread_count ${concurrency}`,
    `flush_at_shutdown ${flushAtShutdown}`,
    `retry_type ${chance.pick('exponential_backoff', 'periodic')}`,
    `retry_wait ${chance.pick('0.1', '0.7', '2')}`,
    'retry_max_interval 4',
    retriesEnd ? chance.pick('retry_max_times 2', 'retry_timeout 5') : 'retry_timeout 30d',
  ]
  const plugin =
    kind === 'file'
      ? `path /out/${name}${keys === '' ? '' : `.$\{tag}`}\nappend true\nadd_path_suffix false\n<format>\n@type json\n</format>\n`
      : `to ${name}\n`
  const section = [
    `@type ${kind}\n@id ${name}\n${plugin}<buffer ${keys === '' ? '[]' : keys}>\n`,
    `${lines.filter((line) => line !== '').join('\n')}\n</buffer>\n`,
    secondary ? `<secondary>\n@type flaky\nto ${name}_second\n</secondary>\n` : '',
  ].join('')
  return {
    name,
    kind,
    persistent,
    overflow,
    concurrency,
    keys,
    flushAtShutdown,
    retriesEnd,
    secondary,
    section,
  }
}

interface Topology {
  readonly match: string
  readonly routes: ReadonlyMap<string, Route>
  readonly used: readonly SinkPlan[]
  readonly filtered?: boolean
}

function createTopology(sinks: readonly SinkPlan[], chance: Chance): Topology {
  const [a, b, c] = sinks as [SinkPlan, SinkPlan, SinkPlan]
  const everywhere = (route: Route) => new Map(tags.map((tag) => [tag, route] as const))
  switch (chance.below(5)) {
    case 0:
      return {
        match: `<match **>\n${a.section}</match>`,
        routes: everywhere([[a.name]]),
        used: [a],
      }
    case 1: {
      const ignored = chance.often(50)
      const stores = `<store>\n${a.section}</store>\n<store${ignored ? ' ignore_error' : ''}>\n${b.section}</store>\n`
      return {
        match: `<match **>\n@type copy\n${stores}</match>`,
        routes: everywhere([ignored ? [a.name] : [a.name, b.name]]),
        used: [a, b],
      }
    }
    case 2:
      return {
        match: [
          '<match a.**>\n@type copy\n',
          `<store>\n${a.section}</store>\n<store>\n@type relabel\n@label @NEXT\n</store>\n</match>\n`,
          `<match b>\n${c.section}</match>\n`,
          `<label @NEXT>\n<match **>\n${b.section}</match>\n</label>`,
        ].join(''),
        routes: new Map([
          ['a.x', [[a.name, b.name]]],
          ['a.y', [[a.name, b.name]]],
          ['b', [[c.name]]],
          ['c.d.e', []],
        ]),
        used: [a, b, c],
      }
    case 3:
      return {
        match: `<match **>\n@type roundrobin\n<store>\n${a.section}</store>\n<store>\n${b.section}weight 2\n</store>\n</match>`,
        routes: everywhere([[a.name], [b.name]]),
        used: [a, b],
      }
    default:
      return {
        match: [
          `<filter a.**>\n@type record_transformer\n<record>\nadded $\{tag}\n</record>\n</filter>\n`,
          '<filter **>\n@type grep\n<exclude>\nkey k\npattern /^skip$/\n</exclude>\n</filter>\n',
          `<match a.**>\n${a.section}</match>\n<match **>\n${b.section}</match>`,
        ].join(''),
        routes: new Map<string, Route>([
          ['a.x', [[a.name]]],
          ['a.y', [[a.name]]],
          ['b', [[b.name]]],
          ['c.d.e', [[b.name]]],
        ]),
        used: [a, b],
        filtered: true,
      }
  }
}

/** What an output refuses at once goes to @ERROR, and is taken there. */
function withErrors(
  routes: ReadonlyMap<string, Route>,
  errors: string,
): ReadonlyMap<string, Route> {
  return new Map(
    [...routes].map(([tag, route]) => [tag, route.length === 0 ? route : [...route, [errors]]]),
  )
}
