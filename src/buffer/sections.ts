import {
  array,
  bool,
  enumeration,
  float,
  integer,
  type ParamsOf,
  plugin,
  size,
  string,
  time,
} from '../config/schema.ts'

/**
 * The parameters of <buffer>, of all buffer types, and how outputs declare their <buffer> and <secondary> sections. Names,
 * types and defaults are Fluentd's.
 */

const above = (least: number) => (value: number) =>
  value > least ? undefined : `expected more than ${least}`
const atLeast = (least: number) => (value: number) =>
  value >= least ? undefined : `expected ${least} or more`
const share = (value: number) =>
  value > 0 && value < 1 ? undefined : 'expected a number between 0 and 1, both excluded'

/** What Fluentd's output base class adds to the section: chunk keys, when to flush, how to retry. */
const deliveryParams = {
  chunk_keys: array({
    description:
      'What separates chunks: `tag`, `time` (with timekey), names of record fields, `$.nested.fields`. The argument of the section.',
    default: [],
  }),
  timekey: time({
    description: 'Length of a time slice, with chunk key `time`.',
    check: above(0),
  }),
  timekey_wait: time({
    description: 'How long after its end a slice waits for late events before it is flushed.',
    default: 600,
    check: atLeast(0),
  }),
  timekey_use_utc: bool({
    description: 'Slices, and times in placeholders, are in UTC instead of local time.',
    default: false,
  }),
  timekey_zone: string({
    description: 'Zone of slices and of times in placeholders: `+0900`, `Asia/Tokyo`.',
  }),
  flush_at_shutdown: bool({
    description:
      'Whether everything is flushed at shutdown. Default: yes where chunks would be lost with the process.',
  }),
  flush_mode: enumeration(['default', 'lazy', 'interval', 'immediate'], {
    description:
      'When chunks are queued for delivery. `lazy`: when full or when their time slice has passed; `interval`: every flush_interval; `immediate`: at once; `default`: lazy with chunk key `time`, interval otherwise.',
    default: 'default',
    differs:
      'With `immediate`, events that arrive while all flush threads are busy share a chunk, and so do those of one round of the event loop.',
  }),
  flush_interval: time({
    description: 'Age at which a chunk is flushed in mode `interval`.',
    default: 60,
    check: atLeast(0),
  }),
  flush_thread_count: integer({
    description: 'How many chunks are delivered at the same time.',
    default: 1,
    check: (value: number) => (value >= 1 && value <= 1024 ? undefined : 'expected 1 to 1024'),
  }),
  flush_thread_interval: float({
    description:
      'Shortest time that events of a time slice gather whose end has passed already. Sluice does not poll for the rest.',
    default: 1.0,
  }),
  flush_thread_burst_interval: float({
    description: 'Accepted. Sluice does not pause between chunks that wait.',
    default: 1.0,
  }),
  delayed_commit_timeout: time({
    description: 'How long an output that is answered later (forward) may wait for the answer.',
    default: 60,
  }),
  overflow_action: enumeration(['throw_exception', 'block', 'drop_oldest_chunk'], {
    description:
      'What happens to events when the buffer is full: refused (their source does not acknowledge them), kept waiting (sources that can stop reading), or taken in place of the oldest chunk.',
    default: 'throw_exception',
  }),
  retry_forever: bool({ description: 'Retry without end.', default: false }),
  retry_timeout: time({
    description: 'How long a delivery is retried before the queue is given up.',
    default: 259_200,
    check: atLeast(0),
  }),
  retry_max_times: integer({
    description: 'How often a delivery is retried before the queue is given up.',
    check: atLeast(0),
  }),
  retry_secondary_threshold: float({
    description: 'Share of the retry time after which chunks go to <secondary>.',
    default: 0.8,
    check: share,
  }),
  retry_type: enumeration(['exponential_backoff', 'periodic'], {
    description: 'How the time between retries develops.',
    default: 'exponential_backoff',
  }),
  retry_wait: time({
    description: 'Time before the first retry; with `periodic`, before each.',
    default: 1,
    check: atLeast(0),
  }),
  retry_exponential_backoff_base: float({
    description: 'Factor from one retry time to the next.',
    default: 2,
    check: above(0),
  }),
  retry_max_interval: time({
    description: 'Longest time between two retries.',
    check: above(0),
  }),
  retry_randomize: bool({
    description: 'Vary the time between retries by up to 12.5 %.',
    default: true,
  }),
} as const

