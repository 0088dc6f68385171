import { defineFilter, type PluginContext } from '../../config/define.ts'
import { type BoundPlugin, bool, plugin, positionOf, string } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Filter } from '../../core/filter.ts'
import { type Parsed, type ParseItem, type Parser, ParserError } from '../../core/parser.ts'
import { type MsgMap, type MsgValue, RawString } from '../../core/value.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { decodeRecord, eachEntry, valueAt } from '../../msgpack/entries.ts'
import { MsgpackError, skipValue } from '../../msgpack/walk.ts'
import { fieldText } from '../../text/field-text.ts'
import {
  deleteValue,
  type PackedPath,
  packedPath,
  parseRecordPath,
  type RecordPath,
  RecordPathError,
} from '../../text/record-path.ts'
import { scrub } from '../../text/ruby-text.ts'

/** Characters of a text that does not match, as far as they are shown. */
const shownTextChars = 1024

export const parserFilter = defineFilter({
  name: 'parser',
  summary: "Parses a field's text and puts the result in the record's place, or beside it.",
  shape: {
    params: {
      key_name: string({
        description: 'The field to parse: a key, or a path such as $.a.b.',
        required: true,
      }),
      reserve_data: bool({
        description: "Keep the record's own fields; those of the parsed text win.",
        default: false,
      }),
      reserve_time: bool({
        description: "Keep the event's own time, whatever the text says.",
        default: false,
      }),
      remove_key_name_field: bool({
        description: 'With reserve_data: take the parsed field away where parsing succeeds.',
        default: false,
      }),
      inject_key_prefix: string({ description: 'Stands before the keys of parsed fields.' }),
      replace_invalid_sequence: bool({
        description:
          'Parse a text that is not UTF-8 with question marks in place of its bad bytes.',
        default: false,
      }),
      hash_value_field: string({ description: 'Put the parsed fields into this one field.' }),
      emit_invalid_record_to_error: bool({
        description: 'Send events that cannot be parsed to @ERROR.',
        default: true,
      }),
    },
    sections: {
      parse: plugin('parser', { description: 'How to parse.', required: true }),
    },
  },
  create(params, context) {
    return new ParserFilter(params, context)
  },
})

interface Params {
  readonly keyName: string
  readonly reserveData: boolean
  readonly reserveTime: boolean
  readonly removeKeyNameField: boolean
  readonly injectKeyPrefix: string | undefined
  readonly replaceInvalidSequence: boolean
  readonly hashValueField: string | undefined
  readonly emitInvalidRecordToError: boolean
  readonly parse: BoundPlugin
}

/** The event at hand: borrowed bytes, and where they divide. */
interface Event {
  readonly packed: Uint8Array
  readonly start: number
  readonly timeEnd: number
  readonly end: number
}

/** Fluentd's name for a field that is not there, and its words. */
class MissingFieldError extends Error {
  override readonly name = 'ArgumentError'
}

class ParserFilter implements Filter {
  private readonly params: Params
  private readonly context: PluginContext
  private readonly parser: Parser
  private readonly path: RecordPath
  private readonly packedPath: PackedPath
  private readonly encoder = new Encoder()
  private tag = ''
  private count = 0

  constructor(params: Params, context: PluginContext) {
    this.params = params
    this.context = context
    this.path = parseRecordPath(params.keyName, positionOf(params, 'keyName'))
    this.packedPath = packedPath(this.path)
    this.parser = context.createParser(params.parse)
  }

  apply(batch: Batch): Batch | undefined {
    const { encoder } = this
    const { packed, tag } = batch
    encoder.reset()
    this.count = 0
    this.tag = tag
    eachEntry(packed, (start, timeEnd, end) => this.event({ packed, start, timeEnd, end }))
    const { count } = this
    return count === 0 ? undefined : { tag, packed: encoder.bytes, count }
  }

  private event(event: Event): void {
    let at: number
    try {
      at = this.packedPath.find(event.packed, event.timeEnd)
    } catch (error) {
      if (!(error instanceof RecordPathError)) throw error
      this.fail(event, error)
      return
    }
    const value = at < 0 ? null : valueAt(event.packed, at)
    if (value === null) {
      if (this.params.reserveData) this.keep(event)
      this.fail(event, new MissingFieldError(`${this.params.keyName} does not exist`))
      return
    }
    for (const item of this.parse(value)) {
      if (item instanceof ParserError) {
        this.fail(event, item)
        return
      }
      if (item === undefined) this.noMatch(event, value)
      else this.add(event, item)
    }
  }

  private parse(value: MsgValue): readonly ParseItem[] {
    const items = this.parser.parse(value)
    const [first] = items
    const again =
      this.params.replaceInvalidSequence &&
      value instanceof RawString &&
      first instanceof ParserError &&
      first.invalidBytes
    return again ? this.parser.parse(scrub(value.bytes, '?')) : items
  }

  private noMatch(event: Event, value: MsgValue): void {
    const shown = fieldText(value).slice(0, shownTextChars)
    this.fail(event, new ParserError(`pattern not matched with data '${shown}'`))
    if (this.params.reserveData) this.keep(event)
  }

  /** The event as it came, beside whose fields nothing was parsed. */
  private keep(event: Event): void {
    const { hashValueField } = this.params
    if (hashValueField === undefined) {
      this.encoder.raw(event.packed, event.start, event.end)
      this.count += 1
      return
    }
    const record = decodeRecord(event.packed, event.timeEnd)
    record.set(hashValueField, new Map())
    this.write(event, undefined, record)
  }

  private add(event: Event, { time, record: parsed }: Parsed): void {
    const { params } = this
    const values = this.arranged(parsed)
    let record = values
    if (params.reserveData) {
      record = decodeRecord(event.packed, event.timeEnd)
      if (params.removeKeyNameField) deleteValue(record, this.path)
      for (const [key, value] of values) record.set(key, value)
    }
    this.write(event, params.reserveTime ? undefined : time, record)
  }

  /** With the prefix before their keys, and inside the one field. */
  private arranged(parsed: MsgMap): MsgMap {
    const { injectKeyPrefix, hashValueField } = this.params
    let values = parsed
    if (injectKeyPrefix !== undefined) {
      values = new Map([...parsed].map(([key, value]) => [prefixed(injectKeyPrefix, key), value]))
    }
    return hashValueField === undefined ? values : new Map([[hashValueField, values]])
  }

  /** `time` undefined: the event's own. */
  private write(event: Event, time: Parsed['time'], record: MsgMap): void {
    const { encoder } = this
    const mark = encoder.length
    if (time === undefined) encoder.raw(event.packed, event.start, event.timeEnd)
    else encoder.entry(time)
    encoder.value(record)
    try {
      // A text may be nested as deep as an event may be, and land one level deeper.
      if (this.params.hashValueField !== undefined) skipValue(encoder.bytes, mark)
    } catch (error) {
      if (!(error instanceof MsgpackError)) throw error
      encoder.truncate(mark)
      this.fail(event, error)
      return
    }
    this.count += 1
  }

  private fail(event: Event, error: Error): void {
    if (!this.params.emitInvalidRecordToError) return
    const packed = event.packed.subarray(event.start, event.end)
    this.context.emitError({ tag: this.tag, packed, count: 1 }, error)
  }
}

function prefixed(prefix: string, key: MsgValue): MsgValue {
  if (!(key instanceof RawString)) return `${prefix}${fieldText(key)}`
  return new RawString(Buffer.concat([Buffer.from(prefix), key.bytes]))
}
