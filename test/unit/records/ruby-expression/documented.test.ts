import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { methodNames } from '../../../../src/records/ruby-expression/methods.ts'

it('docs/expressions.md lists the methods that there are, and no others', () => {
  const text = readFileSync('docs/expressions.md', 'utf8')
  const table = text.slice(text.indexOf('## Methods'), text.indexOf('Blocks ('))
  const listed = [...table.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string)
  expect(new Set(listed.filter((name) => name !== 'nil'))).toEqual(new Set(methodNames))
})
