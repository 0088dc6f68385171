import { array, type Bound, bool, section, string } from '../../config/schema.ts'

export const recordTransformerShape = {
  params: {
    remove_keys: array({
      description: 'Fields to take away: keys, or paths such as $.a.b.',
    }),
    keep_keys: array({
      description: 'With renew_record: fields of the old record that stay.',
    }),
    renew_record: bool({
      description: 'Start from an empty record; only what <record> says is in it.',
      default: false,
    }),
    renew_time_key: string({
      description: 'A field of the new record whose value (seconds since 1970) becomes the time.',
    }),
    enable_ruby: bool({
      description: 'What stands in ${…} is an expression as Ruby has them.',
      default: false,
      differs:
        'No Ruby is evaluated: expressions that need none work as in Ruby (docs/expressions.md lists them), others are an error at start.',
    }),
    auto_typecast: bool({
      description: 'A value that is one placeholder keeps the type of what it stands for.',
      default: true,
    }),
  },
  sections: {
    record: section(
      { params: {} },
      {
        description:
          'Fields to set. Values may have the placeholders ${tag}, ${tag_parts[0]}, ${tag_prefix[0]}, ${tag_suffix[-1]}, ${hostname}, ${time} and ${record["field"]}; `{…}` and `[…]` are JSON with placeholders in it.',
        multi: true,
        open: true,
      },
    ),
  },
} as const

export type RecordTransformerParams = Bound<typeof recordTransformerShape>
