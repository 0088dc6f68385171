import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../src/core/errors.ts'
import { tagOfPath } from '../../../../src/sources/tail/settings.ts'
import { createTail, none } from './harness.ts'

const base = `path /l/a\ntag t\n${none}`

describe('source tail: parameters that do not go together', () => {
  it.each([
    ['enable_watch_timer false\nenable_stat_watcher false', /either of enable_watch_timer/],
    ['enable_watch_timer false\nread_bytes_limit_per_second 64k', /Need to enable watch timer/],
    ['follow_inodes true', /without pos_file/],
    ['glob_policy always', /cannot use glob_policy as always/],
    ['glob_policy extended\npath /l/{a,b}*', /cannot include curly braces/],
    ['path " , "', /'path' parameter is required/],
    ['path_timezone Mars/North', /no time zone "Mars\/North"/],
    ['from_encoding euc-jp', /must be specified with 'encoding'/],
    ['encoding nonsense', /unknown encoding name - nonsense/],
    ['encoding utf-8\nfrom_encoding nonsense', /unknown encoding name - nonsense/],
    ['encoding euc-jp\nfrom_encoding utf-8', /to UTF-8 only/],
    ['<group>\n<rule>\nmatch {"pod": "/x/"}\nlimit 1\n</rule>\n</group>', /no group "pod"/],
    ['<group>\n<rule>\nmatch {"podname": "/(/"}\nlimit 1\n</rule>\n</group>', /invalid regexp/],
  ])('%s', (lines, message) => {
    const text = lines.includes('path ') ? base.replace('path /l/a\n', '') : base
    let thrown: unknown
    try {
      createTail(`${lines}\n${text}`)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(ConfigError)
    expect((thrown as ConfigError).message).toMatch(message)
    expect((thrown as ConfigError).position?.line).toBeGreaterThan(0)
  })

  it('claims its pos_file', () => {
    expect(createTail(`pos_file /pos\n${base}`).source.claims).toEqual(['file:/pos'])
    expect(createTail(base).source.claims).toEqual([])
  })

  it('takes a usage behind `<parse`, for which nothing asks', () => {
    const text = base.replace('<parse>', '<parse any_usage>')
    expect(createTail(text).source.claims).toEqual(createTail(base).source.claims)
  })

  it.each([
    ['/var/log/a.log', 'var.log.a.log'],
    ['//var///log/a..log', 'var.log.a.log'],
    ['relative/a.log', 'relative.a.log'],
  ])('%s in a tag: %s', (path, tag) => {
    expect(tagOfPath(path)).toBe(tag)
  })
})
