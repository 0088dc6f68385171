// npm run fuzz -- --minutes N | --inputs N  [--seed S] [--kind K] [--jobs J]
// npm run fuzz -- --file F                  plays again what a failure left (test/fuzz/corpus/failures)
// npm run fuzz -- --seed S --inputs 1       one seed, in one thread
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Input, Kind } from './inputs.ts'
import { FuzzFailure, fuzz, type Progress, playAlone } from './runner.ts'

const corpusFolder = 'test/fuzz/corpus'
/** A batch takes milliseconds; one that takes so long hangs. */
const hangMs = 60_000

interface Job {
  readonly seed: number
  readonly stride: number
  readonly inputs: number
  readonly untilMs: number
  readonly kind: Kind | undefined
}

interface SavedInput {
  readonly kind: Kind
  readonly hex: string
  readonly cuts: readonly number[]
}

async function work(job: Job): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let left = job.inputs
  try {
    await fuzz({
      ...job,
      corpusFolder,
      collect,
      isOver: () => left <= 0 || Date.now() > job.untilMs,
      report(progress) {
        left -= progress.inputs
        parentPort?.postMessage(progress)
      },
    })
  } catch (error) {
    const inputs = error instanceof FuzzFailure ? error.inputs : []
    parentPort?.postMessage({ failed: String((error as Error).stack), inputs: inputs.map(save) })
  }
}

function save({ kind, bytes, cuts }: Input): SavedInput {
  return { kind, hex: Buffer.from(bytes).toString('hex'), cuts }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      inputs: { type: 'string' },
      seed: { type: 'string' },
      kind: { type: 'string' },
      jobs: { type: 'string' },
      file: { type: 'string' },
    },
  })
  if (values.file !== undefined) {
    const saved = JSON.parse(readFileSync(values.file, 'utf8')) as SavedInput[]
    await playAlone(saved.map(({ hex, ...rest }) => ({ ...rest, bytes: Buffer.from(hex, 'hex') })))
    console.log('nothing wrong')
    return
  }
  const seed = Number(values.seed ?? Date.now() % 1e9)
  const inputs = Number(values.inputs ?? Infinity)
  const minutes = Number(values.minutes ?? (values.inputs === undefined ? 1 : Infinity))
  const jobs = Math.min(Number(values.jobs ?? availableParallelism()), Math.ceil(inputs / 64))
  console.log(`seed ${seed}, ${jobs} threads, corpus in ${corpusFolder}`)
  const started = Date.now()
  const results = await Promise.all(
    Array.from({ length: jobs }, (_, i) =>
      watch({
        seed: seed + i,
        stride: jobs,
        inputs: inputs / jobs,
        untilMs: started + minutes * 60_000,
        kind: values.kind as Kind | undefined,
      }),
    ),
  )
  const played = results.reduce((sum, result) => sum + result.played, 0)
  const events = results.reduce((sum, result) => sum + result.events, 0)
  const failures = results.filter((result) => result.failed !== undefined)
  const seconds = (Date.now() - started) / 1000
  console.log(
    `${played} inputs (${events} events) in ${seconds.toFixed(0)} s (${Math.round(played / seconds)}/s), ${failures.length} failures, ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  )
  if (failures.length > 0) process.exitCode = 1
}

/** Runs a job in a thread of its own, and ends it if it hangs. */
function watch(job: Job): Promise<{ played: number; events: number; failed?: string }> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: job })
  let played = 0
  let events = 0
  let seed = job.seed
  let lastMs = Date.now()
  let failed: string | undefined
  const timer = setInterval(() => {
    if (Date.now() - lastMs < hangMs) return
    failed = `a batch hangs: replay with --seed ${seed} --inputs 64 --jobs 1`
    console.log(failed)
    void worker.terminate()
  }, 1000)
  return new Promise((resolve) => {
    worker.on('message', (message: Progress | Failed) => {
      lastMs = Date.now()
      if ('failed' in message) {
        failed = message.failed
        report(message)
        return
      }
      if (Math.floor(played / 500_000) < Math.floor((played + message.inputs) / 500_000)) {
        console.log(`${played + message.inputs} inputs by this thread, seed ${message.seed}`)
      }
      played += message.inputs
      events += message.events
      seed = message.seed
    })
    worker.on('error', (error) => {
      failed = `the thread died at seed ${seed}: ${error.stack}`
      console.log(failed)
    })
    worker.on('exit', () => {
      clearInterval(timer)
      resolve({ played, events, ...(failed === undefined ? {} : { failed }) })
    })
  })
}

interface Failed {
  readonly failed: string
  readonly inputs: readonly SavedInput[]
}

function report(failure: Failed): void {
  console.log(failure.failed)
  const file = `${corpusFolder}/failures/${Date.now()}.json`
  mkdirSync(`${corpusFolder}/failures`, { recursive: true })
  writeFileSync(file, JSON.stringify(failure.inputs))
  console.log(`${failure.inputs.length} inputs, as small as could be: replay with --file ${file}`)
  for (const { kind, hex } of failure.inputs.slice(0, 4)) console.log(kind, hex.slice(0, 2000))
}

if (isMainThread) await main()
else await work(workerData as Job)
