import {
  array,
  bool,
  enumeration,
  hash,
  integer,
  plugin,
  regexp,
  section,
  size,
  string,
  time,
} from '../../config/schema.ts'
import { deferredRegexp } from '../../text/regexp.ts'

/** Names of Kubernetes' container logs. */
const containerLogs = deferredRegexp(
  '/^\\/var\\/log\\/containers\\/(?<podname>[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\/[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)_(?<namespace>[^_]+)_(?<container>.+)-(?<docker_id>[a-z0-9]{64})\\.log$/',
)

const ruleSection = section(
  {
    params: {
      match: hash({
        description:
          'Groups of `pattern` and the regular expressions that what they hold must match: `{"namespace": "/^shop/"}`.',
        default: { namespace: ['(?-mix:.*)'], podname: ['(?-mix:.*)'] },
        differs:
          'Each expression is tried on its own group; Fluentd joins them with `_`, which breaks `^` and `$`.',
      }),
      limit: integer({
        description:
          'Lines that all files of the rule together may bring in a `rate_period`, dealt out evenly; -1: any number.',
        default: -1,
        check: (value) => (value >= -1 ? undefined : 'expected -1 or more'),
      }),
    },
  },
  {
    description: 'A limit for some files. Of several that fit, the one with most groups counts.',
    multi: true,
    required: true,
  },
)

const groupSection = section(
  {
    params: {
      pattern: regexp({
        description: 'What the paths are taken apart with, into named groups.',
        default: containerLogs,
      }),
      rate_period: time({ description: 'The time that the limits are for.', default: 5 }),
    },
    sections: { rule: ruleSection },
  },
  { description: 'Limits of lines for groups of files.' },
)

export const shape = {
  params: {
    path: string({
      description:
        "The files, separated by `path_delimiter`. `*` stands for any text, `**/` for any directories; strftime's directives for the time of now.",
      required: true,
    }),
    path_delimiter: string({
      description: 'What separates several paths.',
      default: ',',
      check: (value) =>
        value === '' || ['/', '*', '%'].includes(value)
          ? 'expected a text other than /, * and %'
          : undefined,
    }),
    glob_policy: enumeration(['backward_compatible', 'extended', 'always'] as const, {
      description:
        'What makes a path a pattern: `*` alone; `*`, `?` and `[…]`; or these and `{a,b}`, for which another `path_delimiter` than the comma is needed.',
      default: 'backward_compatible',
    }),
    tag: string({
      description: 'The tag of the events; `*` stands for the path with dots for slashes.',
      required: true,
    }),
    exclude_path: array({ description: 'Files that are left out; patterns too.', default: [] }),
    rotate_wait: time({
      description: 'How long a file that was rotated away is still read from.',
      default: 5,
    }),
    pos_file: string({
      description:
        "The file that holds how far each file was read, so that a restart goes on from there. In Fluentd's form.",
    }),
    pos_file_compaction_interval: time({
      description: 'How often files that are gone are taken out of the pos_file.',
    }),
    read_from_head: bool({
      description:
        'Files that are there at the first start are read from their heads, not from their ends. Files that come later always are.',
      default: false,
    }),
    refresh_interval: time({
      description: 'How often new files are looked for.',
      default: 60,
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    read_lines_limit: integer({
      description: 'Lines handed on at once, at most.',
      default: 1000,
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    read_bytes_limit_per_second: size({
      description: 'Bytes of one file that are read in a second, at least 64k; -1: any number.',
      default: -1,
    }),
    multiline_flush_interval: time({
      description: 'An event of several lines is complete when so long no line has followed.',
    }),
    emit_unmatched_lines: bool({
      description: 'Emits lines that the parser cannot read, in the field `unmatched_line`.',
      default: false,
    }),
    enable_watch_timer: bool({ description: 'Looks at each file every second.', default: true }),
    enable_stat_watcher: bool({
      description: 'Has the system tell of changes (inotify).',
      default: true,
    }),
    encoding: string({
      description: 'The encoding of the lines; with `from_encoding`, what they are converted to.',
      differs: 'Converted is only to UTF-8.',
    }),
    from_encoding: string({ description: 'The encoding that lines are converted from.' }),
    path_key: string({ description: "The field that takes the file's path." }),
    open_on_every_update: bool({
      description: 'Opens the file for each reading, and closes it again.',
      default: false,
    }),
    limit_recently_modified: time({
      description: 'Of a pattern, only files that changed within that time.',
    }),
    skip_refresh_on_startup: bool({
      description: 'Files are looked for a `refresh_interval` after the start only.',
      default: false,
    }),
    ignore_repeated_permission_error: bool({
      description: 'Of a file that must not be read, it is said once.',
      default: false,
    }),
    path_timezone: string({
      description: "The zone of the time in paths: +09:00, Asia/Tokyo. Without it the host's.",
    }),
    follow_inodes: bool({
      description:
        'Files are known by their inodes, not by their names: with a pattern that rotated files match too, nothing is read twice.',
      default: false,
    }),
    max_line_size: size({
      description: 'Lines of more bytes are left out. Default: those of more than 16 MiB.',
      differs: 'Without it Fluentd keeps a line of any length in memory.',
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
  },
  sections: {
    parse: plugin('parser', {
      description: 'How lines are read.',
      required: true,
      own: { usage: string({ description: 'A name for the parser.', default: 'in_tail_parser' }) },
    }),
    group: groupSection,
  },
} as const
