import { defineSource, type PluginContext } from '../../config/define.ts'
import { type Bound, bool, string, time } from '../../config/schema.ts'
import type { MemoryFigures, MemoryWatch, Timer } from '../../core/host.ts'
import type { Source } from '../../core/source.ts'
import type { MsgMap } from '../../core/value.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { currentTime } from '../../parsers/event-time.ts'

const shape = {
  params: {
    tag: string({ description: 'The tag of the events.', required: true }),
    emit_interval: time({
      description: 'Time between events.',
      default: 60,
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    use_symbol_keys: bool({
      description: 'Of Ruby; accepted, without effect.',
      default: true,
      differs: 'No effect: keys are texts.',
    }),
  },
} as const

/** `<source> @type gc_stat`: what the garbage collector does, as events. */
export const gcStatSource = defineSource({
  name: 'gc_stat',
  summary: 'Makes an event now and then that says how the garbage collector does.',
  description:
    "`count`, `minor_gc_count`, `major_gc_count` and `time` (milliseconds) are named as Ruby's and count from the start; `heap_used_bytes`, `heap_total_bytes`, `heap_limit_bytes`, `external_bytes` and `resident_bytes` are Node's.",
  shape,
  create: (params, context) => createGcStatSource(params, context),
})

function createGcStatSource(params: Bound<typeof shape>, context: PluginContext): Source {
  const { host, log } = context
  let watch: MemoryWatch | undefined
  let timer: Timer | undefined
  const later = () => {
    timer = host.clock.after(params.emitInterval * 1000, () => {
      later()
      if (watch !== undefined) emit(watch.read())
    })
  }
  const emit = (figures: MemoryFigures) => {
    const encoder = new Encoder()
    encoder.entry(currentTime(host.clock))
    encoder.value(recordOf(figures))
    const taken = context.router.emit({ tag: params.tag, packed: encoder.bytes, count: 1 })
    taken?.catch((error: unknown) => log.warn('an event could not be taken', { error }))
  }
  return {
    claims: [],
    async start() {
      watch ??= host.watchMemory()
      later()
    },
    async stop() {
      timer?.cancel()
      watch?.stop()
      watch = undefined
    },
  }
}

function recordOf(figures: MemoryFigures): MsgMap {
  const { minorCollections: minor, majorCollections: major } = figures
  return new Map(
    Object.entries({
      count: minor + major,
      time: Math.round(figures.collectionMs),
      minor_gc_count: minor,
      major_gc_count: major,
      heap_used_bytes: figures.heapUsedBytes,
      heap_total_bytes: figures.heapTotalBytes,
      heap_limit_bytes: figures.heapLimitBytes,
      external_bytes: figures.externalBytes,
      resident_bytes: figures.residentBytes,
    }),
  )
}
