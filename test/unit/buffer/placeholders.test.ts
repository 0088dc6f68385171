import { describe, expect, it } from 'vitest'
import { type Chunking, chunkingOf } from '../../../src/buffer/chunk-keys.ts'
import { compileTemplate, validatePlaceholders } from '../../../src/buffer/placeholders.ts'
import { ConfigError } from '../../../src/core/errors.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'
import { bufferOf } from './support.ts'

function chunking(written: Readonly<Record<string, unknown>>): Chunking {
  return chunkingOf(bufferOf({ timekey_use_utc: true, ...written }), createVirtualClock())
}

const keys = chunking({ chunk_keys: ['tag', 'k', '$.n.id'] })
const all = chunking({ chunk_keys: ['time', 'tag', 'k', '$.n.id'], timekey: 86_400 })
const chunk = {
  id: 'c0ffee',
  metadata: {
    timekey: 1_699_920_000,
    tag: 'f.web.eu',
    variables: { k: 'red', '$.n.id': 'x1' } as Record<string, string | null>,
  },
}

describe('placeholders', () => {
  it.each([
    ['plain', 'plain'],
    ['a-${tag}-b', 'a-f.web.eu-b'],
    ['${tag[0]}/${tag[1]}/${tag[2]}', 'f/web/eu'],
    ['x_${tag[3]}_y', 'x__y'],
    ['${tag[-1]}.${tag[-3]}.${tag[-4]}', 'eu.f.'],
    ['${k}.${$.n.id}', 'red.x1'],
    ['${k}${k}', 'redred'],
    ['id-${chunk_id}', 'id-c0ffee'],
    ['${unknown}', '${unknown}'],
    ['${tag[x]} $tag {tag}', '${tag[x]} $tag {tag}'],
    ['%Y%m%d', '%Y%m%d'],
  ])('%s', (text, expected) => {
    expect(compileTemplate(text, keys).expand(chunk)).toBe(expected)
  })

  it('take strftime formats of the slice where there is one', () => {
    expect(compileTemplate('%Y/%m-%d/h%H.${tag}', all).expand(chunk)).toBe(
      '2023/11-14/h00.f.web.eu',
    )
  })

  it('leave percent signs of URLs alone', () => {
    expect(compileTemplate('/a%20b/${tag}', all, { time: false }).expand(chunk)).toBe(
      '/a%20b/f.web.eu',
    )
  })

  it('are not looked for in what a placeholder gave', () => {
    const hostile = { ...chunk, metadata: { ...chunk.metadata, tag: '${k}%Y${tag}' } }
    expect(compileTemplate('${tag}', all).expand(hostile)).toBe('${k}%Y${tag}')
  })

  it('give values, and only values, to whoever makes them harmless', () => {
    const template = compileTemplate('/${tag}/${k}/%Y', all)
    expect(template.expand(chunk, { harmless: (value) => value.toUpperCase() })).toBe(
      '/F.WEB.EU/RED/2023',
    )
  })

  it('of missing fields are empty', () => {
    const none = { ...chunk, metadata: { ...chunk.metadata, variables: { k: null } } }
    expect(compileTemplate('[${k}]', keys).expand(none)).toBe('[]')
  })

  it('follow Ruby where a tag ends in dots or is empty', () => {
    const of = (tag: string) =>
      compileTemplate('${tag[0]}|${tag[1]}|${tag[-1]}', keys).expand({
        id: '',
        metadata: { timekey: undefined, tag, variables: undefined },
      })
    expect([of('a.b..'), of('a..b'), of('')]).toEqual(['a|b|b', 'a||b', '||'])
  })

  it.each([
    ['/var/log/${tag}', '/var/log/', true],
    ['/var/log/%Y', '/var/log/', false],
    ['/var/log/x', '/var/log/x', false],
    ['/v/${chunk_id}', '/v/', false],
  ])('of %s: the literal start is %s', (text, prefix, hasValues) => {
    expect(compileTemplate(text, all)).toMatchObject({ prefix, hasValues })
  })
})

describe('configuration errors of placeholders', () => {
  const day = { chunk_keys: ['time'], timekey: 86_400 }
  it.each<[string, string, Readonly<Record<string, unknown>>, string | undefined]>([
    ['no key, no placeholder', '/x', {}, undefined],
    [
      'golden h-placeholders',
      '/x.${tag}.%Y%m%d_**.log',
      day,
      "has tag placeholders, but chunk key 'tag' is not configured",
    ],
    ['a tag key that is not used', '/x', { chunk_keys: ['tag'] }, "doesn't have tag placeholder"],
    ['a part of the tag is enough', '/x${tag[1]}', { chunk_keys: ['tag'] }, undefined],
    ['time without key', '/x%Y%m%d', {}, "has timestamp placeholders, but chunk key 'time'"],
    ['years alone tell nothing apart', '/x%Y', {}, undefined],
    ['key without time', '/x', day, "doesn't have timestamp placeholders for timekey 86400"],
    ['fine enough', '/x%Y%m%d', day, undefined],
    [
      'too fine for the timekey',
      '/x%Y%m%d%H',
      { chunk_keys: ['time'], timekey: 60 },
      "doesn't have timestamp placeholder for hour('%H') for timekey 60",
    ],
    ['field without key', '/${a}${b}', { chunk_keys: ['a'] }, "chunk keys doesn't have keys b"],
    [
      'key without field',
      '/${a}',
      { chunk_keys: ['a', '$.c', 'b'] },
      "doesn't have enough placeholders for keys $.c,b",
    ],
    ['chunk_id needs no key', '/${chunk_id}', {}, undefined],
  ])('%s', (_name, text, written, words) => {
    const check = () =>
      validatePlaceholders({ name: 'path', text, chunking: chunking(written), position: undefined })
    if (words === undefined) expect(check).not.toThrow()
    else {
      expect(check).toThrow(ConfigError)
      expect(check).toThrow(`Parameter 'path: ${text}' `)
      expect(check).toThrow(words)
    }
  })
})

describe('chunk keys', () => {
  it.each([
    ['golden h-timekey', { chunk_keys: ['time'] }, 'timekey is not configured'],
    ['characters', { chunk_keys: ['a b'] }, 'invalid char'],
    ['bracket notation', { chunk_keys: ["$['a']"] }, 'invalid char'],
    ['empty', { chunk_keys: [''] }, 'invalid char'],
    [
      'zone',
      { chunk_keys: ['time'], timekey: 60, timekey_use_utc: false, timekey_zone: 'Mars/Base' },
      "Unsupported timezone 'Mars/Base'",
    ],
  ])('wrong: %s', (_name, written, words) => {
    expect(() => chunking(written)).toThrow(words)
  })
})
