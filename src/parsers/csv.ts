import { defineParser } from '../config/define.ts'
import { array, enumeration, positionOf, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { ParserError } from '../core/parser.ts'
import type { MsgMap } from '../core/value.ts'
import { createParserBase, parserParams } from './base.ts'
import { textOf } from './text-of.ts'

export const csvParser = defineParser({
  name: 'csv',
  summary: 'Reads comma-separated values, with quotes where they are needed.',
  shape: {
    params: {
      ...parserParams,
      keys: array({ description: 'Names of the columns.', required: true }),
      delimiter: string({ description: 'What stands between columns.', default: ',' }),
      parser_engine: enumeration(['normal', 'fast'], {
        description: 'fast takes whatever quotes there are; normal refuses those in wrong places.',
        default: 'normal',
        alias: 'parser_type',
      }),
    },
  },
  create(params, context) {
    const base = createParserBase(params, context)
    const { keys, delimiter } = params
    if (delimiter === '') {
      throw new ConfigError('delimiter must not be empty', {
        position: positionOf(params, 'delimiter'),
      })
    }
    const fast = params.parserEngine === 'fast'
    return {
      parse(value) {
        const text = textOf(value)
        if (text instanceof ParserError) return [text]
        const columns = fast ? looseColumns(text, delimiter) : strictColumns(text, delimiter)
        if (columns === undefined || columns instanceof ParserError) return [columns]
        const record: MsgMap = new Map()
        const count = fast ? Math.min(columns.length, keys.length) : keys.length
        for (let i = 0; i < count; i++) record.set(keys[i] as string, columns[i] ?? null)
        return [base.finish(record)]
      },
    }
  },
})

type Columns = (string | null)[]

/** The first line of a CSV text (RFC 4180, as Ruby's csv reads it). undefined: the text is empty. */
function strictColumns(text: string, delimiter: string): Columns | ParserError | undefined {
  if (text === '') return undefined
  const columns: Columns = []
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1)
      if (end < 0) return new ParserError('parse failed Unclosed quoted field in line 1.')
      columns.push(text.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
    } else {
      const end = fieldEnd(text, at, delimiter)
      const field = text.slice(at, end)
      if (field.includes('"')) return new ParserError('parse failed Illegal quoting in line 1.')
      columns.push(field === '' ? null : field)
      at = end
    }
    if (at >= text.length || text[at] === '\n' || text[at] === '\r') return columns
    if (!text.startsWith(delimiter, at)) {
      return new ParserError("parse failed Any value after quoted field isn't allowed in line 1.")
    }
    at += delimiter.length
  }
}

/** A doubled quote is a quote inside the field. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
  return at
}

function fieldEnd(text: string, from: number, delimiter: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\n' || text[at] === '\r' || text.startsWith(delimiter, at)) return at
  }
  return text.length
}

/** Columns as the fast engine divides them: quotes count where a column begins with one. */
function looseColumns(text: string, delimiter: string): Columns {
  const line = text.replace(/\r?\n$|\r$/, '')
  if (line === '') return []
  const pieces = line.split(delimiter)
  const columns: Columns = []
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] as string
    const quotes = piece.split('"').length - 1
    if (quotes === 0) columns.push(piece === '' ? null : piece)
    else if (quotes === 1) {
      const merged = [piece]
      if (piece.startsWith('"')) {
        while (i + 1 < pieces.length) {
          i += 1
          merged.push(pieces[i] as string)
          if ((pieces[i] as string).endsWith('"')) break
        }
        columns.push(merged.join(delimiter).slice(1, -1))
      } else columns.push(piece)
    } else {
      const quoted = piece.startsWith('"') && piece.endsWith('"')
      const inside = quoted ? piece.slice(1, -1) : piece
      columns.push(quotes > 2 ? inside.replaceAll('""', '"') : inside)
    }
  }
  return columns
}
