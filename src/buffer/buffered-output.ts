import type { OutputDefinition, PluginContext } from '../config/define.ts'
import { type BoundPlugin, isWritten, positionOf } from '../config/schema.ts'
import type { Batch } from '../core/batch.ts'
import { BufferOverflowError, ConfigError } from '../core/errors.ts'
import type { Histogram } from '../core/metrics.ts'
import type { Output, OutputStatistics, Sink } from '../core/output.ts'
import { stagingKeyOf } from './adopt.ts'
import { type Aging, createAging } from './aging.ts'
import { takeArrivals } from './arrivals.ts'
import { createBackups } from './backup.ts'
import { type Books, createBooks, exposeBooks } from './books.ts'
import { type Chunking, chunkingOf, manyChunkKeys } from './chunk-keys.ts'
import { sayUncompressed } from './compress.ts'
import { createDelivery } from './delivery.ts'
import type { ChunkEnd, Delivery } from './delivery-contract.ts'
import { type Held, heldOf } from './held.ts'
import { Pacer, pacedBytes } from './pacer.ts'
import { type BufferPolicy, policyOf } from './policy.ts'
import { Receipts } from './receipts.ts'
import { createSecondary } from './secondary.ts'
import type { BufferParams } from './sections.ts'
import { createSplitter } from './split.ts'
import { createStaging, type Staging } from './staging.ts'
import { sayBooks, statisticsOf } from './statistics.ts'
import type { ChunkChange, ChunkStore, RecoveredChunk } from './store.ts'
import { storeOf } from './types.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface BufferedOutputOptions {
  readonly sink: Sink
  /** The bound <buffer>. */
  readonly buffer: BoundPlugin
  /** The bound <secondary>. */
  readonly secondary?: BoundPlugin | undefined
  /** slow_flush_log_threshold. */
  readonly slowFlushSeconds?: number
  readonly context: PluginContext
}

/**
 * Wraps a sink in its buffer: events are formatted into chunks by their chunk keys, chunks are flushed by size and
 * age, failed deliveries retried, and given to the secondary or up in the end. What happened to every event is in
 * the books: emitted = delivered + buffered + dropped. Pure until `start`. Throws ConfigError.
 */
export function createBufferedOutput(options: BufferedOutputOptions): Output {
  return new BufferedOutput(options)
}

/** The output of a bound section whose definition has `createSink`, with the buffer and secondary the section has. */
export function createBuffered(bound: BoundPlugin, context: PluginContext): Output {
  const { createSink } = bound.definition as Partial<OutputDefinition>
  const params = bound.params as {
    readonly buffer?: BoundPlugin
    readonly secondary?: BoundPlugin
    readonly slowFlushLogThreshold?: number
  }
  if (createSink === undefined || params.buffer === undefined) {
    throw new Error(`bug: output ${bound.type} has no sink or no buffer`)
  }
  return createBufferedOutput({
    sink: createSink(bound.params as never, context),
    buffer: params.buffer,
    secondary: params.secondary,
    ...(params.slowFlushLogThreshold === undefined
      ? {}
      : { slowFlushSeconds: params.slowFlushLogThreshold }),
    context,
  })
}

/**
 * What a chunk costs beside its events' bytes. Counted against total_limit_size, so that very many very small chunks cannot
 * take more memory than it says.
 */
const chunkOverheadBytes = 1024

const defaultSlowFlushSeconds = 20

class BufferedOutput implements Output {
  readonly claims: readonly string[]
  readonly persistent: boolean
  readonly #sink: Sink
  readonly #secondary: Sink | undefined
  readonly #context: PluginContext
  readonly #params: BufferParams
  readonly #chunking: Chunking
  readonly #policy: BufferPolicy
  readonly #store: ChunkStore
  readonly #books: Books
  readonly #staging: Staging
  readonly #delivery: Delivery
  readonly #aging: Aging
  readonly #pacer: Pacer
  readonly #waiting = new WaitingRoom()
  readonly #receipts = new Receipts()
  #flushSeconds: Histogram | undefined
  #recoveredEvents = 0
  #running = false
  #stopped: Promise<void> | undefined
  #pumpSoon = false

