import {
  type Bound,
  bool,
  enumeration,
  hash,
  integer,
  type Shape,
  section,
  size,
  string,
  time,
} from './schema.ts'

/**
 * `<system>`: every parameter of Fluentd's system_config.rb. What Sluice accepts and does not do
 * yet stands in `notDoneYet`, and is a warning where it is written.
 */

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

const octal = (value: string) =>
  /^0?o?[0-7]{3,4}$/.test(value) ? undefined : 'expected an octal number such as 0644'

const log = section(
  {
    params: {
      path: string({
        description: 'File for the log of Sluice itself, instead of standard error.',
      }),
      format: enumeration(['text', 'json'], {
        description: 'Form of the log lines.',
        default: 'text',
      }),
      time_format: string({
        description: 'Time at the start of a line of text, by strftime.',
        default: '%Y-%m-%d %H:%M:%S %z',
      }),
      rotate_age: string({
        description: 'Rotated log files to keep, or `daily`, `weekly`, `monthly`.',
        check: (value) =>
          /^(\d+|daily|weekly|monthly)$/.test(value)
            ? undefined
            : 'expected a number of files, daily, weekly or monthly',
      }),
      rotate_size: size({ description: 'Rotate the log file once it has this size.' }),
      forced_stacktrace_level: enumeration(['none', ...levels], {
        description: 'Level of stack traces; Sluice logs them at `debug` only.',
        default: 'none',
      }),
    },
  },
  { description: 'The log of Sluice itself.' },
)

const metrics = section(
  {
    params: {
      '@type': string({
        description: 'Where metrics are kept: in this process, and nowhere else.',
        default: 'local',
        check: (value) =>
          value === 'local'
            ? undefined
            : 'expected local: `<source> @type prometheus` gives them away',
      }),
      labels: hash({
        description: 'Without effect, as with `local` in Fluentd.',
        default: {},
      }),
    },
  },
  { description: 'How metrics are kept.' },
)

const sourceOnlyBuffer = section(
  {
    params: {
      flush_thread_count: integer({ description: 'Flushes at once.', default: 1 }),
      overflow_action: enumeration(['throw_exception', 'block', 'drop_oldest_chunk'], {
        description: 'What happens when the buffer is full.',
        default: 'drop_oldest_chunk',
      }),
      path: string({ description: 'Directory of the buffer.' }),
      flush_interval: time({ description: 'Time between flushes.' }),
      chunk_limit_size: size({ description: 'Largest chunk.' }),
      total_limit_size: size({ description: 'Largest buffer.' }),
      compress: enumeration(['text', 'gzip'], { description: 'Compression of chunks.' }),
    },
  },
  {
    description:
      'The buffer of the source-only mode. Default of the path: a directory below root_dir.',
  },
)

const counterServer = section(
  {
    params: {
      scope: string({ description: 'Scope name.' }),
      port: integer({ description: 'Port to listen on.' }),
      bind: string({ description: 'Address to listen on.' }),
      backup_path: string({ description: 'File for the counters.' }),
    },
  },
  {
    description: "Fluentd's counter server.",
    unsupported:
      'There is no counter server here: count with the prometheus filter, and read the figures at /metrics of `@type prometheus`.',
  },
)

const counterClient = section(
  {
    params: {
      port: integer({ description: 'Port of the server.' }),
      host: string({ description: 'Host of the server.' }),
      timeout: time({ description: 'Longest wait.' }),
    },
  },
  {
    description: "Fluentd's counter client.",
    unsupported:
      'There is no counter client here: count with the prometheus filter, and read the figures at /metrics of `@type prometheus`.',
  },
)

