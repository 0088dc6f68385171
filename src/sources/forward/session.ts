import { createJsonFramer } from '../../forward/json-framer.ts'
import type { FatalStep, Framer, RunStep } from '../../kernel/types.ts'
import { AckQueue } from './ack-queue.ts'
import { Complaints } from './complaints.ts'
import { Compressed } from './compressed.ts'
import { Delivery } from './delivery.ts'
import { brokenLimit, progressBytes, sliceMs, turnGapMs, unsentLimitBytes } from './limits.ts'
import type { MessageLoss } from './losses.ts'
import { foreignAdvice, type Protocol, protocolOf } from './protocol.ts'
import { RepeatGuard } from './repeat-guard.ts'
import type { SessionContext, SessionLink } from './session-context.ts'
import type { FieldWriter } from './source-fields.ts'
import { Tags } from './tags.ts'
import { setToWallTime } from './wall-time.ts'

/**
 * The protocol of one connection, without any I/O of its own: bytes in (`data`, `ended`), actions
 * out (the link, the consumer). Steps of the framer are worked off in order; where one has to wait
 * (the consumer pushes back, something is inflated, the slice of time is used up), reading from
 * this client pauses and the others go on.
 *
 * Order holds: no step is taken before the one before it has settled, so acks leave in the order of
 * their messages.
 */
export class Session {
  readonly #context: SessionContext
  readonly #link: SessionLink
  readonly #delivery: Delivery
  readonly #complaints: Complaints
  readonly #acks: AckQueue
  readonly #repeats: RepeatGuard | undefined
  readonly #compressed: Compressed
  #framer: Framer | undefined
  /** First bytes, until they show what is spoken. */
  #start: Uint8Array = new Uint8Array(0)
  #state: 'open' | 'closing' | 'closed' = 'open'
  /** Something is waited for; the framer's rest is held. */
  #waiting = false
  #stalled = false
  #peerEnded = false
  #closeWhenIdle = false
  #heldBytes = 0
  #messagesInRead = 0
  #brokenInRow = 0
  readonly #now = { seconds: 0, nanoseconds: 0 }
  #sliceStartMs = 0
  #ranUntilMs = 0
  /** For the idle timeout: when anything came last. */
  lastDataMs: number
  #receivedBytes = 0
  /**
   * For the partial-message timeout: when a message was finished last, or an unfinished one went
   * on.
   */
  progressMark = { atMs: 0, receivedBytes: 0 }
  closingSinceMs = 0

