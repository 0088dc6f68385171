import { defineFilter, type PluginContext } from '../../config/define.ts'
import { positionOf } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import { ConfigError, type Position } from '../../core/errors.ts'
import type { Filter } from '../../core/filter.ts'
import type { MsgValue } from '../../core/value.ts'
import { decode } from '../../msgpack/decode.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { MsgpackError, skipValue } from '../../msgpack/walk.ts'
import { compileExpression, ExpressionError, Scope } from '../../records/ruby-expression/index.ts'
import { LogLimiter } from '../../routing/log-limiter.ts'
import { parseRecordPath, type RecordPath } from '../../text/record-path.ts'
import { formatTime } from '../../time/format-time.ts'
import { compileStrftime } from '../../time/strftime.ts'
import { localZone } from '../../time/zones.ts'
import { EventView } from './event-view.ts'
import { type FieldTemplate, Patcher, planPatch } from './patch.ts'
import { TagWords } from './placeholders.ts'
import { Rebuilder, TransformError } from './rebuild.ts'
import { type RecordTransformerParams, recordTransformerShape } from './shape.ts'
import {
  compileTemplate,
  constantTemplate,
  type Knowledge,
  type ReadCode,
  resolve,
  type TemplatePair,
  textTemplate,
} from './template.ts'

/** Tags whose templates are kept filled in. */
const tagLimit = 256

/** Sets and removes fields. Top-level fields are patched into the packed bytes; records are decoded only where more is asked. */
export const recordTransformerFilter = defineFilter({
  name: 'record_transformer',
  summary: 'Sets and removes fields of records.',
  shape: recordTransformerShape,
  create(params, context) {
    if (params.keepKeys !== undefined && !params.renewRecord) {
      throw new ConfigError('`renew_record` must be true to use `keep_keys`', {
        position: positionOf(params, 'keepKeys'),
      })
    }
    return new RecordTransformer(params, context)
  },
})

interface Transform {
  /** Writes the entry anew, and returns where the old one ends. */
  entry(packed: Uint8Array, start: number, timeEnd: number): number
}

class RecordTransformer implements Filter {
  private readonly params: RecordTransformerParams
  private readonly context: PluginContext
  private readonly limiter: LogLimiter
  private readonly fields: readonly TemplatePair[]
  private readonly removed: readonly RecordPath[]
  private readonly encoder = new Encoder()
  private readonly view: EventView
  private readonly scope: Scope | undefined
  private readonly transforms = new Map<string, Transform>()

  constructor(params: RecordTransformerParams, context: PluginContext) {
    this.params = params
    this.context = context
    this.limiter = new LogLimiter(context.host.clock)
    this.removed = (params.removeKeys ?? []).map((key) =>
      parseRecordPath(key, positionOf(params, 'removeKeys')),
    )
    this.fields = compileFields(params, context)
    this.scope = params.enableRuby ? new Scope() : undefined
    this.view = new EventView({
      scope: this.scope,
      timeText: rubyTimeText(context),
      onMissing: (written) => this.warnUnknown(written),
    })
  }

  apply(batch: Batch): Batch | undefined {
    const { packed, tag } = batch
    const { encoder } = this
    const transform = this.transformFor(tag)
    this.scope?.setTag(tag)
    encoder.reset()
    let count = 0
    for (let start = 0; start < packed.length; ) {
      const timeEnd = skipValue(packed, start + 1)
      const mark = encoder.length
      try {
        start = transform.entry(packed, start, timeEnd)
        count += 1
      } catch (error) {
        if (!isDataError(error)) throw error
        encoder.truncate(mark)
        const end = skipValue(packed, timeEnd)
        this.context.emitError({ tag, packed: packed.subarray(start, end), count: 1 }, error)
        start = end
      }
    }
    return count === 0 ? undefined : { tag, packed: encoder.bytes, count }
  }

