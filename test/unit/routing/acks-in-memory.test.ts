import { expect, test } from 'vitest'
import { sayAcksInMemory } from '../../../src/routing/acks-in-memory.ts'
import { createRecordingLog } from '../../support/fake-host.ts'

const source = (id: string, acknowledgesBuffered?: boolean) => ({
  id,
  source: { acknowledgesBuffered },
})

test.each<[string, boolean | undefined, boolean | undefined, number]>([
  ['acks, and a memory buffer', true, false, 1],
  ['acks, and a file buffer', true, true, 0],
  ['acks, and an output that keeps nothing', true, undefined, 0],
  ['acks that wait for the delivery', false, false, 0],
  ['a source without acks', undefined, false, 0],
])('%s', (_what, acknowledges, persistent, said) => {
  const log = createRecordingLog()
  const graph = { sources: [source('in', acknowledges)], allOutputs: [{ id: 'out', persistent }] }
  sayAcksInMemory(graph as never, log)
  expect(log.lines).toHaveLength(said)
  for (const { fields } of log.lines) expect(fields).toEqual({ sources: ['in'], outputs: ['out'] })
})
