import { describe, expect, it } from 'vitest'
import { expandGrok } from '../../../src/parsers/grok-expand.ts'
import type { GrokSeries } from '../../../src/parsers/grok-names.ts'
import { builtInPatterns } from '../../../src/parsers/grok-series.ts'
import { ecsNames, legacyNames } from '../../support/grok-pattern-names.ts'

describe('the names of the gem', () => {
  it.each<[GrokSeries, string[]]>([
    ['legacy', legacyNames],
    ['ecs-v1', ecsNames],
  ])('%s: all are known', (series, wanted) => {
    expect(wanted.length).toBeGreaterThan(300)
    const known = builtInPatterns(series)
    expect(wanted.filter((name) => !known.has(name))).toEqual([])
  })

  it.each<[GrokSeries]>([['legacy'], ['ecs-v1']])('%s: each names only known ones', (series) => {
    const known = builtInPatterns(series)
    for (const name of known.keys()) expandGrok(`%{${name}}`, known, undefined)
  })
})
