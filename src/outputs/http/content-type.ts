import { positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { HttpParams } from './shape.ts'

const byFormat: Readonly<Record<string, string>> = {
  json: 'application/x-ndjson',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  ltsv: 'text/tab-separated-values',
  msgpack: 'application/x-msgpack',
  out_file: 'text/plain',
  single_value: 'text/plain',
  stdout: 'text/plain',
  hash: 'text/plain',
}

/** Throws ConfigError where the format does not say it. */
export function contentTypeOf(params: HttpParams): string {
  if (params.contentType !== undefined) return params.contentType
  const { type, position } = params.format
  if (type === 'json' && params.jsonArray) return 'application/json'
  const known = Object.hasOwn(byFormat, type) ? byFormat[type] : undefined
  if (known !== undefined) return known
  throw new ConfigError(
    "can't determine Content-Type from formatter type. Set content_type parameter explicitly",
    { position: position ?? positionOf(params) },
  )
}
