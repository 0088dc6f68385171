import type { FilterDefinition } from '../config/define.ts'
import { grepFilter } from './grep/index.ts'

export const filters: readonly FilterDefinition[] = [grepFilter]
