import type { FilterDefinition } from '../config/define.ts'
import { grepFilter } from './grep/index.ts'
import { recordTransformerFilter } from './record_transformer/index.ts'

export const filters: readonly FilterDefinition[] = [grepFilter, recordTransformerFilter]
