import { describe, expect, test } from 'vitest'
import { nearestPattern } from '../../../src/routing/nearest.ts'
import { Unmatched, UnmatchedCounts } from '../../../src/routing/unmatched.ts'
import { createFakeMetrics, createRecordingLog } from '../../support/fake-host.ts'
import { batchOf } from './batches.ts'

function setUp(options: { label?: string; patterns?: string[]; quiet?: boolean } = {}) {
  const log = createRecordingLog()
  const metrics = createFakeMetrics()
  const counts = new UnmatchedCounts(metrics)
  const unmatched = new Unmatched({ log, counts, label: 'ROOT', patterns: [], ...options })
  const counted = (tag?: string) =>
    metrics.value('sluice_unmatched_events_total', tag === undefined ? {} : { tag })
  return { log, unmatched, counted, counts }
}

describe('Unmatched', () => {
  test('counts by tag and says each tag once, with the nearest pattern', () => {
    const { log, unmatched, counted } = setUp({ patterns: ['docker.**', 'wanted.**', '**.log'] })
    unmatched.emit(batchOf('unwanted', 3))
    unmatched.emit(batchOf('unwanted', 2))
    unmatched.emit(batchOf('dokcer.web'))
    expect(counted('unwanted')).toBe(5)
    expect(counted('dokcer.web')).toBe(1)
    expect(log.lines.map(({ level, message, fields }) => [level, message, fields])).toEqual([
      ['warn', 'no patterns matched', { tag: 'unwanted', nearest: 'wanted.**' }],
      ['warn', 'no patterns matched', { tag: 'dokcer.web', nearest: 'docker.**' }],
    ])
  })

  test("tells what to do about Docker's default tag, and names the label", () => {
    const { log, unmatched } = setUp({ label: '@IN' })
    unmatched.emit(batchOf('2dad5dc6df2a'))
    unmatched.emit(batchOf('2dad5dc6df2'))
    expect(log.lines[0]!.fields).toMatchObject({ tag: '2dad5dc6df2a', label: '@IN' })
    expect(log.lines[0]!.fields.hint).toContain('--log-opt tag=docker.{{.Name}}')
    expect(log.lines[1]!.fields).not.toHaveProperty('hint')
  })

  test('is bounded however many and however long the tags are', () => {
    const { log, unmatched, counted } = setUp()
    for (let i = 0; i < 1000; i++) unmatched.emit(batchOf(`${i}.${'x'.repeat(1000)}`))
    expect(counted()).toBe(1000)
    expect(counted('(others)')).toBe(900)
    expect(log.lines).toHaveLength(101)
    expect(Math.max(...log.lines.map((line) => JSON.stringify(line).length))).toBeLessThan(400)
  })

  test('two pipelines share the limit of counted tags', () => {
    const { unmatched, counted, counts } = setUp()
    for (let i = 0; i < 100; i++) unmatched.emit(batchOf(`a${i}`))
    const log = createRecordingLog()
    new Unmatched({ log, counts, label: '@B', patterns: [] }).emit(batchOf('b'))
    expect([counted('(others)'), counted('b')]).toEqual([1, 0])
    expect(log.messages('warn')).toEqual(['no patterns matched'])
  })

  test('@FLUENT_LOG is quiet', () => {
    const { log, unmatched, counted } = setUp({ quiet: true })
    unmatched.emit(batchOf('fluent.trace'))
    expect([log.lines.length, counted()]).toEqual([0, 0])
  })
})

describe('nearestPattern', () => {
  test.each([
    ['app.acess', ['app.error', 'app.access', 'db.**'], 'app.access'],
    ['dockr.web', ['app.**', '{docker,podman}.** syslog.*'], '{docker,podman}.**'],
    ['anything', [], undefined],
    ['x', ['**'], '**'],
  ])('of %s among %j is %s', (tag, patterns, nearest) => {
    expect(nearestPattern(tag, patterns)).toBe(nearest)
  })
})
