import type { FormatterDefinition } from '../config/define.ts'
import { csvFormatter } from './csv/index.ts'
import { hashFormatter } from './hash/index.ts'
import { jsonFormatter } from './json/index.ts'
import { ltsvFormatter } from './ltsv/index.ts'
import { msgpackFormatter } from './msgpack/index.ts'
import { outFileFormatter } from './out_file/index.ts'
import { singleValueFormatter } from './single_value/index.ts'
import { stdoutFormatter } from './stdout/index.ts'
import { tsvFormatter } from './tsv/index.ts'

/** Every formatter: what `<format>` may name. */
export const formatters: readonly FormatterDefinition[] = [
  csvFormatter,
  hashFormatter,
  jsonFormatter,
  ltsvFormatter,
  msgpackFormatter,
  outFileFormatter,
  singleValueFormatter,
  stdoutFormatter,
  tsvFormatter,
]
