import { type Codec, codecOf, InflateError, inflateSmall } from '../../forward/inflate.ts'
import type { CompressedStep, Framer, RunStep } from '../../kernel/types.ts'
import type { Complaints } from './complaints.ts'
import { barrenLimit } from './limits.ts'
import type { RepeatGuard } from './repeat-guard.ts'
import type { SessionContext } from './session-context.ts'

/** What it asks of its session. */
interface Parts {
  readonly repeats: RepeatGuard | undefined
  readonly complaints: Complaints
  isOpen(): boolean
  /** Something is waited for, until `goOn`. */
  pause(): void
  goOn(): void
  /** So many bytes are kept for this connection. */
  hold(bytes: number): void
  /** Closes the connection. */
  fail(message: string, code: string): void
}

/** A message that is being inflated. */
interface Inflating {
  readonly step: CompressedStep
  readonly pieces: AsyncGenerator<Uint8Array, void, void>
  /** Since the last event that came out of it. */
  invalidInRow: number
}

/** The compressed messages of one connection: inflated at once where they are small, piece by piece otherwise. */
export class Compressed {
  readonly #context: Pick<SessionContext, 'settings' | 'inflations' | 'reports' | 'clock'>
  readonly #parts: Parts
  #inflating: Inflating | undefined

  constructor(
    context: Pick<SessionContext, 'settings' | 'inflations' | 'reports' | 'clock'>,
    parts: Parts,
  ) {
    this.#context = context
    this.#parts = parts
  }

  /** A message is being inflated: `next` once the steps of what came out of it are taken. */
  get underWay(): boolean {
    return this.#inflating !== undefined
  }

  /** True: it waits, or the connection is closed. Otherwise the framer has the steps of what is inside. */
  take(step: CompressedStep, framer: Framer): boolean {
    const { settings, inflations } = this.#context
    const before = this.#parts.repeats?.begin(step) ?? 'new'
    if (before === 'repeat') {
      framer.feedEntries(new Uint8Array(0), step, true)
      return false
    }
    if (before !== 'new') {
      this.#askAgain(copyOf(step), framer, before)
      return true
    }
    let codec: Codec
    try {
      codec = codecOf(step.codec)
      const options = { codec, limitBytes: settings.decompressionLimitBytes }
      if (inflateSmall(framer, step, options)) return false
    } catch (error) {
      this.#failed(error)
      return true
    }
    const copy = copyOf(step)
    const pieces = inflations.read(codec, copy.payload)
    this.#inflating = { step: copy, pieces, invalidInRow: 0 }
    this.#parts.hold(copy.payload.byteLength)
    this.next(framer)
    return true
  }

  /** Takes note of what came out. */
  gave(run: RunStep): void {
    if (this.#inflating === undefined) return
    this.#inflating.invalidInRow = run.count > 0 ? 0 : this.#inflating.invalidInRow + run.invalid
  }

  /** Waits for the next piece of output; it is worked off in one go: nobody else uses the kernel in between. */
  next(framer: Framer): void {
    if (this.#inflating === undefined) return
    const { step, pieces, invalidInRow } = this.#inflating
    const { isOpen, pause, goOn } = this.#parts
    pause()
    if (invalidInRow >= barrenLimit) {
      // Nothing is to be hoped for from the rest.
      this.#parts.complaints.barren(step.tag)
      this.letGo()
      framer.feedEntries(new Uint8Array(0), step, true)
      this.#context.clock.soon(goOn)
      return
    }
    void pieces.next().then(
      (result) => {
        if (!isOpen()) return
        framer.feedEntries(result.value ?? new Uint8Array(0), step, result.done === true)
        if (result.done === true) this.#inflating = undefined
        goOn()
      },
      (error: unknown) => {
        if (!isOpen()) return
        this.#inflating = undefined
        this.#failed(error)
      },
    )
  }

  /** What is under way is not wanted any more. */
  letGo(): void {
    const pieces = this.#inflating?.pieces
    this.#inflating = undefined
    pieces?.return().catch((error: unknown) => {
      this.#context.reports.log.debug('inflation left behind', { error })
    })
  }

  /** The same message is on its way on another connection: how it fares there decides. */
  #askAgain(step: CompressedStep, framer: Framer, settled: Promise<void>): void {
    const { isOpen, pause, goOn } = this.#parts
    pause()
    void settled.then(() => {
      if (isOpen() && !this.take(step, framer)) goOn()
    })
  }

  #failed(error: unknown): void {
    if (!(error instanceof InflateError)) throw error
    this.#parts.fail(error.message, error.code)
  }
}

/** A step does not outlive the next one. */
function copyOf(step: CompressedStep): CompressedStep {
  return {
    ...step,
    tag: new Uint8Array(step.tag),
    payload: new Uint8Array(step.payload),
    ack: new Uint8Array(step.ack),
  }
}
