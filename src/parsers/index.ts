import type { ParserDefinition } from '../config/define.ts'
import { apache2Parser } from './apache2.ts'
import { criParser } from './cri.ts'
import { csvParser } from './csv.ts'
import { grokParser, multilineGrokParser } from './grok.ts'
import { inHttpParser } from './in-http.ts'
import { jsonParser } from './json.ts'
import { ltsvParser } from './ltsv.ts'
import { msgpackParser } from './msgpack.ts'
import { multiFormatParser } from './multi-format.ts'
import { multilineParser } from './multiline.ts'
import { noneParser } from './none.ts'
import { apacheErrorParser, apacheParser, nginxParser, regexpParser } from './regexp.ts'
import { syslogParser } from './syslog.ts'
import { tsvParser } from './tsv.ts'

export const parsers: readonly ParserDefinition[] = [
  apacheParser,
  apache2Parser,
  apacheErrorParser,
  criParser,
  csvParser,
  inHttpParser,
  grokParser,
  jsonParser,
  ltsvParser,
  msgpackParser,
  multiFormatParser,
  multilineParser,
  multilineGrokParser,
  nginxParser,
  noneParser,
  regexpParser,
  syslogParser,
  tsvParser,
]
