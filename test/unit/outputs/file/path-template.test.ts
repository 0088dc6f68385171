import { describe, expect, it } from 'vitest'
import { type PathOptions, pathTemplate } from '../../../../src/outputs/file/path-template.ts'

const base: PathOptions = {
  path: '/out/log',
  timekeySeconds: 86_400,
  append: false,
  suffix: '.log',
  compressSuffix: '',
  position: undefined,
}

describe('names of files', () => {
  it.each<[string, Partial<PathOptions>, string]>([
    ['day', {}, '/out/log.%Y%m%d_**.log'],
    ['week', { timekeySeconds: 604_800 }, '/out/log.%Y%m%d_**.log'],
    ['hour', { timekeySeconds: 3600 }, '/out/log.%Y%m%d%H_**.log'],
    ['ten minutes', { timekeySeconds: 600 }, '/out/log.%Y%m%d%H%M_**.log'],
    ['seconds', { timekeySeconds: 10 }, '/out/log.%Y%m%d%H%M%S_**.log'],
    ['append', { append: true }, '/out/log.%Y%m%d.log'],
    ['no slices', { timekeySeconds: undefined }, '/out/log_**.log'],
    ['no slices, append', { timekeySeconds: undefined, append: true }, '/out/log.log'],
    ['suffix', { suffix: '.txt', compressSuffix: '.gz' }, '/out/log.%Y%m%d_**.txt.gz'],
    ['star', { path: '/out/a.*.data' }, '/out/a.%Y%m%d_**.data'],
    [
      'star, append',
      { path: '/out/a.*', append: true, compressSuffix: '.zstd' },
      '/out/a.%Y%m%d.zstd',
    ],
    ['times in the path', { path: '/out/%Y/%m-%d/h%H' }, '/out/%Y/%m-%d/h%H_**.log'],
  ])('%s', (_name, options, expected) => {
    expect(pathTemplate({ ...base, ...options })).toBe(expected)
  })

  it.each<[string, Partial<PathOptions>, string]>([
    ['star without slices', { path: '/a.*', timekeySeconds: undefined }, "path including '*'"],
    ['some parts of the time', { path: '/%Y/a' }, 'insufficient timestamp placeholders in path'],
  ])('wrong: %s', (_name, options, words) => {
    expect(() => pathTemplate({ ...base, ...options })).toThrow(words)
  })
})
