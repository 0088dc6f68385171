import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel } from '../../../src/kernel/index.ts'
import type {
  CompressedStep,
  Framer,
  FramerOptions,
  Kernel,
  Step,
} from '../../../src/kernel/types.ts'
import type { Outcome } from '../../reference/messages.ts'

export const now = { seconds: 1700000000, nanoseconds: 7 }

export const options: FramerOptions = {
  skipInvalidEvent: true,
  messageLimitBytes: Number.POSITIVE_INFINITY,
  messageWarnBytes: Number.POSITIVE_INFINITY,
  unfinishedLimitBytes: 64 * 1024 * 1024,
  itemLimit: 10_000_000,
  depthLimit: 64,
}

export const hex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const module_ = loadKernel()

export function newKernel(): Kernel {
  return createKernel(module_)
}

/** Steps as plain data, runs of one message and of one tag in a row joined: what does not depend on how bytes were cut. */
export class Collector {
  readonly outcomes: Outcome[] = []
  #open: Joined | undefined

  add(step: Step): void {
    if (step.kind !== 'run') {
      this.#close()
      this.outcomes.push(plain(step))
      return
    }
    const tag = toHex(step.tag)
    if (this.#open && this.#open.tag !== tag) this.#close()
    this.#open ??= { kind: 'events', tag, entries: [], count: 0, invalid: 0, ack: '', wireBytes: 0 }
    this.#open.entries.push(toHex(step.packed))
    this.#open.count += step.count
    this.#open.invalid += step.invalid
    this.#open.ack += toHex(step.acks)
    this.#open.wireBytes += step.wireBytes
  }

  end(): Outcome[] {
    this.#close()
    return this.outcomes
  }

  #close(): void {
    if (this.#open) {
      this.outcomes.push({ ...this.#open, entries: this.#open.entries.join('') })
      this.#open = undefined
    }
  }
}

type Joined = Omit<Outcome & { kind: 'events' }, 'entries'> & { entries: string[] }

function plain(step: Step): Outcome {
  switch (step.kind) {
    case 'compressed':
      return {
        kind: 'compressed',
        tag: toHex(step.tag),
        codec: step.codec,
        payload: toHex(step.payload),
        ack: toHex(step.ack),
        wireBytes: step.wireBytes,
      }
    case 'note':
      return { kind: 'note', code: step.code, bytes: step.bytes, tag: toHex(step.tag) }
    case 'fatal':
      return { kind: 'fatal', code: step.code }
    case 'run':
      throw new Error('runs are joined')
  }
}

/** The same joining for the reference's outcomes. */
export function joined(outcomes: readonly Outcome[]): Outcome[] {
  const all: Outcome[] = []
  for (const outcome of outcomes) {
    const last = all.at(-1)
    if (outcome.kind === 'events' && last?.kind === 'events' && last.tag === outcome.tag) {
      last.entries += outcome.entries
      last.count += outcome.count
      last.invalid += outcome.invalid
      last.ack += outcome.ack
      last.wireBytes += outcome.wireBytes
    } else {
      all.push({ ...outcome })
    }
  }
  return all
}

/** Feeds `pieces` one after the other, taking all steps after each. `beforeStep` may hold the framer. */
export function run(
  framer: Framer,
  pieces: Iterable<Uint8Array>,
  beforeStep: () => void = () => undefined,
): Outcome[] {
  const collector = new Collector()
  for (const piece of pieces) {
    framer.feed(piece)
    for (;;) {
      beforeStep()
      const step = framer.next(now)
      if (!step) break
      collector.add(step)
      if (step.kind === 'compressed') endCompressed(framer, step)
    }
  }
  return collector.end()
}

/** The stream waits for a compressed message's entries: none come. */
function endCompressed(framer: Framer, step: CompressedStep): void {
  framer.feedEntries(new Uint8Array(0), step, true)
  const end = framer.next(now)
  if (end?.kind !== 'run' || end.count !== 0 || end.messages !== 1) throw new Error('no end')
  if (toHex(end.acks) !== toHex(step.ack)) throw new Error('no ack')
}

/** `bytes` in pieces of `size`. */
export function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
