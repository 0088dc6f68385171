/** The options of the command line as data: what is parsed, what --help prints, what is accepted without effect. */
export interface OptionSpec {
  /** Fluentd's long name, without dashes. */
  readonly name: string
  readonly short?: string
  /** flag: no value. optional: a value may follow. list: may stand several times. */
  readonly kind: 'flag' | 'count' | 'value' | 'optional' | 'list'
  /** What the value is called in --help. */
  readonly value?: string
  readonly describe: string
  /** Accepted so that existing command lines go on working; says why it does nothing. */
  readonly noEffect?: string
  /** Not accepted; says why, and what to do instead. */
  readonly refused?: string
}

const ruby = 'it concerns Ruby; plugins of Sluice are built in'
const windows = 'Windows services are not supported; run it in the foreground'

export const runOptions: readonly OptionSpec[] = [
  {
    name: 'config',
    short: 'c',
    kind: 'value',
    value: 'PATH',
    describe:
      'configuration file (default: $FLUENT_CONF, /etc/fluent/fluent.conf, or the built-in one)',
  },
  {
    name: 'inline-config',
    short: 'i',
    kind: 'value',
    value: 'TEXT',
    describe: 'configuration appended to the file',
  },
  { name: 'dry-run', kind: 'flag', describe: 'check that it would start, and exit' },
  {
    name: 'setup',
    short: 's',
    kind: 'optional',
    value: 'DIR',
    describe: 'write the built-in configuration to DIR (default: /etc/fluent), and exit',
  },
  {
    name: 'config-file-type',
    kind: 'value',
    value: 'TYPE',
    describe: 'yaml, v1, or guess by the file name',
  },
  { name: 'strict-config-value', kind: 'flag', describe: 'refuse bad values (always on)' },
  { name: 'suppress-config-dump', kind: 'flag', describe: 'do not log the configuration at start' },
  { name: 'workers', kind: 'value', value: 'N', describe: 'number of worker processes' },
  { name: 'user', kind: 'value', value: 'USER', describe: 'change to this user once it listens' },
  {
    name: 'group',
    kind: 'value',
    value: 'GROUP',
    describe: 'change to this group once it listens',
  },
  { name: 'umask', kind: 'value', value: 'UMASK', describe: 'umask, octal' },
  {
    name: 'log',
    short: 'o',
    kind: 'value',
    value: 'PATH',
    describe: 'log file (default: standard error)',
  },
  {
    name: 'log-rotate-age',
    kind: 'value',
    value: 'AGE',
    describe: 'rotated log files to keep, or daily, weekly, monthly',
  },
  {
    name: 'log-rotate-size',
    kind: 'value',
    value: 'BYTES',
    describe: 'size at which the log file is rotated',
  },
  { name: 'verbose', short: 'v', kind: 'count', describe: 'log more (-v: debug, -vv: trace)' },
  { name: 'quiet', short: 'q', kind: 'count', describe: 'log less (-q: warn, -qq: error)' },
  { name: 'without-source', kind: 'flag', describe: 'start without any source' },
  {
    name: 'enable-input-metrics',
    kind: 'flag',
    describe: 'count what sources receive (always on)',
  },
  { name: 'enable-size-metrics', kind: 'flag', describe: 'count bytes too (always on)' },
  {
    name: 'plugin',
    short: 'p',
    kind: 'list',
    value: 'DIR',
    describe: 'load plugins: ES modules in DIR',
  },
  {
    name: 'require',
    short: 'r',
    kind: 'list',
    value: 'NAME',
    describe: 'load plugins: the ES module NAME, or ./path',
  },
  {
    name: 'no-supervisor',
    kind: 'flag',
    describe: 'run in this one process (as always with one worker)',
  },
  {
    name: 'with-source-only',
    kind: 'flag',
    describe: 'run the sources alone, into buffers, until SIGWINCH',
  },
  {
    name: 'disable-shared-socket',
    kind: 'flag',
    describe: 'workers do not share listening sockets',
  },
  { name: 'version', kind: 'flag', describe: 'print the version' },
  { name: 'help', short: 'h', kind: 'flag', describe: 'print this' },

  // Without effect.
  {
    name: 'under-supervisor',
    kind: 'flag',
    describe: '',
    noEffect: 'workers are told by the process that starts them',
  },
  { name: 'include', short: 'I', kind: 'list', value: 'PATH', describe: '', noEffect: ruby },
  { name: 'gemfile', short: 'g', kind: 'value', value: 'PATH', describe: '', noEffect: ruby },
  { name: 'gem-path', short: 'G', kind: 'value', value: 'PATH', describe: '', noEffect: ruby },
  { name: 'use-v1-config', kind: 'flag', describe: '', noEffect: 'v1 is the only text format' },
  {
    name: 'conf-encoding',
    kind: 'value',
    value: 'NAME',
    describe: '',
    noEffect: 'configuration files are UTF-8',
  },
  {
    name: 'emit-error-log-interval',
    kind: 'value',
    value: 'SECONDS',
    describe: 'log errors of emitting this seldom',
  },
  {
    name: 'suppress-repeated-stacktrace',
    kind: 'optional',
    value: 'BOOL',
    describe: '',
    noEffect: 'stack traces are only logged for bugs',
  },
  {
    name: 'log-event-verbose',
    kind: 'flag',
    describe: '',
    noEffect: 'events of the log are the same at start and end',
  },
  {
    name: 'disable-input-metrics',
    kind: 'flag',
    describe: '',
    noEffect: 'counting costs nothing here',
  },
  { name: 'signame', short: 'x', kind: 'value', value: 'NAME', describe: '', noEffect: windows },
  { name: 'winsvc-name', kind: 'value', value: 'NAME', describe: '', noEffect: windows },
  { name: 'winsvc-display-name', kind: 'value', value: 'NAME', describe: '', noEffect: windows },
  { name: 'winsvc-desc', kind: 'value', value: 'TEXT', describe: '', noEffect: windows },
  { name: 'fluentdopt', kind: 'value', value: 'OPTIONS', describe: '', noEffect: windows },

  // Refused.
  {
    name: 'daemon',
    short: 'd',
    kind: 'value',
    value: 'PIDFILE',
    describe: '',
    refused:
      'Sluice stays in the foreground: let systemd, Docker or `nohup` run it in the background',
  },
  {
    name: 'use-v0-config',
    kind: 'flag',
    describe: '',
    refused: 'the v0 format is not supported: write the file in v1',
  },
  {
    name: 'show-plugin-config',
    kind: 'value',
    value: 'PLUGIN',
    describe: '',
    refused: 'see the reference pages in docs/reference',
  },
  { name: 'reg-winsvc', kind: 'value', value: 'MODE', describe: '', refused: windows },
]

