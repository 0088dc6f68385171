import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { type Corpus, type Input, inputOf, type Kind, readCorpus } from './inputs.ts'
import { minimise, minimiseList } from './minimise.ts'
import { forgetGathered, World } from './world.ts'

/** Inputs whose connections are open at the same time. */
const batchSize = 64
/** Inputs one world lasts for; afterwards its memory must be free again. */
const worldInputs = 100_000
/** Of so many batches the inputs of one are played one by one, to see what each does. */
const lookEvery = 100
/** Heap that may be left after a world, beyond what the first one left. */
const leakLimitBytes = 48 * 1024 * 1024
const grownLimit = 400
const grownLimitBytes = 4096

export interface Progress {
  /** Inputs that are played now, and the seed of the first. */
  readonly inputs: number
  readonly seed: number
  /** Events that came out of the inputs of a world that has ended. */
  readonly events: number
}

export interface RunOptions {
  readonly seed: number
  /** Between seeds: that of how many others run beside. */
  readonly stride: number
  readonly corpusFolder: string
  readonly kind?: Kind | undefined
  readonly isOver: () => boolean
  report(progress: Progress): void
  /** Frees what nobody holds; undefined: the heap is not looked at. */
  collect?: (() => void) | undefined
}

/** What went wrong, and the least that shows it. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure'
  readonly inputs: readonly Input[]

  constructor(seed: number, inputs: readonly Input[], cause: unknown) {
    super(`seeds from ${seed}: ${cause instanceof Error ? cause.stack : String(cause)}`, { cause })
    this.inputs = inputs
  }
}

/** Plays inputs until it is over. Throws FuzzFailure. */
export async function fuzz(options: RunOptions): Promise<void> {
  const runner = new Runner(options)
  await runner.run()
}

/** Plays the inputs in a world of their own; what goes wrong is thrown. */
export async function playAlone(inputs: readonly Input[]): Promise<void> {
  forgetGathered()
  const world = await World.start()
  await world.play(inputs)
  await world.stop()
}

class Runner {
  readonly #options: RunOptions
  readonly #seen = new Set<string>()
  #corpus: Corpus
  #restingBytes: number | undefined

  constructor(options: RunOptions) {
    this.#options = options
    this.#corpus = readCorpus(options.corpusFolder)
  }

  async run(): Promise<void> {
    const { isOver, stride, report } = this.#options
    let { seed } = this.#options
    while (!isOver()) {
      forgetGathered()
      const world = await World.start()
      for (let played = 0; played < worldInputs && !isOver(); played += batchSize) {
        report({ inputs: batchSize, seed, events: 0 })
        const inputs = Array.from({ length: batchSize }, (_, i) =>
          inputOf(seed + i * stride, this.#corpus, this.#options.kind),
        )
        const oneByOne = (played / batchSize) % lookEvery === 0
        await this.#play(world, inputs, oneByOne, seed)
        seed += batchSize * stride
      }
      await world.stop()
      report({ inputs: 0, seed, events: world.events() })
      this.#lookForLeaks(seed)
      this.#corpus = readCorpus(this.#options.corpusFolder)
    }
  }

  async #play(world: World, inputs: readonly Input[], oneByOne: boolean, seed: number) {
    try {
      if (!oneByOne) await world.play(inputs)
      else for (const input of inputs) await this.#look(world, input)
    } catch (error) {
      throw new FuzzFailure(seed, await smallest(inputs), error)
    }
  }

  /** Keeps the input if it made the application do something that no input before did. */
  async #look(world: World, input: Input): Promise<void> {
    const before = world.figures().split(/\D+/)
    const said = await world.play([input])
    const changed = world
      .figures()
      .split(/\D+/)
      .map((figure, i) => Math.ceil(Math.log2(Number(figure) - Number(before[i]) + 1)))
    const what = `${input.kind} ${changed.join()} ${said}`
    if (this.#seen.has(what)) return
    this.#seen.add(what)
    if (input.bytes.length <= grownLimitBytes) keep(this.#options.corpusFolder, input)
  }

  #lookForLeaks(seed: number): void {
    const { collect } = this.#options
    if (collect === undefined) return
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const bytes = heapUsed + arrayBuffers
    this.#restingBytes ??= bytes
    if (bytes > this.#restingBytes + leakLimitBytes) {
      const words = `${bytes} bytes are held after a world ended, ${this.#restingBytes} after the first`
      throw new FuzzFailure(seed, [], new Error(words))
    }
  }
}

/** The least that fails in a world of its own; all of it if it does not fail there. */
async function smallest(inputs: readonly Input[]): Promise<readonly Input[]> {
  const fails = (some: readonly Input[]) =>
    playAlone(some).then(
      () => false,
      () => true,
    )
  if (!(await fails(inputs))) return inputs
  const few = await minimiseList(inputs, fails)
  if (few.length > 1) return few
  return [await minimise(few[0] as Input, (input) => fails([input]))]
}

function keep(folder: string, input: Input): void {
  const place = `${folder}/${input.kind}`
  mkdirSync(place, { recursive: true })
  if (readdirSync(place).length >= grownLimit) return
  const name = createHash('sha256').update(input.bytes).digest('hex').slice(0, 16)
  writeFileSync(`${place}/${name}.bin`, input.bytes)
}
