import { defineFilter } from '../../config/define.ts'
import { plugin } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import { createInject, injectSection } from '../../formatters/inject.ts'

/** Bytes formatted at a time. */
const pieceBytes = 128 * 1024

export const stdoutFilter = defineFilter({
  name: 'stdout',
  summary: 'Prints events to standard output and lets them through.',
  description:
    'A filter cannot slow its source down. While nobody reads standard output, events go on without being printed, and are counted in sluice_filter_unprinted_events_total.',
  shape: {
    params: {},
    sections: {
      format: plugin('formatter', {
        description: 'What a line looks like.',
        defaultType: 'stdout',
        always: true,
      }),
      inject: injectSection(),
    },
  },
  create(params, context) {
    const { stdout, metrics, hostname, clock } = context.host
    const { workerId } = context.system
    const formatter = context.createFormatter(params.format)
    const inject = createInject(params.inject, { hostname, workerId, clock })
    const unprinted = metrics.counter({
      name: 'sluice_filter_unprinted_events_total',
      help: 'Events that a stdout filter did not print because nobody read standard output.',
      labels: { plugin_id: context.id, type: context.type },
    })
    let blocked = false
    const free = () => {
      blocked = false
    }
    return {
      apply(batch: Batch) {
        if (blocked) {
          unprinted.add(batch.count)
          return batch
        }
        formatter.format(inject?.(batch) ?? batch, pieceBytes, (bytes) => {
          const pending = stdout.write(bytes)
          if (pending === undefined) return
          blocked = true
          // Rejected: standard output is gone, which its writer has said.
          pending.then(free, free)
        })
        return batch
      },
    }
  },
})