/** What every buffer type has, with its own limits. */
function storeParams<const C extends number, const T extends number>(limits: {
  chunkBytes: C
  totalBytes: T
}) {
  return {
    chunk_limit_size: size({
      description: 'A chunk is queued before it would get larger than this.',
      default: limits.chunkBytes as number,
      check: above(0),
      differs:
        'A single event that is larger becomes a chunk of its own; Fluentd raises an error and loses it.',
    }),
    total_limit_size: size({
      description: 'Bytes of all chunks together; beyond, overflow_action decides.',
      default: limits.totalBytes as number,
      check: above(0),
    }),
    queue_limit_length: integer({
      description: 'Sets total_limit_size to so many times chunk_limit_size.',
      check: above(0),
    }),
    chunk_limit_records: integer({
      description: 'A chunk is queued before it would get more events than this.',
      check: above(0),
    }),
    chunk_full_threshold: float({
      description: 'A chunk this full (share of its limits) is queued.',
      default: 0.95,
      check: (value: number) => (value > 0 && value <= 1 ? undefined : 'expected 0 to 1'),
    }),
    queued_chunks_limit_size: integer({
      description:
        'While so many chunks are queued, others are left to fill up instead of being queued by age. Default: flush_thread_count.',
      check: above(0),
    }),
    compress: enumeration(['text', 'gzip', 'zstd'], {
      description: 'How chunks are compressed once they are queued. `zstd` needs Node.js 22.15.',
      default: 'text',
      differs:
        'A chunk is compressed as a whole when it is queued, not at each append: it gets smaller, and chunk_limit_size counts its bytes before. What outputs write is the same.',
    }),
    decompression_size_limit: size({
      description: 'Accepted: compressed chunks are read piece by piece, whatever their size.',
      default: 268_435_456,
      differs: 'Without effect: a compressed chunk is read piece by piece, whatever its size.',
    }),
    disable_chunk_backup: bool({
      description:
        'Whether chunks that the destination refuses for good, and no <secondary> takes, are dropped instead of being kept in the backup directory: `<root_dir>/backup/worker0/<id>`.',
      default: false,
      differs:
        'Without root_dir it is below the file buffer’s directory; `/tmp/fluent` for memory buffers, as Fluentd. A refused chunk of lines or MessagePack is divided first: only its refused events are kept. A file buffer’s chunks that were retried in vain are kept there too.',
    }),
  } as const
}

const fileParams = {
  path: string({ description: 'Directory, or path with a `*`, of the chunk files.' }),
  file_permission: string({ description: 'Octal mode of chunk files.' }),
  dir_permission: string({ description: 'Octal mode of directories that are made.' }),
  fsync: enumeration(['none', 'seal', 'ack'], {
    description:
      'When chunks are forced onto the medium. `none`: when the operating system does it, as Fluentd; acknowledged events survive a crash or kill -9 of Sluice, but those of the last seconds not a power failure. `seal`: when a chunk is queued. `ack`: before events are acknowledged, which then waits for the disk.',
    default: 'none',
    ours: true,
  }),
} as const

const mebibyte = 1024 * 1024
const onDisk = { chunkBytes: 256 * mebibyte, totalBytes: 64 * 1024 * mebibyte }

export const memoryBufferShape = {
  params: {
    ...deliveryParams,
    ...storeParams({ chunkBytes: 8 * mebibyte, totalBytes: 512 * mebibyte }),
  },
} as const

export const fileBufferShape = {
  params: {
    ...deliveryParams,
    ...storeParams(onDisk),
    ...fileParams,
    path_suffix: string({ description: 'End of the chunk files’ names.', default: '.log' }),
  },
} as const

export const fileSingleBufferShape = {
  params: {
    ...deliveryParams,
    ...storeParams(onDisk),
    ...fileParams,
    calc_num_records: bool({
      description: 'Count the events of chunks that an earlier run left.',
      default: true,
      differs: 'They are always counted: what is buffered is known by the event.',
    }),
    chunk_format: enumeration(['msgpack', 'text', 'auto'], {
      description: 'What the chunks hold, for counting their events.',
      default: 'auto',
    }),
  },
} as const

/** What a bound <buffer> of any type has. */
export type BufferParams = ParamsOf<typeof memoryBufferShape>

/** Fluentd's names and values: `{chunk_keys: ['time'], timekey: 86400}`. */
export type BufferDefaults = Readonly<
  Partial<Record<keyof (typeof fileBufferShape)['params'], unknown>>
>

const bufferDescription = 'How events wait for their delivery, and what happens when it fails.'

/** The <buffer> section of an output that always has a buffer; `params.buffer` is never undefined. */
export function bufferSection(
  defaults: BufferDefaults = {},
  defaultType: 'memory' | 'file' = 'memory',
) {
  return plugin('buffer', {
    description: bufferDescription,
    argument: 'chunk_keys',
    defaultType,
    always: true,
    defaults,
  })
}

/** The <buffer> section of an output that has a buffer only where the section stands. */
export function optionalBufferSection(defaults: BufferDefaults = {}) {
  return plugin('buffer', {
    description: `${bufferDescription} Without this section the output is not buffered.`,
    argument: 'chunk_keys',
    defaultType: 'memory',
    defaults,
  })
}

/** The <secondary> section. `primaryType`: the output's own @type, which holds where none is written. */
export function secondarySection(primaryType: string) {
  return plugin('output', {
    description: 'The output that gets chunks which this one could not deliver.',
    defaultType: primaryType,
  })
}

/** Parameters that every output has. */
export const outputParams = {
  slow_flush_log_threshold: float({
    description: 'Seconds a delivery may take before a warning says so.',
    default: 20.0,
  }),
  time_as_integer: bool({
    description: 'Times in MessagePack are integers, not EventTime.',
    default: false,
  }),
} as const