export const systemShape = {
  params: {
    workers: integer({
      description: 'Number of worker processes.',
      default: 1,
      check: (value) => (value >= 1 && value <= 1024 ? undefined : 'expected 1 to 1024'),
    }),
    restart_worker_interval: time({
      description: 'Wait before a worker that died is started again.',
      default: 0,
    }),
    root_dir: string({ description: 'Directory for buffers and storages without a path.' }),
    log_level: enumeration(levels, { description: 'Level of the log.', default: 'info' }),
    suppress_repeated_stacktrace: bool({
      description: 'Log the same stack trace once; Sluice logs none twice anyway.',
    }),
    ignore_repeated_log_interval: time({
      description: 'Leave out a message that equals the one before it, for this long.',
    }),
    ignore_same_log_interval: time({
      description: 'Leave out a message that was logged already, for this long.',
    }),
    emit_error_log_interval: time({
      description: 'Log errors of emitting this seldom. Left out ones are counted.',
      differs: 'Without it they are logged every 10 seconds at most, instead of each.',
    }),
    suppress_config_dump: bool({ description: 'Do not log the configuration at start.' }),
    log_event_verbose: bool({
      description: 'Make events of the log during the stop, too.',
      differs: 'Without effect: events of the log end when a stop begins.',
    }),
    without_source: bool({ description: 'Start without any source.' }),
    with_source_only: bool({
      description:
        'Start with the sources only: what they receive is kept in file buffers until SIGWINCH starts the rest.',
      differs:
        'What a source with a `@label` receives goes to that label afterwards, not to the top level.',
    }),
    rpc_endpoint: string({
      description:
        'Address of the RPC server, `host:port`, or only a port of 127.0.0.1: signals and the configuration by HTTP.',
      differs: 'Without `rpc_token` only this host is heard, whatever the address.',
      check: (value) =>
        /^((\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z:.-]*):)?\d{1,5}$/.test(value)
          ? undefined
          : 'expected an address and a port, such as 127.0.0.1:24444',
    }),
    rpc_token: string({
      description: 'What requests to the RPC server must have as `Authorization: Bearer`. Our own.',
      secret: true,
    }),
    enable_get_dump: bool({
      description: 'Let RPC ask for the configuration; secrets in it are masked.',
    }),
    process_name: string({ description: 'Name in the list of processes.' }),
    strict_config_value: bool({
      description: 'Refuse bad values; Sluice always does.',
      differs: 'Bad numbers and booleans are errors without it as well.',
    }),
    enable_msgpack_time_support: bool({
      description: 'Let records hold Time values, in Ruby; has no meaning here.',
    }),
    disable_shared_socket: bool({ description: 'Do not share sockets between workers.' }),
    enable_input_metrics: bool({
      description: 'Count what sources receive.',
      default: true,
      differs: 'They are always counted.',
    }),
    enable_size_metrics: bool({
      description: 'Count bytes as well.',
      differs: 'They are always counted.',
    }),
    enable_jit: bool({ description: 'Accepted for Ruby; has no meaning here.', default: false }),
    file_permission: string({ description: 'Mode of new files, octal.', check: octal }),
    dir_permission: string({ description: 'Mode of new directories, octal.', check: octal }),
    config_include_dir: string({
      description: 'Directory whose .conf, .yaml and .yml files are read as well; empty: none.',
      default: '/etc/fluent/conf.d',
    }),
    umask: string({ description: 'The process umask, octal.', check: octal }),
  },
  sections: {
    log,
    metrics,
    source_only_buffer: sourceOnlyBuffer,
    counter_server: counterServer,
    counter_client: counterClient,
  },
} satisfies Shape

/** <system> bound: its values by camelCase name, defaults where nothing is written. */
export type SystemConfig = Bound<typeof systemShape>

/** Accepted, checked, and without effect here: why. Said once where it is written, with its line. */
export const withoutEffect: ReadonlyMap<string, string> = new Map([
  ['log_event_verbose', 'events of the log end when a stop begins'],
  ['enable_size_metrics', 'bytes are always counted'],
  ['enable_input_metrics', 'what sources receive is always counted'],
  ['enable_msgpack_time_support', 'records hold no Time of Ruby; EventTime is kept as it is'],
  ['enable_jit', 'there is no Ruby to compile'],
])

/** A mode as written, 0644 or 644, as a number; undefined where none is written. */
export function modeOf(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number.parseInt(value.replace(/^0?o/, ''), 8)
}
