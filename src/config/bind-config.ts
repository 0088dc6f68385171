import { ConfigError, type Position } from '../core/errors.ts'
import { bindPlain, bindPluginElement, titleOf } from './bind.ts'
import { type BindContext, createBindContext } from './bind-reserved.ts'
import type { BindResult, BoundConfig, BoundPipeline } from './bind-types.ts'
import type { Element } from './element.ts'
import type { PluginRegistry } from './registry.ts'
import type { BoundPlugin } from './schema.ts'
import { didYouMean } from './suggest.ts'
import { type SystemConfig, systemShape, withoutEffect } from './system.ts'

/**
 * The whole file (lib/fluent/root_agent.rb): what may stand where, labels and workers, and every
 * plugin bound. All errors are collected; `bound` is there only without any.
 */
export function bindConfig(
  root: Element,
  options: {
    readonly registry: PluginRegistry
    /** Which <worker> sections count; 0, and the only one, where it is left out. */
    readonly workerId?: number | undefined
    /** Number of workers, where the command line says so. */
    readonly workers?: number | undefined
  },
): BindResult<BoundConfig> {
  const context = createBindContext(options.registry)
  const system = bindSystem(root, context)
  // Where <system> itself is wrong, no number of workers is held against <worker>.
  const workers = options.workers ?? system?.workers ?? Number.POSITIVE_INFINITY
  const collector: Collector = { context, sources: [], stages: [], labels: new Map() }
  for (const setting of root.params) {
    context.warnings.push({
      message: `parameter '${setting.name}' in <ROOT> is not used.`,
      position: setting.namePosition,
      hint: 'parameters stand in sections such as <source> or <match>',
    })
  }
  for (const element of root.children) {
    if (element.name !== 'worker' && element.name !== 'system') collect(element, collector, 'ROOT')
  }
  collectWorkers(root, collector, { workers, workerId: options.workerId ?? 0 })
  const { errors, warnings } = context
  if (errors.length > 0 || system === undefined) return { bound: undefined, errors, warnings }
  const top: BoundPipeline = { label: 'ROOT', position: undefined, stages: collector.stages }
  const bound = { system, sources: collector.sources, root: top, labels: collector.labels }
  return { bound, errors, warnings }
}

interface Collector {
  readonly context: BindContext
  readonly sources: BoundPlugin[]
  readonly stages: BoundPlugin[]
  readonly labels: Map<string, BoundPipeline>
}

function fail(context: BindContext, message: string, position: Position, hint?: string): void {
  context.errors.push(
    new ConfigError(message, hint === undefined ? { position } : { position, hint }),
  )
}

const topLevel = ['source', 'match', 'filter', 'label', 'system', 'worker']

function collect(element: Element, into: Collector, parent: string): void {
  const { context } = into
  switch (element.name) {
    case 'source':
      keep(bindPluginElement('source', element, context), into.sources)
      if (element.argument !== '') {
        context.warnings.push({
          message: `the argument of <${titleOf(element)}> is not used.`,
          position: element.argumentPosition,
        })
      }
      break
    case 'filter':
    case 'match':
      stage(element, into.stages, context)
      break
    case 'label':
      label(element, into)
      break
    default:
      unused(element, parent, context, topLevel)
  }
}

function keep(bound: BoundPlugin | undefined, into: BoundPlugin[]): void {
  if (bound !== undefined) into.push(bound)
}

function stage(element: Element, stages: BoundPlugin[], context: BindContext): void {
  const kind = element.name === 'filter' ? 'filter' : 'output'
  keep(bindPluginElement(kind, element, context, { defaultArgument: '**' }), stages)
}

function unused(
  element: Element,
  parent: string,
  context: BindContext,
  known: readonly string[],
): void {
  const hint =
    didYouMean(element.name, known) ??
    (element.name === 'include' ? 'write @include path instead' : undefined)
  context.warnings.push({
    message: `section <${element.name}> is not used in <${parent}>`,
    position: element.position,
    hint,
  })
}

function label(element: Element, into: Collector): void {
  const { context } = into
  const name = element.argument
  const position = element.argumentPosition ?? element.position
  if (name === '') {
    const hint = 'write a name that begins with @, such as <label @SYSTEM>'
    fail(context, 'Missing symbol argument on <label> directive', position, hint)
  } else if (name === '@ROOT') {
    fail(context, '@ROOT for <label> is not permitted, reserved for getting root router', position)
  } else if (!name.startsWith('@')) {
    context.warnings.push({
      message: `the name of <label ${name}> does not begin with @`,
      position,
      hint: `labels are written with it in Fluentd: <label @${name}>`,
    })
  }
  const before = into.labels.get(name)
  if (name !== '' && before !== undefined) {
    const at = before.position
    const hint = at && `it stands at ${at.file}:${at.line} already: put both into one section`
    fail(context, `<label ${name}> is written twice`, position, hint)
  }
  const stages: BoundPlugin[] = []
  for (const child of element.children) {
    if (child.name === 'filter' || child.name === 'match') stage(child, stages, context)
    else unused(child, titleOf(element), context, ['filter', 'match'])
  }
  for (const setting of element.params) {
    context.warnings.push({
      message: `parameter '${setting.name}' in <${titleOf(element)}> is not used.`,
      position: setting.namePosition,
    })
  }
  if (before === undefined) {
    into.labels.set(name, { label: name, position: element.position, stages })
  }
}

