import { crc32 } from 'node:zlib'
import type { CompressedStep, RunStep } from '../../kernel/types.ts'
import { skipValue } from '../../msgpack/walk.ts'
import type { AckQueue } from './ack-queue.ts'
import type { Delivery } from './delivery.ts'
import { rememberedKeyChars } from './limits.ts'
import type { ForwardReports } from './losses.ts'
import type { Passage } from './passage.ts'
import type { Remembered, RepeatMemory } from './repeat-memory.ts'

/** A message of a run of Message mode. */
interface Item {
  readonly message: Remembered
  readonly start: number
  readonly end: number
  readonly ackStart: number
  readonly ackEnd: number
}

/**
 * Stands before a connection's delivery, for messages that ask for acks: one that is safe already is
 * acknowledged again, and goes no further; one that is still on its way, on another connection, is
 * waited for.
 */
export class RepeatGuard {
  readonly #delivery: Delivery
  readonly #memory: RepeatMemory
  readonly #acks: AckQueue
  readonly #reports: ForwardReports
  readonly #address: string
  /**
   * Stands for the connection in the memory: that outlives the connection, and must not hold on to all that hangs on it
   * (6 KB each, of 65,536 clients that come with one message).
   */
  readonly #owner = Object.freeze({})
  /** Beside the address: who the client has proved to be. */
  client = ''
  /** The message that comes in parts. */
  #open: Passage | 'repeat' | undefined

  constructor(parts: {
    delivery: Delivery
    memory: RepeatMemory
    acks: AckQueue
    reports: ForwardReports
    address: string | undefined
  }) {
    this.#delivery = parts.delivery
    this.#memory = parts.memory
    this.#acks = parts.acks
    this.#reports = parts.reports
    this.#address = parts.address ?? 'unix'
  }

  /** As Delivery.take. */
  take(step: RunStep): Promise<void> | undefined {
    const { identity } = step
    if (this.#open !== undefined) return this.#takePart(step, this.#open)
    if (identity !== undefined) {
      const key = `${this.#prefix(step.tag)}${latin1(identity.ack)}`
      return this.#takeWhole(step, { key, bytes: identity.bytes, crc: identity.crc })
    }
    return step.ackEnds === undefined ? this.#delivery.take(step) : this.#takeRun(step)
  }

  /**
   * A compressed message, whose entries come next in steps: its payload tells what it is. `repeat`:
   * they need not come. A promise: ask again when it settles.
   */
  begin({ tag, ack, payload }: CompressedStep): 'new' | 'repeat' | Promise<void> {
    if (ack.byteLength === 0) return 'new'
    const key = `${this.#prefix(tag)}${latin1(ack)}`
    const message = { key, bytes: payload.byteLength, crc: crc32(payload) }
    const before = this.#find(message)
    if (before !== undefined && !before.safe) return before.settled()
    this.#open = before === undefined ? this.#remember(message) : 'repeat'
    return before === undefined ? 'new' : 'repeat'
  }

  /** The connection is gone: what has come of a message in parts was for nothing. */
  gone(): void {
    if (this.#open !== undefined && this.#open !== 'repeat') this.#open.fail()
    this.#open = undefined
  }

  #takePart(step: RunStep, open: Passage | 'repeat'): Promise<void> | undefined {
    if (!step.partial) this.#open = undefined
    if (open !== 'repeat') return this.#delivery.take(step, open)
    if (!step.partial) this.#repeated(step.acks)
    return undefined
  }

  #takeWhole(step: RunStep, message: Remembered): Promise<void> | undefined {
    const before = this.#find(message)
    if (before !== undefined && !before.safe) {
      const copy = copyOf(step)
      return before.settled().then(() => this.#takeWhole(copy, message))
    }
    return this.#takePart(
      step,
      before === undefined ? this.#begun(step, message) : this.#again(step),
    )
  }

  #begun(step: RunStep, message: Remembered): Passage {
    const passage = this.#remember(message)
    if (step.partial) this.#open = passage
    return passage
  }

  #again(step: RunStep): 'repeat' {
    if (step.partial) this.#open = 'repeat'
    return 'repeat'
  }

  #takeRun(step: RunStep): Promise<void> | undefined {
    const items = this.#itemsOf(step)
    const passage = this.#memory.passage(this.#owner)
    for (const { message } of items) {
      if (this.#find(message) !== undefined) {
        // None of this run has set out.
        passage.fail()
        return this.#oneByOne(copyOf(step), items)
      }
      if (message.key.length <= rememberedKeyChars) this.#memory.add(message, passage)
    }
    return this.#delivery.take(step, passage)
  }

  async #oneByOne(step: RunStep, items: readonly Item[]): Promise<void> {
    let { invalid } = step
    for (const { message, start, end, ackStart, ackEnd } of items) {
      const acks = step.acks.subarray(ackStart, ackEnd)
      let before = this.#find(message)
      while (before !== undefined && !before.safe) {
        await before.settled()
        before = this.#find(message)
      }
      if (before !== undefined) {
        this.#repeated(acks)
        continue
      }
      const packed = step.packed.subarray(start, end)
      const count = packed.byteLength > 0 ? 1 : 0
      const one = { ...step, packed, count, invalid, acks, ackCount: 1, messages: 1 }
      invalid = 0
      await this.#delivery.take(one, this.#remember(message))
    }
  }

  #itemsOf({ tag, packed, acks, ackEnds }: RunStep): Item[] {
    const items: Item[] = []
    const prefix = this.#prefix(tag)
    const text = latin1(acks)
    let start = 0
    let ackStart = 0
    for (const end of ackEnds ?? []) {
      const ackEnd = skipValue(acks, ackStart)
      const key = prefix + text.slice(ackStart, ackEnd)
      const crc = crc32(packed.subarray(start, end))
      items.push({ message: { key, bytes: end - start, crc }, start, end, ackStart, ackEnd })
      start = end
      ackStart = ackEnd
    }
    return items
  }

  #find(message: Remembered): Passage | undefined {
    return this.#memory.find(message, this.#owner)
  }

  #remember(message: Remembered): Passage {
    const passage = this.#memory.passage(this.#owner)
    // Nobody's ids are that long; whoever sends such does not fill the memory with them.
    if (message.key.length <= rememberedKeyChars) this.#memory.add(message, passage)
    return passage
  }

  #repeated(acks: Uint8Array): void {
    this.#reports.repeatedMessages = (this.#reports.repeatedMessages ?? 0) + 1
    this.#acks.add(acks)
  }

  #prefix(tag: Uint8Array): string {
    return `${this.#address} ${this.client}\n${latin1(tag)}\n`
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** A step does not outlive the next one. */
function copyOf(step: RunStep): RunStep {
  return {
    ...step,
    tag: step.tag.slice(),
    packed: step.packed.slice(),
    acks: step.acks.slice(),
  }
}