  private transformFor(tag: string): Transform {
    const known = this.transforms.get(tag)
    if (known !== undefined) return known
    if (this.transforms.size >= tagLimit) this.transforms.clear()
    const made = this.createTransform(tag)
    this.transforms.set(tag, made)
    return made
  }

  private createTransform(tag: string): Transform {
    const { params, view, encoder } = this
    const knowledge: Knowledge = {
      tag: new TagWords(tag),
      hostname: this.context.host.hostname,
      onUnknown: (written) => this.warnUnknown(written),
    }
    const fields = this.fields.map(({ key, value }) => ({
      key: resolve(key, knowledge),
      value: resolve(value, knowledge),
    }))
    const plain = withFixedKeys(fields)
    const removed = this.removed.flatMap(({ keys }) =>
      keys.length === 1 && typeof keys[0] === 'string' ? [keys[0]] : [],
    )
    const canPatch =
      plain !== undefined &&
      removed.length === this.removed.length &&
      params.keepKeys === undefined &&
      params.renewTimeKey === undefined
    if (canPatch) {
      const { renewRecord } = params
      return new Patcher(planPatch(plain, { removed, renewRecord }), view, encoder)
    }
    const plan = {
      fields,
      removed: this.removed,
      renewRecord: params.renewRecord,
      keepKeys: params.keepKeys ?? [],
      renewTimeKey: params.renewTimeKey,
    }
    return new Rebuilder(plan, view, encoder)
  }

  private warnUnknown(written: string): void {
    const message = `unknown placeholder \`${written}\` found`
    this.limiter.run({}, (fields) => this.context.log.warn(message, fields))
  }
}

/** What an event, not a bug, brings about. */
function isDataError(error: unknown): error is Error {
  return (
    error instanceof MsgpackError ||
    error instanceof TransformError ||
    error instanceof ExpressionError
  )
}

/** undefined: a key depends on the event. Of fields with one key the last value counts. */
function withFixedKeys(fields: readonly TemplatePair[]): readonly FieldTemplate[] | undefined {
  const byKey = new Map<string, FieldTemplate>()
  for (const { key, value } of fields) {
    const name = key.kind === 'packed' ? decode(key.bytes) : undefined
    if (key.kind !== 'packed' || typeof name !== 'string') return undefined
    byKey.set(name, { key: name, keyBytes: key.bytes, value })
  }
  return [...byKey.values()]
}

function compileFields(
  params: RecordTransformerParams,
  context: PluginContext,
): readonly TemplatePair[] {
  const fields = new Map<string, TemplatePair>()
  for (const section of params.record) {
    for (const [name, written] of section.extra) {
      const typed: MsgValue | undefined = section.extraTyped.get(name)
      const onBadJson = (reason: string) =>
        context.log.warn(`failed to parse ${written} as json. Assuming ${written} is a string`, {
          error: reason,
        })
      const readCode = codeReader(params, context, section.extraPlaces?.get(name))
      const { autoTypecast } = params
      const value =
        typed === undefined
          ? compileTemplate(written, { autoTypecast, onBadJson, readCode })
          : constantTemplate(typed)
      fields.set(name, { key: textTemplate(name, false, readCode), value })
    }
  }
  return [...fields.values()]
}

function codeReader(
  params: RecordTransformerParams,
  context: PluginContext,
  position: Position | undefined,
): ReadCode | undefined {
  if (!params.enableRuby) return undefined
  const { hostname, env, clock } = context.host
  const world = { hostname, env, clock, timeIsTime: true, tagRanges: true }
  return (written, asText) => compileExpression(written, { world, asText, position })
}

/** As Ruby prints a time, in local time; the last second is kept. */
function rubyTimeText(context: PluginContext): (seconds: number) => string {
  const steps = compileStrftime('%Y-%m-%d %H:%M:%S %z')
  const zone = localZone(context.host.clock)
  let last = Number.NaN
  let text = ''
  return (seconds) => {
    if (seconds !== last) {
      text = formatTime(steps, zone, seconds, 0)
      last = seconds
    }
    return text
  }
}
