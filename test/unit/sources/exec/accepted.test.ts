import { describe, expect, it } from 'vitest'
import { execSource } from '../../../../src/sources/exec/index.ts'
import { gcStatSource } from '../../../../src/sources/gc_stat/index.ts'
import { sampleSource } from '../../../../src/sources/sample/index.ts'
import { startMaker } from './harness.ts'

describe('source exec', () => {
  const lines = 'command x\ntag t\n<parse>\nkeys a\n</parse>'

  it.each([
    ['read', 'discard'],
    ['read_with_stderr', 'with_stdout'],
  ])('connect_mode %s: standard error is %s', async (mode, stderr) => {
    const { host } = await startMaker(execSource, `${lines}\nconnect_mode ${mode}`)
    expect(host.processes.started[0]?.options).toMatchObject({ command: 'x', stderr })
  })

  it('read_block_size 1: what is there is read', async () => {
    const { host, events } = await startMaker(execSource, `${lines}\nread_block_size 1`)
    host.processes.started[0]?.say('one\ntwo\n')
    expect(events).toHaveLength(2)
  })
})

describe('source sample', () => {
  it.each([['suspend true'], ['reuse_record true']])('%s changes nothing', async (line) => {
    const made: string[][] = []
    for (const more of [line, '']) {
      const { host, events } = await startMaker(sampleSource, `tag t\nrate 2\n${more}`)
      await host.clock.advance(2_000)
      made.push(events)
    }
    expect(made[0]).toHaveLength(4)
    expect(made[0]).toEqual(made[1])
  })
})

describe('source gc_stat', () => {
  it('use_symbol_keys: keys are texts either way', async () => {
    const made: string[][] = []
    for (const value of [true, false]) {
      const lines = `tag gc\nemit_interval 1s\nuse_symbol_keys ${value}`
      const { host, events } = await startMaker(gcStatSource, lines)
      await host.clock.advance(1_000)
      made.push(events)
    }
    expect(made[0]).toHaveLength(1)
    expect(made[0]).toEqual(made[1])
  })
})