export const catOptions: readonly OptionSpec[] = [
  {
    name: 'host',
    short: 'h',
    kind: 'value',
    value: 'HOST',
    describe: 'host to send to (default: 127.0.0.1)',
  },
  {
    name: 'port',
    short: 'p',
    kind: 'value',
    value: 'PORT',
    describe: 'port to send to (default: 24224)',
  },
  { name: 'unix', short: 'u', kind: 'flag', describe: 'send by unix socket' },
  {
    name: 'socket',
    short: 's',
    kind: 'value',
    value: 'PATH',
    describe: 'path of the unix socket (default: /var/run/fluent/fluent.sock)',
  },
  {
    name: 'format',
    short: 'f',
    kind: 'value',
    value: 'FORMAT',
    describe: 'what standard input has: json (default), msgpack or none',
  },
  { name: 'json', kind: 'flag', describe: 'the same as --format json' },
  { name: 'msgpack', kind: 'flag', describe: 'the same as --format msgpack' },
  { name: 'none', kind: 'flag', describe: 'each line is a text, the same as --format none' },
  {
    name: 'message-key',
    kind: 'value',
    value: 'KEY',
    describe: 'key of the text with --none (default: message)',
  },
  { name: 'time-as-integer', kind: 'flag', describe: 'send whole seconds' },
  {
    name: 'shared-key',
    kind: 'value',
    value: 'KEY',
    describe: 'for a receiver with <security> (or in the variable SLUICE_SHARED_KEY)',
  },
  {
    name: 'username',
    kind: 'value',
    value: 'USER',
    describe: 'user, where the receiver asks for one',
  },
  {
    name: 'password',
    kind: 'value',
    value: 'PASSWORD',
    describe: "the user's password (or in the variable SLUICE_PASSWORD)",
  },
  {
    name: 'retry-limit',
    kind: 'value',
    value: 'N',
    describe: 'times to try to connect again (default: 5)',
  },
  {
    name: 'event-time',
    kind: 'value',
    value: 'TIME',
    describe: 'time of the events (default: now)',
  },
  {
    name: 'no-supervisor',
    kind: 'flag',
    describe: 'run in this one process (as always with one worker)',
  },
  {
    name: 'disable-shared-socket',
    kind: 'flag',
    describe: 'workers do not share listening sockets',
  },
  { name: 'version', kind: 'flag', describe: 'print the version' },
  { name: 'help', kind: 'flag', describe: 'print this' },
]

export const bufferOptions: readonly OptionSpec[] = [
  {
    name: 'config',
    short: 'c',
    kind: 'value',
    value: 'PATH',
    describe: 'configuration whose buffers and backups are meant (default: as sluice itself)',
  },
  {
    name: 'dir',
    short: 'd',
    kind: 'list',
    value: 'DIR',
    describe: 'look through this directory instead, and those below it',
  },
  {
    name: 'plugin',
    short: 'p',
    kind: 'list',
    value: 'DIR',
    describe: 'load the plugins that the configuration names: ES modules in DIR',
  },
  {
    name: 'require',
    short: 'r',
    kind: 'list',
    value: 'NAME',
    describe: 'load plugins from a module',
  },
  { name: 'json', kind: 'flag', describe: 'one JSON object a line' },
  {
    name: 'events',
    short: 'n',
    kind: 'value',
    value: 'N',
    describe: 'inspect: events to show (default: 10)',
  },
  {
    name: 'all',
    kind: 'flag',
    describe: 'inspect, replay, drop: all chunks in backup directories',
  },
  { name: 'to', kind: 'value', value: 'ID', describe: 'replay: to this output' },
  {
    name: 'tag',
    kind: 'value',
    value: 'TAG',
    describe: 'replay: tag of chunks that Fluentd kept, of which it does not say',
  },
  { name: 'yes', short: 'y', kind: 'flag', describe: 'drop: yes, lose them' },
  { name: 'help', kind: 'flag', describe: 'show this text' },
]
