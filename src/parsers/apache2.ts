import { defineParser } from '../config/define.ts'
import { ParserError } from '../core/parser.ts'
import type { MsgMap, MsgValue } from '../core/value.ts'
import { compileRegexp } from '../text/regexp.ts'
import { createTimeReader, parserParams } from './base.ts'
import { regexpRecords } from './regexp-records.ts'
import { toInteger } from './types.ts'

/** Whatever time_format says. */
const accessTimeFormat = '%d/%b/%Y:%H:%M:%S %z'

const line =
  '/^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>(?:[^"]|\\\\")*?)(?: +\\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>(?:[^"]|\\\\")*)" "(?<agent>(?:[^"]|\\\\")*)")?$/'

export const apache2Parser = defineParser({
  name: 'apache2',
  summary: "Reads lines of Apache's access log: code and size as numbers, null for what is a dash.",
  shape: { params: parserParams },
  create(params, context) {
    const parseTime = createTimeReader(
      Object.create(params, { timeFormat: { value: accessTimeFormat } }),
      context,
    )
    return regexpRecords(compileRegexp(line), (found) => {
      const text = found.get('time') ?? null
      const time = parseTime(text)
      if (time instanceof ParserError) return time
      const record: MsgMap = new Map()
      for (const key of ['host', 'user']) record.set(key, dashed(found, key))
      for (const key of ['method', 'path']) record.set(key, found.get(key) ?? null)
      const code = toInteger(found.get('code') ?? '')
      record.set('code', code === 0 ? null : code)
      const size = dashed(found, 'size')
      record.set('size', size === null ? null : toInteger(size))
      for (const key of ['referer', 'agent']) record.set(key, dashed(found, key))
      if (params.keepTimeKey) record.set('time', text)
      return { time, record }
    })
  },
})

function dashed(found: MsgMap, key: string): MsgValue {
  const value = found.get(key)
  return value === undefined || value === '-' ? null : value
}
