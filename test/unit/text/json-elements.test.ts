import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonError } from '../../../src/text/json.ts'
import { jsonElements } from '../../../src/text/json-elements.ts'

const elementsOf = (text: string) => {
  const bytes = Buffer.from(text)
  return [...jsonElements(bytes)].map(({ start, end }) => bytes.toString('utf8', start, end))
}

describe('jsonElements', () => {
  it.each([
    ['{"a":[1,2]}', ['{"a":[1,2]}']],
    ['', ['']],
    [' [] ', []],
    ['[ \n]', []],
    ['[1]', ['1']],
    ['[{"a":[1,{"b":","}]}, "]\\"," ,[1,2]]\n', ['{"a":[1,{"b":","}]}', ' "]\\"," ', '[1,2]']],
    ['[1,,2]', ['1', '', '2']],
  ])('%s', (text, expected) => {
    expect(elementsOf(text)).toEqual(expected)
  })

  it.each(['[', '[1', '[1,', '["a]', '["a\\"]', '[{]', '[1] x', '[]]', '[}]'])(
    '%s is broken',
    (text) => {
      expect(() => elementsOf(text)).toThrow(JsonError)
    },
  )

  it('finds what JSON.stringify has put together', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const found = elementsOf(JSON.stringify(values, undefined, 1))
        expect(found.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(values)))
      }),
    )
  })
})