// ---- <system>

function bindSystem(root: Element, context: BindContext): SystemConfig | undefined {
  const [first, second] = root.children.filter((child) => child.name === 'system')
  if (second !== undefined) {
    const message = '<system> is duplicated. <system> should be only one'
    fail(context, message, second.position, `the first one is on line ${first!.position.line}`)
  }
  const { position } = root
  const element: Element = first ?? {
    name: 'system',
    argument: '',
    params: [],
    children: [],
    position,
    argumentPosition: undefined,
  }
  const before = context.errors.length
  const bound = bindPlain(element, systemShape, context)
  for (const { name, value, namePosition } of element.params) {
    if (asksForNothing(name, value)) continue
    noteEffect(`'${name}' of <system>`, { name, position: namePosition, context })
  }
  for (const { name, position: at } of element.children) {
    noteEffect(`<${name}> of <system>`, { name, position: at, context })
  }
  return context.errors.length === before ? (bound as SystemConfig) : undefined
}

/** A switch that is left as Sluice has it anyway. */
function asksForNothing(name: string, value: string | undefined): boolean {
  const on = value === 'true' || value === 'yes' || value === ''
  return on === (name === 'enable_input_metrics')
}

function noteEffect(
  what: string,
  { name, position, context }: { name: string; position: Position; context: BindContext },
): void {
  const why = withoutEffect.get(name)
  if (why === undefined) return
  context.warnings.push({ message: `${what} has no effect in Sluice: ${why}`, position })
}

// ---- <worker>

function collectWorkers(
  root: Element,
  into: Collector,
  options: { workers: number; workerId: number },
): void {
  const used = new Set<number>()
  for (const element of root.children) {
    if (element.name !== 'worker') continue
    const { context } = into
    const ids = workerIds(element, options.workers, context)
    // Ranges must not overlap; a section of one worker may stand beside any, as in Fluentd.
    for (const id of element.argument.includes('-') ? ids : []) {
      if (used.has(id)) {
        const message = `specified worker_id<${id}> collisions is detected on <worker> directive`
        fail(context, message, element.argumentPosition ?? element.position)
      }
      used.add(id)
    }
    // Sections of other workers are checked too; what they make is thrown away, their @ids are
    // their own.
    const ours = ids.includes(options.workerId)
    const target: Collector = {
      context: ours ? context : { ...context, ids: new Map() },
      sources: [],
      stages: [],
      labels: ours ? into.labels : new Map(),
    }
    const before = new Set(target.labels.keys())
    for (const child of element.children) {
      if (['source', 'match', 'filter', 'label'].includes(child.name)) {
        collect(child, target, titleOf(element))
      } else {
        fail(context, `<worker> section cannot have <${child.name}> directive`, child.position)
      }
    }
    if (!ours) continue
    const mark = (bound: BoundPlugin): BoundPlugin => ({ ...bound, workerCount: ids.length })
    into.sources.push(...target.sources.map(mark))
    into.stages.push(...target.stages.map(mark))
    for (const [name, pipeline] of into.labels) {
      if (before.has(name)) continue
      into.labels.set(name, { ...pipeline, stages: pipeline.stages.map(mark) })
    }
  }
}

/** `<worker 1>` and `<worker 0-3>`. */
function workerIds(element: Element, workers: number, context: BindContext): readonly number[] {
  const position = element.argumentPosition ?? element.position
  if (element.argument === '') {
    fail(context, 'Missing worker id on <worker> directive', position, 'write <worker 0>')
    return []
  }
  const range = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(element.argument)
  if (range === null) {
    const hint = 'write a number or a range: <worker 1>, <worker 0-3>'
    fail(context, `'${element.argument}' is no worker id`, position, hint)
    return []
  }
  const first = Number(range[1])
  const last = Number(range[2] ?? first)
  if (first > last) {
    const message = `greater first_worker_id<${first}> than last_worker_id<${last}> on <worker>`
    fail(context, message, position, 'write the smaller number first')
    return []
  }
  if (last > workers - 1) {
    const available = `Available worker id is between 0 and ${workers - 1}`
    const message = `worker id ${last} on <worker> directive is not allowed. ${available}`
    fail(context, message, position, "<system> says how many workers there are: 'workers'")
    return []
  }
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
