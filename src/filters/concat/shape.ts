import { type Bound, bool, enumeration, integer, size, string, time } from '../../config/schema.ts'

const between = 'An expression between slashes, `/…/`.'

export const concatShape = {
  params: {
    key: string({ description: 'The field whose texts are joined.', required: true }),
    separator: string({ description: 'Stands between the texts.', default: '\n' }),
    n_lines: integer({
      description: 'Join so many events each time.',
      check: (value: number) => (value > 0 ? undefined : 'expected 1 or more'),
    }),
    multiline_start_regexp: string({
      description: `What is found in the first line of an event. ${between}`,
    }),
    multiline_end_regexp: string({
      description: `What is found in the last line of an event. ${between}`,
    }),
    continuous_line_regexp: string({
      description: `What is found in lines that go on; one in which it is not ends the event. ${between}`,
    }),
    stream_identity_key: string({
      description:
        'A field by which streams of one tag are told apart; only events of one stream are joined.',
    }),
    flush_interval: time({
      description:
        'How long a stream may be silent before what it has is given out as it is; 0: for ever.',
      default: 60,
    }),
    timeout_label: string({
      description:
        'The label that gets events given out by flush_interval or at the end. Without it they are errors: they go to @ERROR, or are dropped.',
    }),
    use_first_timestamp: bool({
      description:
        'The joined event has the time of its first part, not of the event that completed it.',
      default: false,
    }),
    partial_key: string({ description: 'A field that says whether more follows.' }),
    partial_value: string({ description: 'What that field holds where more follows.' }),
    keep_partial_key: bool({
      description: 'Leave partial_key, or partial_cri_logtag_key, in joined events.',
      default: false,
    }),
    use_partial_metadata: bool({
      description: "Join by what Docker's log drivers say of long lines.",
      default: false,
    }),
    partial_metadata_format: enumeration(
      ['docker-fluentd', 'docker-journald', 'docker-journald-lowercase'],
      { description: 'Which names the fields have.', default: 'docker-fluentd' },
    ),
    keep_partial_metadata: bool({
      description: 'Leave these fields in joined events.',
      default: false,
    }),
    use_partial_cri_logtag: bool({
      description: 'Join by the tag (`P` or `F`) of lines of the container runtime interface.',
      default: false,
    }),
    partial_cri_logtag_key: string({ description: 'The field that holds this tag.' }),
    partial_cri_stream_key: string({
      description: 'The field that says stdout or stderr; it is taken away.',
      default: 'stream',
      differs: 'Without stream_identity_key streams are also told apart by it.',
    }),
    buffer_limit_size: size({
      description: 'With partial_key: bytes of events that may wait for the last part.',
      default: 500 * 1024,
      differs: 'Measured on the packed records.',
    }),
    buffer_overflow_method: enumeration(['ignore', 'truncate', 'drop', 'new'], {
      description:
        '`ignore`: go on; `truncate`: give out what is there and drop the event that does not fit; `drop`: drop what is there; `new`: give out what is there and begin anew.',
      default: 'ignore',
    }),
    stream_limit_size: size({
      description:
        'Bytes that one stream may hold; then what it has is given out, and it begins anew.',
      default: 8 * 1024 * 1024,
      ours: true,
      check: (value: number) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    total_limit_size: size({
      description:
        'Bytes that all streams together may hold; then what has been silent longest is given out as by flush_interval.',
      default: 64 * 1024 * 1024,
      ours: true,
      check: (value: number) => (value > 0 ? undefined : 'expected more than 0'),
    }),
  },
} as const

export type ConcatParams = Bound<typeof concatShape>
