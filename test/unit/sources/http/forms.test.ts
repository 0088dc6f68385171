import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundaryOf, formPairs, multipartPairs } from '../../../../src/sources/http/forms.ts'
import { Refusal } from '../../../../src/sources/http/refusal.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const pairs = (found: Iterable<[string, Uint8Array]>) =>
  [...found].map(([name, value]) => [Buffer.from(name, 'latin1').toString(), text(value)])

describe('forms', () => {
  it.each([
    ['', []],
    ['a', [['a', '']]],
    ['a=', [['a', '']]],
    ['=b', [['', 'b']]],
    ['&&a=1&', [['a', '1']]],
    [
      'a=b=c&d',
      [
        ['a', 'b=c'],
        ['d', ''],
      ],
    ],
    [
      'a=%2B+%zz%4&b=100%',
      [
        ['a', '+ %zz%4'],
        ['b', '100%'],
      ],
    ],
  ])('%s', (form, expected) => {
    expect(pairs(formPairs(Buffer.from(form)))).toEqual(expected)
  })

  it('reads what URLSearchParams has written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), {
          maxLength: 100,
        }),
        (given) => {
          const search = new URLSearchParams(given)
          expect(pairs(formPairs(Buffer.from(search.toString())))).toEqual([...search])
        },
      ),
    )
  })

  it('refuses more fields than a form has, empty ones too', () => {
    expect(() => [...formPairs(Buffer.alloc(32 * 1024 * 1024, '&'))]).toThrow(Refusal)
    expect(() => [...formPairs(Buffer.from('a&'.repeat(1_001)), new Set())]).toThrow(Refusal)
  })

  it('leaves out what is not wanted', () => {
    const found = formPairs(Buffer.from('a=1&json=2&b=3'), new Set(['json']))
    expect(pairs(found)).toEqual([['json', '2']])
  })
})

describe('multipart forms', () => {
  it.each([
    ['multipart/form-data; boundary=x', 'x'],
    ['multipart/form-data; charset=utf-8; Boundary="a b"', 'a b'],
    ['multipart/form-data', undefined],
    [`multipart/form-data; boundary="${'x'.repeat(71)}"`, undefined],
  ])('boundary of %s', (type, expected) => {
    expect(boundaryOf(type)).toBe(expected)
  })

  it('reads what FormData has written', async () => {
    const value = fc.uint8Array({ maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), value)),
        async (given) => {
          const form = new FormData()
          for (const [name, bytes] of given) form.append(name, new Blob([Uint8Array.from(bytes)]))
          const request = new Request('http://x', { method: 'POST', body: form })
          const boundary = boundaryOf(request.headers.get('content-type') ?? '') ?? ''
          const found = [...multipartPairs(Buffer.from(await request.arrayBuffer()), boundary)]
          expect(found.map(([name, bytes]) => [name, [...bytes]])).toEqual(
            given.map(([name, bytes]) => [name, [...bytes]]),
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  it.each([
    ['', []],
    ['no form', []],
    ['--B--\r\n', []],
    ['preamble\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--', [['a', '1']]],
    ['--B\r\n\r\nnameless\r\n--B--', []],
    ['--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--B--', [['a', '']]],
  ])('%s', (body, expected) => {
    expect(pairs(multipartPairs(Buffer.from(body), 'B'))).toEqual(expected)
  })

  it.each([
    '--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1',
    '--B\r\nContent-Disposition: form-data; name=a',
    `--B\r\n${'x'.repeat(20_000)}\r\n\r\n1\r\n--B--`,
    `${'--B\r\n\r\n\r\n'.repeat(1_002)}--B--`,
  ])('refuses a form that is cut or too large (%#)', (body) => {
    expect(() => [...multipartPairs(Buffer.from(body), 'B')]).toThrow(Refusal)
  })
})
