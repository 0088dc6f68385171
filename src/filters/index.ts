import type { FilterDefinition } from '../config/define.ts'
import { concatFilter } from './concat/index.ts'
import { grepFilter } from './grep/index.ts'
import { parserFilter } from './parser/index.ts'
import { recordModifierFilter } from './record_modifier/index.ts'
import { recordTransformerFilter } from './record_transformer/index.ts'
import { renameKeyFilter } from './rename_key/index.ts'
import { stdoutFilter } from './stdout/index.ts'

export const filters: readonly FilterDefinition[] = [
  concatFilter,
  grepFilter,
  parserFilter,
  recordModifierFilter,
  recordTransformerFilter,
  renameKeyFilter,
  stdoutFilter,
]