  constructor(context: SessionContext, link: SessionLink) {
    this.#context = context
    this.#link = link
    this.#complaints = new Complaints(context, link)
    this.#acks = new AckQueue(
      (bytes) => link.write(bytes),
      () => context.repeats?.flush(),
    )
    this.#delivery = new Delivery({
      consumer: context.consumer,
      reports: context.reports,
      tags: new Tags(context.settings.tagRule),
      complaints: this.#complaints,
      acks: this.#acks,
      ackWhen: context.settings.ackWhen,
    })
    this.#repeats = this.#guard()
    this.#compressed = new Compressed(context, {
      repeats: this.#repeats,
      complaints: this.#complaints,
      isOpen: () => this.#state === 'open',
      pause: () => this.#pause(),
      goOn: () => this.#continue(),
      hold: (bytes) => this.#hold(bytes),
      fail: (message, code) => this.#fail('inflate', message, code),
    })
    this.lastDataMs = context.clock.monotonicMs()
    this.progressMark.atMs = this.lastDataMs
  }

  #guard(): RepeatGuard | undefined {
    const { repeats, reports } = this.#context
    if (repeats === undefined) return undefined
    return new RepeatGuard({
      delivery: this.#delivery,
      memory: repeats.memory,
      acks: this.#acks,
      reports,
      address: this.#link.remoteAddress,
    })
  }

  /** Sets what is written into each record; before the first bytes. */
  set fields(writer: FieldWriter) {
    this.#delivery.fields = writer
  }

  /** Who the client has proved to be; before the first bytes. */
  set client(name: string) {
    if (this.#repeats !== undefined) this.#repeats.client = name
  }

  /** We have ended our side, and wait for the client to end its own. */
  get closing(): boolean {
    return this.#state === 'closing'
  }

  /** Nothing is waited for or under way. */
  get idle(): boolean {
    return !this.#waiting && !this.#compressed.underWay && !this.#acks.waits
  }

  /**
   * Bytes of an unfinished message (or of one being inflated) that are kept for this connection.
   */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** `bytes` are borrowed. */
  data(bytes: Uint8Array): void {
    const { reports, clock } = this.#context
    if (this.#state === 'closed') return
    if (this.#state === 'closing') {
      // We have said goodbye: a reset tells the client that this was not taken.
      this.close({ reset: true })
      return
    }
    this.lastDataMs = clock.monotonicMs()
    if (this.lastDataMs - this.#ranUntilMs > turnGapMs) this.#sliceStartMs = this.lastDataMs
    reports.bytes += bytes.byteLength
    this.#receivedBytes += bytes.byteLength
    if (this.#framer === undefined) this.#begin(bytes)
    else this.#framer.feed(bytes)
    this.#run({ read: true })
  }

  /**
   * The client has ended its side: what is left is finished, acks are written, then we end ours.
   */
  ended(): void {
    this.#peerEnded = true
    if (this.#state !== 'open') return
    if (this.#framer === undefined) this.#begin(new Uint8Array(0))
    if (!this.#waiting) this.#run({ read: false })
  }

  /** What the link took is gone. */
  drained(): void {
    if (!this.#stalled) return
    this.#stalled = false
    if (this.#state === 'open' && !this.#waiting) this.#link.resume()
  }

  /** The connection is gone. */
  gone(): void {
    if (this.#state === 'open') this.#loseUnfinished()
    this.#state = 'closed'
    this.#repeats?.gone()
    this.#release()
  }

  /**
   * No more messages are taken than have been read; acks of these leave, then the connection ends.
   */
  stop(): void {
    this.#closeWhenIdle = true
    if (this.#state !== 'open' || this.#waiting) return
    this.#finish()
  }

  /** Closes without waiting for anything. */
  close(options: { reset: boolean }): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#link.destroy(options)
    this.#release()
  }

  /** Closes because of a limit, and says so. */
  refuse(reason: string, message: string): void {
    this.#complaints.refused(reason, message)
    this.#loseUnfinished()
    this.close({ reset: true })
  }

  #loseUnfinished(): void {
    if (this.#heldBytes > 0) this.#context.reports.lostMessage('unfinished')
  }

  #release(): void {
    this.#hold(0)
    this.#compressed.letGo()
  }

  // ---- what is spoken

  #begin(bytes: Uint8Array): void {
    const start = this.#start.byteLength > 0 ? Buffer.concat([this.#start, bytes]) : bytes
    const protocol = protocolOf(start, this.#peerEnded)
    if (protocol === 'unknown') {
      this.#start = new Uint8Array(start)
      this.#hold(start.byteLength)
      return
    }
    this.#start = new Uint8Array(0)
    if (protocol === 'msgpack' || protocol === 'json') {
      const { settings, createFramer } = this.#context
      this.#framer =
        protocol === 'json' ? createJsonFramer(settings.framer) : createFramer(settings.framer)
      this.#framer.feed(start)
      return
    }
    this.#foreign(protocol)
  }

  #foreign(protocol: Exclude<Protocol, 'msgpack' | 'json' | 'unknown'>): void {
    this.#complaints.fatal('foreign_protocol', foreignAdvice[protocol], protocol)
    this.#finish()
  }

  // ---- the loop over steps

  /** `read`: bytes have just come, and more may be there at once. */
  #run({ read }: { read: boolean }): void {
    const { clock } = this.#context
    const framer = this.#framer
    if (framer === undefined || this.#state !== 'open') {
      if (this.#peerEnded) this.#finish()
      return
    }
    setToWallTime(this.#now, clock)
    for (;;) {
      const step = framer.next(this.#now)
      if (step === undefined) {
        if (!this.#compressed.underWay) break
        this.#compressed.next(framer)
        return
      }
      if (step.kind === 'run') {
        if (this.#takeRun(step)) return
      } else if (step.kind === 'compressed') {
        if (this.#compressed.take(step, framer)) return
        // No pause here: what the framer has inflated must be handed on before anything else.
        continue
      } else if (step.kind === 'note') {
        if (step.code !== 'large') this.#messagesInRead += 1
        this.#complaints.note(step)
        if (step.code === 'broken' && this.#isOneTooMany()) return
      } else {
        this.#takeFatal(step)
        return
      }
      if (this.#sliceIsOver()) return
    }
    if (!read || !this.#sliceIsOver()) this.#afterRead(framer)
  }

  /**
   * True: others have their turn, and #continue goes on. One turn of the event loop reads up to 32 times from a socket
   * that has more: what these reads cost counts together.
   */
  #sliceIsOver(): boolean {
    const { clock } = this.#context
    this.#ranUntilMs = clock.monotonicMs()
    if (this.#ranUntilMs - this.#sliceStartMs <= sliceMs) return false
    this.#pause()
    clock.soon(() => this.#continue())
    return true
  }

  /** A value that is no message: true if so many came in a row that the connection is closed. */
  #isOneTooMany(): boolean {
    this.#brokenInRow += 1
    if (this.#brokenInRow < brokenLimit) return false
    this.#fail('malformed', `${brokenLimit} values in a row are no messages`, 'no_messages')
    return true
  }

  /** All that was fed is worked off. */
  #afterRead(framer: Framer): void {
    this.#acks.flush()
    this.#hold(framer.unfinishedBytes)
    this.#noteProgress(framer.unfinishedBytes)
    const mustEnd = this.#context.settings.denyKeepalive && this.#messagesInRead > 0
    this.#messagesInRead = 0
    if (this.#closeWhenIdle) {
      this.#finish()
      return
    }
    if (mustEnd || this.#peerEnded) {
      this.#finishOnceAcked()
      return
    }
    if (this.#context.budget.isOver) this.#context.relieve()
    if (this.#state !== 'open') return
    if (this.#link.unsentBytes > unsentLimitBytes) {
      this.#stalled = true
      this.#link.pause()
    }
  }

  /**
   * A message that is finished, or enough bytes of an unfinished one, are progress: see
   * `progressMark`.
   */
  #noteProgress(unfinishedBytes: number): void {
    const grownBytes = this.#receivedBytes - this.progressMark.receivedBytes
    if (this.#messagesInRead > 0 || unfinishedBytes === 0 || grownBytes >= progressBytes) {
      this.progressMark = { atMs: this.lastDataMs, receivedBytes: this.#receivedBytes }
    }
  }

  #hold(bytes: number): void {
    this.#context.budget.change(bytes - this.#heldBytes)
    this.#heldBytes = bytes
  }

  /** Before something is waited for: others may use the kernel meanwhile. */
  #pause(): void {
    this.#framer?.hold()
    this.#acks.flush()
    this.#waiting = true
    this.#link.pause()
  }

  #continue(): void {
    this.#waiting = false
    if (this.#state !== 'open') return
    // The client could send nothing meanwhile: its time starts anew.
    this.lastDataMs = this.#context.clock.monotonicMs()
    this.progressMark.atMs = this.lastDataMs
    this.#sliceStartMs = this.lastDataMs
    this.#run({ read: false })
    // #run may have found something else to wait for, or the end.
    if (this.#state === 'open' && !this.#waiting && !this.#stalled) this.#link.resume()
  }

  /** As `#finish`, when no ack waits for its events to be delivered any more. */
  #finishOnceAcked(): void {
    if (!this.#acks.waits) {
      this.#finish()
      return
    }
    this.#link.pause()
    this.#acks.onEmpty = () => this.#finish()
  }

  /** Writes what is to be written, and ends our side. */
  #finish(): void {
    if (this.#state !== 'open') return
    this.#acks.flush()
    this.#state = 'closing'
    this.#loseUnfinished()
    this.#release()
    this.closingSinceMs = this.#context.clock.monotonicMs()
    if (this.#context.settings.resetOnClose && this.#link.unsentBytes === 0) {
      this.close({ reset: true })
    } else {
      this.#link.end()
    }
  }

  // ---- steps

  /** True: it waits; #continue goes on. */
  #takeRun(step: RunStep): boolean {
    this.#messagesInRead += step.messages
    this.#brokenInRow = 0
    this.#compressed.gave(step)
    const settled = (this.#repeats ?? this.#delivery).take(step)
    if (settled === undefined) return false
    this.#pause()
    // A bug in what follows is an unhandled rejection, which ends the process, as it should.
    void settled.then(() => this.#continue())
    return true
  }

  #takeFatal(step: FatalStep): void {
    const reason = step.code === 'message_too_long' ? 'unfinished' : 'malformed'
    this.#fail(reason, step.message, step.code)
  }

  /** The connection does not survive it. What came before it keeps its acks. */
  #fail(reason: MessageLoss, message: string, code: string): void {
    this.#complaints.fatal(reason, message, code)
    this.#acks.flush()
    this.close({ reset: true })
  }
}
