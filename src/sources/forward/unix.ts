import { defineSource } from '../../config/define.ts'
import { string } from '../../config/schema.ts'
import { type ForwardParams, settingsOf } from './settings.ts'
import { params as forwardParams } from './shape.ts'
import { ForwardSource } from './source.ts'

const {
  tag,
  backlog,
  unix_mode,
  unix_owner,
  unix_group,
  max_connections,
  idle_timeout,
  partial_message_timeout,
  unfinished_message_limit,
  unfinished_total_limit,
  record_keys_limit,
  record_size_limit,
  tag_length_limit,
} = forwardParams

/** Fluentd's in_unix: the forward protocol over a unix socket, of which a forward source is capable too. */
export const unixSource = defineSource({
  name: 'unix',
  summary: 'Receives events by the Fluentd forward protocol over a unix socket.',
  description: 'The same as `@type forward` with `unix_path`.',
  multiWorkersReady: false,
  shape: {
    params: {
      path: string({
        description: 'The socket.',
        default: '/var/run/fluent/fluent.sock',
        check: (value) => (value === '' ? 'expected a text that is not empty' : undefined),
      }),
      tag,
      backlog,
      unix_mode,
      unix_owner,
      unix_group,
      max_connections,
      idle_timeout,
      partial_message_timeout,
      unfinished_message_limit,
      unfinished_total_limit,
      record_keys_limit,
      record_size_limit,
      tag_length_limit,
    },
  },
  create({ path, ...params }, context) {
    const all: unknown = { ...forwardDefaults(), ...params, unixPath: path }
    return new ForwardSource(settingsOf(all as ForwardParams), context)
  },
})

/** What a forward source has where nothing is written. */
function forwardDefaults(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(forwardParams).map(([name, param]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      (param.options as { default?: unknown }).default,
    ]),
  )
}
