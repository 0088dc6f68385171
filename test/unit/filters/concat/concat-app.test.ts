import { describe, expect, it } from 'vitest'
import { createApp } from '../../../../src/app.ts'
import { parseConfig } from '../../../../src/config/index.ts'
import { concatFilter } from '../../../../src/filters/concat/index.ts'
import type { Kernel } from '../../../../src/kernel/index.ts'
import { batchOf } from '../../../support/batches.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { createStage } from '../../app-plugins.ts'

function configOf(text: string) {
  const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
  return { root: parseConfig({ path: 'test.conf', text, ...world }).root, path: 'test.conf' }
}

const text = (more = '', label = '') => `
<source>
  @type button
</source>
<filter **>
  @type concat
  @id joiner
  key m
  multiline_start_regexp /^s/
  ${label}
</filter>
<match **>
  @type spy
  name ends
</match>
<label @T>
  <match **>
    @type spy
    name late
  </match>
</label>
${more}`

function setUp(config: string) {
  const host = createFakeHost()
  const stage = createStage()
  const plugins = [...stage.plugins, concatFilter]
  const app = createApp({ host, plugins, kernel: {} as Kernel, config: configOf(config) })
  const value = (name: string, labels: Record<string, string> = {}) =>
    host.metrics.value(name, { plugin_id: 'joiner', ...labels })
  return { host, stage, app, value }
}

const lines = (...texts: string[]) =>
  batchOf(
    't',
    texts.map((m) => ({ m })),
  )

describe('concat in a whole configuration', () => {
  it('closes the books', async () => {
    const { stage, app, value } = setUp(text('', 'timeout_label @T'))
    await app.start()
    stage.press('button_0', lines('s', 'a', 's', 'b', 'c', 's'))
    stage.press('button_0', lines('d'))
    expect(stage.taken).toEqual(['ends t x2'])
    expect(value('sluice_filter_held_events')).toBe(2)
    expect(value('sluice_filter_joined_events_total')).toBe(3)
    expect(value('sluice_filter_dropped_events_total', { reason: 'filter' })).toBe(0)
    await app.stop(AbortSignal.timeout(1000))
    expect(stage.taken).toEqual(['ends t x2', 'late t x1'])
    expect(value('sluice_filter_held_events')).toBe(0)
    expect(value('sluice_filter_joined_events_total')).toBe(4)
    expect(value('sluice_filter_passed_events_total')).toBe(1)
    expect(stage.lives.filter((line) => line.startsWith('-'))).not.toEqual([])
  })

  it('without a label what is never completed is counted as dropped for an error', async () => {
    const { stage, app, value, host } = setUp(text())
    await app.start()
    stage.press('button_0', lines('s', 'a'))
    await host.clock.advance(62_000)
    expect(value('sluice_filter_dropped_events_total', { reason: 'error' })).toBe(1)
    expect(stage.taken).toEqual([])
    await app.stop(AbortSignal.timeout(1000))
  })

  it('with @ERROR it goes there, also while a batch is looked at', async () => {
    const error = '<label @ERROR>\n<match **>\n@type spy\nname error\n</match>\n</label>'
    const { stage, app, host, value } = setUp(text(error))
    await app.start()
    stage.press('button_0', lines('s', 'a', 's', 'b'))
    await host.clock.advance(62_000)
    expect(stage.taken).toEqual(['ends t x1', 'error t x1'])
    expect(value('sluice_filter_dropped_events_total', { reason: 'error' })).toBe(0)
    await app.stop(AbortSignal.timeout(1000))
  })

  it('a reload gives out what the old filter held', async () => {
    const { stage, app } = setUp(text('', 'timeout_label @T'))
    await app.start()
    stage.press('button_0', lines('s', 'a'))
    await app.reload(
      configOf(text('', 'timeout_label @T\nseparator "-"')),
      AbortSignal.timeout(1000),
    )
    expect(stage.taken).toEqual(['late t x1'])
    await app.stop(AbortSignal.timeout(1000))
  })
})
