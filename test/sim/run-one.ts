import { type App, createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config/index.ts'
import type { OutputStatistics } from '../../src/core/output.ts'
import { loadKernel } from '../../src/host/load-kernel.ts'
import { createKernel, type Kernel } from '../../src/kernel/index.ts'
import { stopGraceMs } from '../../src/routing/limits.ts'
import { expectBooksClose } from '../support/books.ts'
import { createFakeHost, type FakeHost } from '../support/fake-host.ts'
import { createMemoryDisk } from '../support/memory-disk.ts'
import { createMemoryNet } from '../support/memory-net.ts'
import { poisoned } from '../support/poisoned-kernel.ts'
import { type Chance, createChance } from './chance.ts'
import { batchOfEvents, type EventPlan, eventsPerClient } from './events.ts'
import { ForwardClient } from './forward-client.ts'
import { type Abilities, createPlan, type Plan, tags } from './plan.ts'
import { createProcessDisk, type ProcessDisk } from './process-disk.ts'
import { Destination } from './sinks.ts'
import { createStage, type Stage } from './stage.ts'

/** What became of an event, as its sender knows. */
export interface Sent {
  readonly tag: string
  readonly key: string
  outcome: 'open' | 'acked' | 'refused'
  /** It was sent more than once. */
  again: boolean
  /** The process it was acknowledged by. */
  life: number
  /** Its ack means that it was delivered, not only that it is in buffers. */
  readonly acksDelivery: boolean
}

/** Books of outputs of graphs that are no more, and of the last one. */
export interface LifeBooks {
  readonly life: number
  readonly end: 'stop' | 'kill'
  readonly byOutput: ReadonlyMap<string, readonly OutputStatistics[]>
  readonly sourceRecords: number
}

export interface Outcome {
  readonly plan: Plan
  readonly sent: ReadonlyMap<number, Sent>
  readonly destinations: ReadonlyMap<string, Destination>
  readonly books: readonly LifeBooks[]
  readonly files: Readonly<Record<string, string>>
  readonly diskFaultsMet: number
  /** Files that some process could not remove when it should have. */
  readonly notRemoved: number
  /** Whether the deadline of some stop passed, so that events in memory were given up. */
  readonly overdue: boolean
}

const configWorld = {
  readFile: () => undefined,
  listDir: () => undefined,
  env: {},
  hostname: 'sim.test',
}

let sharedKernel: Kernel | undefined
const kernelOf = (): Kernel => {
  // What a kernel holds between messages belongs to its connections; a run leaves nothing behind.
  sharedKernel ??= poisoned(createKernel(loadKernel()))
  return sharedKernel
}

/** Plays one seed's run. Throws as soon as something is wrong; what can only be seen afterwards is in the outcome. */
export async function runOne(seed: number, abilities: Abilities): Promise<Outcome> {
  const plan = createPlan(seed, abilities)
  const run = new Run(plan)
  await run.play()
  return run.outcome()
}

class Run {
  readonly #plan: Plan
  readonly #work: Chance
  readonly #diskChance: Chance
  readonly #disk = createMemoryDisk()
  readonly #destinations: ReadonlyMap<string, Destination>
  readonly #stage: Stage
  readonly #sent = new Map<number, Sent>()
  readonly #books: LifeBooks[] = []
  #host!: FakeHost
  #processDisk!: ProcessDisk
  #app!: App
  #clients: ForwardClient[] = []
  #views = new Set<ReturnType<App['view']['plugins']>[number]>()
  #pending = new Set<Promise<unknown>>()
  #life = 0
  #wallMs = 1_700_000_000_000
  #nextId = 0
  #faultsMet = 0
  #notRemoved = 0
  #overdue = false

  constructor(plan: Plan) {
    this.#plan = plan
    this.#work = createChance(plan.seed, 2)
    this.#diskChance = createChance(plan.seed, 3)
    const names = plan.sinks.flatMap(({ name, secondary }) =>
      secondary ? [name, `${name}_second`] : [name],
    )
    this.#destinations = new Map(
      names.map((name, i) => [name, new Destination(name, createChance(plan.seed, 10 + i))]),
    )
    this.#stage = createStage(this.#destinations)
  }

  outcome(): Outcome {
    return {
      plan: this.#plan,
      sent: this.#sent,
      destinations: this.#destinations,
      books: this.#books,
      files: this.#disk.texts(),
      diskFaultsMet: this.#faultsMet,
      notRemoved: this.#notRemoved,
      overdue: this.#overdue,
    }
  }

  async play(): Promise<void> {
    const { plan } = this
    for (const end of plan.ends) {
      await this.#live()
      if (end === 'kill') this.#kill()
      else await this.#stop()
    }
    await this.#live()
    if (plan.heals) await this.#heal()
    await this.#stop()
    if (!plan.sinks.some((sink) => sink.persistent)) return
    await this.#recover()
  }

  get plan(): Plan {
    return this.#plan
  }

  // ---- a process's life

  async #start(): Promise<void> {
    this.#host = createFakeHost({ seed: this.#plan.seed + this.#life, startMs: this.#wallMs })
    const { clock } = this.#host
    this.#processDisk = createProcessDisk(this.#disk, clock, this.#diskChance)
    const host = { ...this.#host, disk: this.#processDisk, net: createMemoryNet(clock) }
    for (const destination of this.#destinations.values()) destination.life = this.#life
    this.#app = createApp({
      host,
      plugins: this.#stage.plugins,
      kernel: kernelOf(),
      config: this.#config(),
    })
    await this.#within('start', this.#app.start(), 60_000)
    this.#look()
    this.#clients = Array.from(
      { length: this.#plan.forwardClients },
      (_, i) => new ForwardClient(host.net, 24224, this.#life * 10 + i),
    )
    this.#host = { ...this.#host, net: host.net }
  }

  #config() {
    const parsed = parseConfig({ ...configWorld, path: 'sim.conf', text: this.#plan.config })
    if (parsed.errors.length > 0) throw parsed.errors[0]
    return parsed
  }

  async #live(): Promise<void> {
    await this.#start()
    const { faults } = this.#processDisk
    if (this.#plan.diskFaults) {
      if (this.#work.often(50)) faults.failAt = 1 + this.#work.below(60)
      faults.slowPercent = this.#work.pick(0, 10)
    }
    for (let step = 0; step < this.#plan.steps; step += 1) {
      await this.#step()
      this.#assertNow()
    }
  }

  async #step(): Promise<void> {
    const work = this.#work
    const { clock } = this.#host
    const sends = work.below(4)
    for (let i = 0; i < sends; i += 1) this.#send()
    if (work.often(60)) await clock.advance(work.pick(0, 1, 20, 300, 2500))
    if (work.often(15)) {
      const destination = work.pick(...this.#destinations.values())
      destination.mood = work.pick(...this.#plan.moods)
    }
    if (this.#plan.diskFaults && work.often(10)) {
      this.#processDisk.faults.failPercent = work.pick(0, 0, 10, 100)
    }
    if (work.often(4)) this.#track(this.#app.flush())
    if (this.#plan.reloads && work.often(5)) await this.#reload()
    for (const client of this.#clients) client.look()
  }

  #send(): void {
    const work = this.#work
    const count = 1 + work.below(work.often(10) ? 40 : 6)
    const via = work.below(this.#clients.length + 1)
    const tag = work.pick(...tags)
    const events: EventPlan[] = []
    for (let i = 0; i < count; i += 1) {
      this.#nextId += 1
      events.push({
        id: via * eventsPerClient + this.#nextId,
        seconds: Math.floor(this.#host.clock.wallMs() / 1000) - work.pick(0, 0, 0, 7, 100),
        padding: work.below(this.#plan.paddingLimit),
        key: work.pick('p', 'q', 'skip'),
      })
    }
    if (via === 0 && !this.#stage.open) return
    const all = events.map(({ id, key }) => {
      const sent: Sent = {
        tag,
        key,
        outcome: 'open',
        again: false,
        life: this.#life,
        acksDelivery: via > 0 && this.#plan.ackWhen === 'delivered',
      }
      this.#sent.set(id, sent)
      return sent
    })
    const settle = (outcome: 'acked' | 'refused') => {
      for (const sent of all) {
        sent.outcome = outcome
        sent.life = this.#life
      }
    }
    const batch = batchOfEvents(tag, events)
    if (via > 0) {
      this.#clients[via - 1]?.send(batch, {
        ids: events.map(({ id }) => id),
        acked: () => settle('acked'),
        again: () => {
          for (const sent of all) sent.again = true
        },
      })
      return
    }
    const taken = this.#stage.emit(batch)
    // The bytes were lent: whoever looks at them from now on finds something else.
    batch.packed.fill(0xc1)
    if (taken === undefined) settle('acked')
    else {
      const { life } = this
      this.#track(
        taken.then(
          () => life === this.#life && settle('acked'),
          () => life === this.#life && settle('refused'),
        ),
      )
    }
  }

  get life(): number {
    return this.#life
  }

  #track(promise: Promise<unknown>): void {
    this.#pending.add(promise)
    const gone = () => this.#pending.delete(promise)
    promise.then(gone, gone)
  }

  async #reload(): Promise<void> {
    const deadline = new AbortController()
    const timer = this.#host.clock.after(3000, () => {
      this.#overdue = true
      deadline.abort()
    })
    // A disk that fails now would keep the new graph from starting, and the old one from starting again.
    const { faults } = this.#processDisk
    const { failPercent, failAt } = faults
    Object.assign(faults, { failPercent: 0, failAt: 0 })
    const loaded = this.#app.reload(this.#config(), deadline.signal)
    await this.#within('reload', loaded, 10_000)
    Object.assign(faults, { failPercent, failAt })
    timer.cancel()
    this.#look()
  }

  /** Remembers the plugins there are: a reload takes them out of the application's view, not out of the books. */
  #look(): void {
    for (const view of this.#app.view.plugins()) this.#views.add(view)
  }

  /** Lets time pass until the promise settles, or so much of it has passed. */
  async #within<T>(what: string, promise: Promise<T>, limitMs: number): Promise<T> {
    let settled = false
    const mark = () => {
      settled = true
    }
    promise.then(mark, mark)
    const { clock } = this.#host
    for (let passedMs = 0; passedMs <= limitMs; ) {
      await clock.settle()
      if (settled) return promise
      const stepMs = passedMs < 100 ? 1 : passedMs < 2000 ? 20 : 250
      await clock.advance(stepMs)
      passedMs += stepMs
    }
    throw new Error(`${what} took more than ${limitMs} ms`)
  }

  async #heal(): Promise<void> {
    for (const destination of this.#destinations.values()) {
      destination.mood = 'healthy'
    }
    this.#processDisk.faults.failPercent = 0
    await this.#host.clock.advance(this.#work.pick(0, 100, 40_000))
    for (const client of this.#clients) client.look()
  }

  // ---- ends

  async #stop(): Promise<void> {
    const { clock } = this.#host
    const deadline = new AbortController()
    const { stopDeadlineMs } = this.#plan
    let aborted = false
    const abort = () => {
      aborted = true
      deadline.abort()
    }
    const timer = stopDeadlineMs === 0 ? abort() : clock.after(stopDeadlineMs, abort)
    const beganMs = clock.monotonicMs()
    const stopped = this.#app.stop(deadline.signal)
    await this.#within('stop', stopped, stopDeadlineMs + 5000)
    if (timer) timer.cancel()
    this.#overdue ||= aborted
    for (const client of this.#clients) client.look()
    for (const client of this.#clients) client.end()
    await clock.settle()
    if (clock.monotonicMs() - beganMs < stopDeadlineMs + stopGraceMs) this.#assertStopped()
    else this.#exit()
    this.#endLife('stop')
  }

  /** A stop that waits no longer for a disk that is so slow ends the process as it is. */
  #exit(): void {
    expectBooksClose(this.#app)
    this.#processDisk.kill()
    this.#pending.clear()
    this.#stage.clear()
  }

  #kill(): void {
    this.#processDisk.kill()
    this.#pending.clear()
    // Acks that were on their way arrive; nothing else does.
    for (const client of this.#clients) client.look()
    this.#stage.clear()
    this.#endLife('kill')
  }

  #endLife(end: 'stop' | 'kill'): void {
    const byOutput = new Map<string, OutputStatistics[]>()
    let sourceRecords = 0
    for (const view of this.#views) {
      if (view.category === 'input' && view.type === 'tap') sourceRecords += view.emittedRecords
      const statistics = view.statistics()
      if (view.category !== 'output' || statistics === undefined) continue
      byOutput.set(view.id, [...(byOutput.get(view.id) ?? []), statistics])
    }
    this.#books.push({ life: this.#life, end, byOutput, sourceRecords })
    this.#views.clear()
    this.#faultsMet += this.#processDisk.met
    this.#notRemoved += this.#processDisk.notRemoved
    this.#wallMs = this.#host.clock.wallMs() + this.#work.pick(10, 5000)
    this.#life += 1
  }

  /** What file buffers hold is delivered by a process that nothing happens to. */
  async #recover(): Promise<void> {
    for (const destination of this.#destinations.values()) destination.mood = 'healthy'
    await this.#start()
    for (let round = 0; round < 100 && this.#buffered() > 0; round += 1) {
      this.#track(this.#app.flush())
      await this.#host.clock.advance(2000)
    }
    this.#assertNow()
    await this.#stop()
  }

  #buffered(): number {
    return this.#app.view
      .plugins()
      .reduce((sum, view) => sum + (view.statistics()?.bufferedEvents ?? 0), 0)
  }

  // ---- what holds at every moment

  #assertNow(): void {
    expectBooksClose(this.#app)
    for (const view of this.#app.view.plugins()) {
      const statistics = view.statistics()
      if (statistics === undefined || statistics.totalLimitBytes === 0) continue
      const { stagedBytes, queuedBytes, totalLimitBytes } = statistics
      if (stagedBytes + queuedBytes > totalLimitBytes + overshootBytes) {
        throw new Error(
          `${view.id} holds ${stagedBytes} + ${queuedBytes} bytes, and its limit is ${totalLimitBytes}`,
        )
      }
    }
  }

  #assertStopped(): void {
    expectBooksClose(this.#app)
    const { clock, net } = this.#host
    const left = {
      timers: clock.pendingTimers,
      listeners: net.listening().length,
      promises: this.#pending.size,
      files: this.#processDisk.openHandles,
      diskOperations: this.#processDisk.pending,
      locks: this.#processDisk.locked,
    }
    if (Object.values(left).every((one) => one === 0 || Object.keys(one).length === 0)) return
    throw new Error(`left behind by a stop: ${JSON.stringify(left)}`)
  }
}

/** A batch is taken whole if there is any room: the largest this makes, formatted. */
const overshootBytes = 40 * 400
