import { defineOutput } from '../../config/define.ts'
import { type BoundPlugin, bool, enumeration, plugin, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import { CopyOutput } from './copy-output.ts'

export const copyOutput = defineOutput({
  name: 'copy',
  summary: 'Gives every event to each of several outputs.',
  description:
    'Stores are served in the order of the file. A store that refuses an event ends the copy for this event, and the ' +
    'source is told (it does not acknowledge), unless the store says `<store ignore_error>`. ' +
    '`<store ignore_if_prev_success>` is used only where the store before it did not take the event.',
  shape: {
    params: {
      copy_mode: enumeration(['no_copy', 'shallow', 'deep', 'marshal'], {
        description: 'How records are copied for the stores. All modes mean the same here.',
        default: 'no_copy',
        differs:
          'Events are immutable bytes, so what one store does never shows in another: each mode behaves as `deep`.',
      }),
      deep_copy: bool({
        description: 'As `copy_mode shallow`.',
        default: false,
        deprecated: 'use copy_mode instead',
      }),
    },
    sections: {
      store: plugin('output', {
        description: 'An output. Its argument may say ignore_error and ignore_if_prev_success.',
        multi: true,
        required: true,
      }),
    },
  },
  create(params, context) {
    const stores = params.store.map((bound, index) => {
      const words = storeWords(bound, index)
      return { output: context.createOutput(bound), name: bound.id ?? bound.type, ...words }
    })
    if (stores.every((store) => store.ignoreError) && !stores.some((s) => s.ignoreIfPrevSuccess)) {
      context.log.warn(
        'ignore_error is specified in all <store>, but ignore_if_prev_success is not: events that no store takes are lost',
      )
    }
    return new CopyOutput({ stores, log: context.log, clock: context.host.clock })
  },
})

/** What stands behind `<store`. */
function storeWords(bound: BoundPlugin, index: number) {
  const known = ['ignore_error', 'ignore_if_prev_success']
  const words = bound.argument.split(/\s+/).filter((word) => word !== '')
  const unknown = words.find((word) => !known.includes(word))
  const position = bound.position ?? positionOf(bound.params)
  if (unknown !== undefined) {
    throw new ConfigError(`unknown argument \`${unknown}\` of <store>`, {
      position,
      hint: `expected ${known.join(' or ')}`,
    })
  }
  const ignoreIfPrevSuccess = words.includes('ignore_if_prev_success')
  if (index === 0 && ignoreIfPrevSuccess) {
    throw new ConfigError('ignore_if_prev_success must specify 2nd or later <store> directives', {
      position,
    })
  }
  return { ignoreError: words.includes('ignore_error'), ignoreIfPrevSuccess }
}
