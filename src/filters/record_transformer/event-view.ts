import { isUtf8 } from 'node:buffer'
import { assert } from '../../core/errors.ts'
import { type MsgValue, RawString } from '../../core/value.ts'
import type { Encoder } from '../../msgpack/encode.ts'
import { decodeTime, valueAt } from '../../msgpack/entries.ts'
import { skipValue } from '../../msgpack/walk.ts'
import type { Expression, Scope } from '../../records/ruby-expression/index.ts'
import { fieldText } from '../../text/field-text.ts'
import { type Source, writtenForm } from './placeholders.ts'
import { type Template, valueDepth } from './template.ts'

/** One event as templates see it: where its fields stand in the packed bytes. Reused for all events. */
export class EventView {
  packed: Uint8Array = new Uint8Array(0)
  entryAt = 0
  /** By field key: offset of the value, or -1. Only of fields that templates ask for. */
  readonly offsets = new Map<string, number>()
  private readonly timeText: (seconds: number) => string
  private readonly onMissing: (written: string) => void
  /** What expressions see, where there are any. */
  private readonly scope: Scope | undefined

  constructor(options: {
    scope?: Scope | undefined
    timeText: (seconds: number) => string
    onMissing: (written: string) => void
  }) {
    this.timeText = options.timeText
    this.onMissing = options.onMissing
    this.scope = options.scope
  }

  /** The entry that starts at `entryAt`, and whose record at `recordAt`. */
  setEvent(packed: Uint8Array, entryAt: number, recordAt: number): void {
    this.packed = packed
    this.entryAt = entryAt
    this.scope?.setEvent(packed, entryAt, recordAt)
  }

  /** Writes what the template becomes for this event. `nesting`: containers of the template around it. Throws MsgpackError if that is too deep, ExpressionError where an expression fails. */
  write(encoder: Encoder, template: Template, nesting = 0): void {
    switch (template.kind) {
      case 'packed':
        encoder.raw(template.bytes)
        return
      case 'value':
        this.writeValue(encoder, template.source, nesting)
        return
      case 'text':
        encoder.value(this.text(template.parts))
        return
      case 'code':
        this.writeCode(encoder, template.run, nesting)
        return
      case 'map':
        encoder.mapHeader(template.pairs.length)
        for (const { key, value } of template.pairs) {
          this.write(encoder, key, nesting + 1)
          this.write(encoder, value, nesting + 1)
        }
        return
      case 'array':
        encoder.arrayHeader(template.items.length)
        for (const item of template.items) this.write(encoder, item, nesting + 1)
    }
  }

  private writeCode(encoder: Encoder, run: Expression, nesting: number): void {
    assert(this.scope !== undefined, 'expressions have a scope')
    const value = run(this.scope)
    const mark = encoder.length
    encoder.value(value)
    if (typeof value === 'object' && value !== null) {
      skipValue(encoder.bytes, mark, encoder.length, valueDepth - nesting)
    }
  }

  private writeValue(encoder: Encoder, source: Source, nesting: number): void {
    if (source.kind === 'time') {
      encoder.string(this.time())
      return
    }
    const at = this.find(source)
    if (at < 0) encoder.value(null)
    else {
      const end = skipValue(this.packed, at, this.packed.length, valueDepth - nesting)
      encoder.raw(this.packed, at, end)
    }
  }

  private find(source: Source): number {
    const at = source.kind === 'field' ? (this.offsets.get(source.key) ?? -1) : -1
    if (at < 0) this.onMissing(writtenForm(source))
    return at
  }

  /** Bytes that are not UTF-8 stay as they are in what is put together. */
  private text(parts: readonly (string | Source)[]): MsgValue {
    let text = ''
    let bytes: Buffer[] | undefined
    for (const part of parts) {
      const piece = typeof part === 'string' ? part : this.piece(part)
      if (typeof piece === 'string') {
        text += piece
        continue
      }
      bytes ??= []
      bytes.push(Buffer.from(text), Buffer.from(piece))
      text = ''
    }
    if (bytes === undefined) return text
    const whole = Buffer.concat([...bytes, Buffer.from(text)])
    return isUtf8(whole) ? whole.toString('utf8') : new RawString(whole)
  }

  private piece(source: Source): string | Uint8Array {
    if (source.kind === 'time') return this.time()
    const at = this.find(source)
    if (at < 0) return ''
    const value = valueAt(this.packed, at)
    if (value instanceof RawString) return value.bytes
    return value instanceof Uint8Array ? value : fieldText(value)
  }

  private time(): string {
    return this.timeText(decodeTime(this.packed, this.entryAt).seconds)
  }
}
