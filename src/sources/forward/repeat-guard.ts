import { crc32 } from 'node:zlib'
import type { CompressedStep, RunStep } from '../../kernel/types.ts'
import { skipValue } from '../../msgpack/walk.ts'
import type { AckQueue } from './ack-queue.ts'
import type { Delivery } from './delivery.ts'
import { rememberedKeyChars } from './limits.ts'
import type { ForwardReports } from './losses.ts'
import type { Passage } from './passage.ts'
import type { RepeatMemory } from './repeat-memory.ts'
import { KeyHash } from './repeat-table.ts'

/** What a whole message is known by, besides its sender and tag. */
type Identity = NonNullable<RunStep['identity']>

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
  /** Stands for the connection in the memory, which outlives it. */
  readonly #owner: number
  /** Address, and who the client has proved to be. */
  #client: string
  #clientHash: KeyHash | undefined
  /** Of the message at hand. */
  readonly #key = new KeyHash(nothing)
  readonly #tagKey = new KeyHash(nothing)
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
    this.#owner = parts.memory.newOwner()
    this.#acks = parts.acks
    this.#reports = parts.reports
    this.#address = parts.address ?? 'unix'
    this.#client = `${this.#address} \n`
  }

  /** Who the client has proved to be. */
  set client(name: string) {
    this.#client = `${this.#address} ${name}\n`
    this.#clientHash = undefined
  }

  /** As Delivery.take. */
  take(step: RunStep): Promise<void> | undefined {
    const { identity } = step
    if (this.#open !== undefined) return this.#takePart(step, this.#open)
    if (identity !== undefined) return this.#takeWhole(step, identity)
    return step.ackEnds === undefined ? this.#delivery.take(step) : this.#takeRun(step)
  }

  /**
   * A compressed message, whose entries come next in steps: its payload tells what it is. `repeat`:
   * they need not come. A promise: ask again when it settles.
   */
  begin({ tag, ack, payload }: CompressedStep): 'new' | 'repeat' | Promise<void> {
    if (ack.byteLength === 0) return 'new'
    const identity = { ack, bytes: payload.byteLength, crc: crc32(payload) }
    const before = this.#find(tag, identity)
    if (before !== undefined && !before.safe) return before.settled()
    this.#open = before === undefined ? this.#remember(tag, identity) : 'repeat'
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

  #takeWhole(step: RunStep, identity: Identity): Promise<void> | undefined {
    const before = this.#find(step.tag, identity)
    if (before !== undefined && !before.safe) {
      const copy = copyOf(step)
      const kept = { ...identity, ack: identity.ack.slice() }
      return before.settled().then(() => this.#takeWhole(copy, kept))
    }
    const open = before === undefined ? this.#remember(step.tag, identity) : 'repeat'
    if (step.partial) this.#open = open
    return this.#takePart(step, open)
  }

  #takeRun(step: RunStep): Promise<void> | undefined {
    const { tag, packed, acks, ackEnds = [] } = step
    const passage = this.#memory.passage(this.#owner)
    this.#setTag(tag)
    let start = 0
    let ackStart = 0
    for (const end of ackEnds) {
      const ackEnd = skipValue(acks, ackStart)
      const crc = crc32(packed.subarray(start, end))
      this.#setAck(acks, ackStart, ackEnd)
      if (this.#memory.find(this.#key, end - start, crc, this.#owner) !== undefined) {
        // None of this run has set out.
        passage.fail()
        return this.#oneByOne(copyOf(step))
      }
      this.#add(step, ackStart, ackEnd, { bytes: end - start, crc, passage })
      start = end
      ackStart = ackEnd
    }
    return this.#delivery.take(step, passage)
  }

  async #oneByOne(step: RunStep): Promise<void> {
    const { tag } = step
    let { invalid } = step
    let start = 0
    let ackStart = 0
    for (const end of step.ackEnds ?? []) {
      const ackEnd = skipValue(step.acks, ackStart)
      const acks = step.acks.subarray(ackStart, ackEnd)
      const packed = step.packed.subarray(start, end)
      const identity = { ack: acks, bytes: packed.byteLength, crc: crc32(packed) }
      start = end
      ackStart = ackEnd
      let before = this.#find(tag, identity)
      while (before !== undefined && !before.safe) {
        await before.settled()
        before = this.#find(tag, identity)
      }
      if (before !== undefined) {
        this.#repeated(acks)
        continue
      }
      const count = packed.byteLength > 0 ? 1 : 0
      const one = { ...step, packed, count, invalid, acks, ackCount: 1, messages: 1 }
      invalid = 0
      await this.#delivery.take(one, this.#remember(tag, identity))
    }
  }

  #setTag(tag: Uint8Array): void {
    this.#clientHash ??= this.#memory.hash(this.#client)
    this.#tagKey.begin(this.#clientHash)
    this.#tagKey.bytes(tag, 0, tag.byteLength)
    this.#tagKey.bytes(lineFeed, 0, 1)
  }

  #setAck(ack: Uint8Array, start: number, end: number): void {
    this.#key.begin(this.#tagKey)
    this.#key.bytes(ack, start, end)
  }

  #find(tag: Uint8Array, { ack, bytes, crc }: Identity): Passage | undefined {
    this.#setTag(tag)
    this.#setAck(ack, 0, ack.byteLength)
    return this.#memory.find(this.#key, bytes, crc, this.#owner)
  }

  #remember(tag: Uint8Array, { ack, bytes, crc }: Identity): Passage {
    const passage = this.#memory.passage(this.#owner)
    this.#setTag(tag)
    this.#setAck(ack, 0, ack.byteLength)
    this.#add({ tag, acks: ack }, 0, ack.byteLength, { bytes, crc, passage })
    return passage
  }

  /** The message of `#key`. */
  #add(
    { tag, acks }: { tag: Uint8Array; acks: Uint8Array },
    ackStart: number,
    ackEnd: number,
    { bytes, crc, passage }: { bytes: number; crc: number; passage: Passage },
  ): void {
    const chars = this.#client.length + tag.byteLength + 1 + ackEnd - ackStart
    // Nobody's ids are that long; whoever sends such does not fill the journal with them.
    if (chars > rememberedKeyChars) return
    this.#memory.add(this.#key, bytes, crc, passage, () => {
      return `${this.#client}${latin1(tag)}\n${latin1(acks.subarray(ackStart, ackEnd))}`
    })
  }

  #repeated(acks: Uint8Array): void {
    this.#reports.repeatedMessages = (this.#reports.repeatedMessages ?? 0) + 1
    this.#acks.add(acks)
  }
}

const lineFeed = Uint8Array.of(0x0a)
const nothing = { low: 0, high: 0 }

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
    ackEnds: step.ackEnds?.slice(),
  }
}
