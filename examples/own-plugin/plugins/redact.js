// A filter: what looks like a card number does not leave this machine.
import { array, defineFilter, recordFilter, string } from 'sluice/plugin'

const cardNumber = /\b\d(?:[ -]?\d){12,15}\b/g

export default defineFilter({
  name: 'redact',
  summary: 'Replaces what looks like a card number.',
  shape: {
    params: {
      keys: array({ description: 'Fields to look at.', default: ['message', 'log'] }),
      with: string({ description: 'What stands there instead.', default: '[card number]' }),
    },
  },
  create(params, context) {
    const found = context.host.metrics.counter({
      name: 'redact_card_numbers_total',
      help: 'Card numbers that were replaced.',
      labels: { plugin_id: context.id },
    })
    const replace = () => {
      found.add(1)
      return params.with
    }
    return recordFilter(({ record }) => {
      for (const key of params.keys) {
        const value = record.get(key)
        if (typeof value === 'string') record.set(key, value.replace(cardNumber, replace))
      }
      return record
    }, context)
  },
})
