#!/usr/bin/env node
// npm run sim -- --seeds N [--from S]   runs N seeds, from S (1) on, on all processors
// npm run sim -- --seed S               runs one, and prints its configuration first
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { runnerImport } from 'vite'

const { module } = await runnerImport(fileURLToPath(new URL('simulate.ts', import.meta.url)), {
  logLevel: 'error',
})

if (isMainThread) await main()
else await work(workerData)

async function work({ from, to, step }) {
  for (let seed = from; seed < to; seed += step) {
    let error
    try {
      await module.simulate(seed)
    } catch (thrown) {
      error = thrown.message
    }
    parentPort.postMessage({ seed, error })
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '2000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
    },
  })
  if (values.seed !== undefined) {
    const seed = Number(values.seed)
    console.log(module.describeSeed(seed))
    await module.simulate(seed)
    console.log(`seed ${seed}: nothing wrong`)
    return
  }
  const from = Number(values.from)
  const to = from + Number(values.seeds)
  const workers = Math.min(availableParallelism(), to - from)
  const started = performance.now()
  const failed = []
  let done = 0
  await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { from: from + i, to, step: workers },
      })
      return new Promise((resolve, reject) => {
        worker.on('message', ({ seed, error }) => {
          done += 1
          if (done % 1000 === 0) console.error(`${done} seeds`)
          if (error === undefined) return
          failed.push(seed)
          console.log(error)
        })
        worker.on('error', reject)
        worker.on('exit', resolve)
      })
    }),
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  failed.sort((a, b) => a - b)
  console.log(
    `${done} seeds from ${from} in ${seconds} s, ${failed.length} failed ${failed.slice(0, 50).join(' ')}`,
  )
  if (failed.length > 0 || done < to - from) process.exitCode = 1
}
