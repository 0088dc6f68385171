import type { ParserDefinition } from '../config/define.ts'
import { jsonParser } from './json.ts'
import { ltsvParser } from './ltsv.ts'
import { noneParser } from './none.ts'
import { regexpParser } from './regexp.ts'

export const parsers: readonly ParserDefinition[] = [
  jsonParser,
  ltsvParser,
  noneParser,
  regexpParser,
]