  constructor({ sink, buffer, secondary, slowFlushSeconds, context }: BufferedOutputOptions) {
    const { clock, random } = context.host
    this.#sink = sink
    this.#context = context
    this.#params = buffer.params as unknown as BufferParams
    checkParams(this.#params)
    this.#chunking = chunkingOf(buffer, clock)
    this.#secondary =
      secondary === undefined ? undefined : createSecondary(secondary, buffer, context)
    this.#store = storeOf(buffer, context)
    this.persistent = this.#store.persistent
    this.claims = [...(sink.claims ?? []), ...(this.#store.claims ?? [])]
    this.#policy = policyOf(this.#params, {
      persistent: this.#store.persistent,
      secondary: secondary !== undefined,
    })
    this.#books = createBooks(context)
    const { chunk, concurrency } = this.#policy
    this.#pacer = new Pacer(clock, Math.max(pacedBytes, (concurrency + 1) * chunk.bytes))
    this.#delivery = createDelivery({
      sink,
      secondary: this.#secondary,
      backup: createBackups(context, { disabled: this.#params.disableChunkBackup }),
      backupExhausted: this.#store.persistent && !this.#params.disableChunkBackup,
      policy: this.#policy.retry,
      concurrency: this.#policy.concurrency,
      slowFlushMs: (slowFlushSeconds ?? defaultSlowFlushSeconds) * 1000,
      clock,
      random,
      books: this.#books,
      log: context.log,
      refill: () => this.#refill(),
      onGone: (held, end) => this.#onGone(held, end),
      observeSeconds: (seconds) => this.#flushSeconds?.observe(seconds),
    })
    this.#aging = createAging({
      policy: this.#policy,
      timekeySeconds: this.#chunking.timekeySeconds,
      clock,
      staged: () => this.#staging.chunks(),
      queued: () => this.#delivery.length,
      seal: (held) => this.#staging.seal(held),
      onQueued: () => this.#pump(),
    })
    this.#staging = createStaging({
      store: this.#store,
      formatter: sink.formatter,
      split: createSplitter(this.#chunking, context.kernel),
      limits: this.#policy.chunk,
      clock,
      books: this.#books,
      log: context.log,
      onCreated: (held) => {
        this.#aging.watch(held)
        sink.onStaged?.(held.stored)
      },
      onChanged: (held, change) => this.#onChanged(held, change),
      onSealed: (held) => this.#delivery.enqueue(held),
      onAwaited: (held, receipt) => this.#receipts.add(held, receipt),
    })
  }

  async check(): Promise<void> {
    await this.#sink.check?.()
    await this.#secondary?.check?.()
  }

  async start(): Promise<void> {
    await this.check()
    const recovered = await this.#store.open((events) => this.#countRecovered(events, events))
    for (const chunk of recovered) this.#recover(chunk)
    if (recovered.length > 0)
      this.#context.log.info('chunks of an earlier run are delivered', {
        chunks: recovered.length,
        events: this.#recoveredEvents,
      })
    await this.#sink.start()
    await this.#secondary?.start()
    this.#sayWhatIsUnusual()
    this.#flushSeconds = exposeBooks(this.#context, this.#books, {
      events: () => this.#staging.totals.events + this.#delivery.totals.events,
      bytes: () => this.#bufferedBytes(),
      oldestSeconds: () => this.#oldestSeconds(),
    })
    this.#running = true
    this.#pump()
  }

  /** Events of an earlier run count as emitted, so that the books close. */
  #countRecovered(events: number, lost = 0): void {
    this.#recoveredEvents += events
    this.#books.emittedEvents += events
    this.#books.drop('damaged', lost)
  }

  #recover({ chunk, state }: RecoveredChunk): void {
    const { clock } = this.#context.host
    this.#countRecovered(chunk.count)
    const key = state === 'staged' ? stagingKeyOf(chunk.metadata, this.#chunking) : undefined
    if (key !== undefined) {
      const held = heldOf(chunk, clock, 'stage')
      chunk.changed = (change) => this.#onChanged(held, change)
      if (this.#staging.adopt(held, key)) return
    }
    const held = heldOf(chunk, clock, 'enqueue')
    chunk.changed = (change) => this.#onChanged(held, change)
    held.sealed = chunk.seal() ?? undefined
    this.#delivery.enqueue(held)
  }

  #onChanged(held: Held, change: ChunkChange): void {
    // A chunk that was dropped took all it had with it.
    if (held.state === 'closed') return
    if (held.state === 'staged') this.#staging.changed(held, change)
    else this.#delivery.changed(change)
    this.#books.drop(change.reason, -change.events)
  }

  #sayWhatIsUnusual(): void {
    const { log } = this.#context
    if (!this.#policy.flushAtShutdown && !this.#store.persistent) {
      log.warn(
        "'flush_at_shutdown' is false, and buffer plugin 'memory' is not persistent buffer: buffered events are lost at shutdown",
      )
    }
    const keys = this.#chunking.fields.length + (this.#chunking.byTag ? 1 : 0)
    if (keys >= manyChunkKeys) {
      log.warn('many chunk keys specified, and it may cause too many chunks on your system.')
    }
    sayUncompressed(log, this.#params.compress)
    if (this.#params.retryForever && this.#secondary !== undefined) {
      log.warn("<secondary> with 'retry_forever', only unrecoverable errors are moved to secondary")
    }
  }

  emit(batch: Batch): void | Promise<void> {
    if (batch.count === 0) return undefined
    if (!this.#running) return Promise.reject(new Error('the output is not running'))
    if (this.#waiting.length === 0 && this.#hasRoom()) return this.#take(batch)
    switch (this.#policy.overflow) {
      case 'block':
        return this.#waiting.enter(batch)
      case 'drop_oldest_chunk':
        while (!this.#hasRoom() && this.#dropOldest());
        return this.#take(batch)
      case 'throw_exception':
        this.#books.errorCount += 1
        this.#context.log.warn('failed to write data into buffer by buffer overflow', {
          action: 'throw_exception',
        })
        // Known at once, so thrown: `copy` and @ERROR act on it while the batch is still there.
        throw new BufferOverflowError('buffer space has too many data')
    }
  }

  #take(batch: Batch): void | Promise<void> {
    this.#books.emitCount += 1
    this.#books.emittedEvents += batch.count
    this.#books.emittedBytes += batch.packed.byteLength
    const safe = this.#staging.append(batch)
    if (this.#policy.flush === 'immediate' || this.#delivery.length > 0) this.#pumpSoonOnce()
    const paced = this.#pacer.wait(this.#delivery.totals.bytes)
    if (safe === undefined) return paced
    return paced === undefined ? safe : Promise.all([safe, paced]).then(() => undefined)
  }

  /** Batches of one round of the event loop go together. */
  #pumpSoonOnce(): void {
    if (this.#pumpSoon) return
    this.#pumpSoon = true
    this.#context.host.clock.soon(() => {
      this.#pumpSoon = false
      this.#pump()
    })
  }

  #pump(): void {
    // What waits to be sent again, or is, says nothing of how fast the sink is.
    const idle = this.#delivery.inFlight === 0 && this.#delivery.retry === undefined
    this.#delivery.pump()
    if (idle && this.#delivery.inFlight > 0) this.#pacer.progress(this.#delivery.totals.bytes)
  }

  #refill(): void {
    if (this.#policy.flush === 'immediate') this.#staging.sealOldest()
  }

  #onGone(held: Held, end: ChunkEnd): void {
    this.#receipts.settle(held, end !== 'lost')
    if (end === 'delivered') this.#pacer.progress(this.#delivery.totals.bytes)
    this.#waiting.admit(
      () => this.#hasRoom(),
      (batch) => this.#take(batch),
    )
    if (this.#running) this.#aging.queueShrank()
  }

  #dropOldest(): boolean {
    const reason = 'overflow'
    if (this.#delivery.dropOldest(reason)) return true
    return this.#staging.sealOldest() && this.#delivery.dropOldest(reason)
  }

  #hasRoom(): boolean {
    const chunks = this.#staging.length + this.#delivery.length + this.#delivery.inFlight
    return this.#bufferedBytes() + chunks * chunkOverheadBytes < this.#policy.totalBytes
  }

  #bufferedBytes(): number {
    return this.#staging.totals.bytes + this.#delivery.totals.bytes
  }

  #oldestSeconds(): number {
    const { oldestMs } = this.statistics()
    return oldestMs === undefined ? 0 : (this.#context.host.clock.wallMs() - oldestMs) / 1000
  }

  async flush(): Promise<void> {
    if (this.#running)
      await takeArrivals(this.#store, this.#context.log, (chunk) => this.#recover(chunk))
    this.#staging.sealAll()
    this.#pump()
    await this.#delivery.idle()
  }

  statistics(): OutputStatistics {
    return statisticsOf({
      books: this.#books,
      staging: this.#staging,
      delivery: this.#delivery,
      totalBytes: this.#policy.totalBytes,
      clock: this.#context.host.clock,
    })
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline)
    return this.#stopped
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    const started = this.#running
    this.#running = false
    this.#waiting.refuseAll('the output is shutting down')
    this.#pacer.release()
    this.#aging.stop()
    if (started) await this.#lastRound(deadline)
    this.#receipts.end()
    try {
      await this.#sink.stop(deadline)
      await this.#secondary?.stop(deadline)
    } finally {
      await this.#store.close()
    }
    if (started) sayBooks(this.#context.log, this.statistics())
  }

  async #lastRound(deadline: AbortSignal): Promise<void> {
    const flush = this.#policy.flushAtShutdown
    if (flush) this.#staging.sealAll()
    await this.#delivery.drain(deadline, { onlyInFlight: !flush })
    const { log } = this.#context
    if (this.#store.persistent) {
      const kept = flush ? this.#delivery.totals.events : 0
      const chunks = this.#delivery.length + this.#delivery.inFlight
      if (kept > 0) {
        log.warn('events could not be delivered before the end; they stay in the buffer', {
          events: kept,
          chunks,
        })
      }
      return
    }
    this.#staging.sealAll()
    const chunks = this.#delivery.length + this.#delivery.inFlight
    const events = this.#delivery.abandon('shutdown')
    if (events === 0) return
    log.error('events in memory could not be delivered before the end, and are lost', {
      events,
      chunks,
    })
  }
}

function checkParams(params: BufferParams): void {
  const mode = params.flushMode
  if (mode === 'default' || mode === 'interval' || !isWritten(params, 'flushInterval')) return
  throw new ConfigError(
    `'flush_interval' can't be specified when 'flush_mode' is not 'interval' explicitly: '${mode}'`,
    { position: positionOf(params, 'flushInterval'), hint: 'leave out one of the two' },
  )
}
