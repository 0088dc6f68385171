import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { parseConfig } from '../../../src/config/index.ts'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel } from '../../../src/kernel/index.ts'
import { plugins } from '../../../src/plugins.ts'
import { createFakeHost, type FakeHost } from '../../support/fake-host.ts'

/**
 * Configurations as they are found in the world, whole: what comes in, and what comes out. A case is a configuration and
 * steps, each with a title `=== …`: `worker N` (which one is played), `append PATH` (lines, to a log file; the first ones are
 * there at the start), `send PORT` (lines, by TCP), `answer STATUS` (of the HTTP server, from then on), `wait SECONDS`; then,
 * after a stop, what there is: `stdout`, `http` (requests), `file PATH`, `list DIRECTORY`. UPDATE_GOLDEN=1 writes what comes out.
 */

const folder = 'test/golden/real-world'
const update = process.env.UPDATE_GOLDEN === '1'
const kernelModule = loadKernel()

interface Step {
  readonly words: readonly string[]
  readonly text: string
}

function stepsOf(text: string): Step[] {
  return text
    .split(/^=== /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n')
      return { words: part.slice(0, end).split(' '), text: part.slice(end + 1) }
    })
}

async function play(steps: readonly Step[], host: FakeHost): Promise<void> {
  for (const { words, text } of steps) {
    if (words[0] === 'send') {
      const client = host.net.client(Number(words[1]))
      client.send(Buffer.from(text))
      client.end()
      await host.clock.settle()
    } else if (words[0] === 'append') host.disk.append(String(words[1]), text)
    else if (words[0] === 'answer') answerWith(host, Number(words[1]))
    else if (words[0] === 'wait') await host.clock.advance(Number(words[1]) * 1000)
  }
}

function answerWith(host: FakeHost, status: number): void {
  host.http.answer = () => ({ status, headers: {}, body: new Uint8Array(0) })
}

const doing = ['worker', 'append', 'answer', 'send', 'wait']

async function foundBy({ words }: Step, host: FakeHost): Promise<string> {
  const [what, path = ''] = words
  if (what === 'stdout') return host.stdout.text()
  if (what === 'list') return (await host.disk.readdir(path)).map((name) => `${name}\n`).join('')
  if (what === 'file') return Buffer.from(await host.disk.readFile(path)).toString()
  if (what !== 'http') throw new Error(`no such step: ${what}`)
  return host.http.requests
    .map(({ method, url, body }) => `${method} ${url}\n${Buffer.concat(body ?? [])}`)
    .map((request) => (request.endsWith('\n') ? request : `${request}\n`))
    .join('')
}

async function run(name: string): Promise<{ wanted: string; found: string; text: string }> {
  const text = readFileSync(`${folder}/${name}`, 'utf8')
  const config = text.slice(0, text.indexOf('=== '))
  const steps = stepsOf(text)
  const workerId = Number(steps.find(({ words }) => words[0] === 'worker')?.words[1] ?? 0)
  const nothing = { readFile: () => undefined, listDir: () => undefined, env: {} }
  const world = { ...nothing, hostname: 'h', workerId: String(workerId) }
  const { root, errors } = parseConfig({ path: name, text: config, ...world })
  expect(errors).toEqual([])
  const host = createFakeHost()
  answerWith(host, 200)
  const kernel = createKernel(kernelModule)
  const app = createApp({
    host,
    plugins,
    kernel,
    config: { root, path: name },
    overrides: { workerId },
  })
  const starts = steps.findIndex(({ words }) => !['worker', 'append'].includes(words[0] as string))
  await play(steps.slice(0, starts), host)
  await app.start()
  const looks = steps.filter(({ words }) => !doing.includes(words[0] as string))
  await play(steps.slice(starts), host)
  const deadline = new AbortController()
  const stopped = app.stop(deadline.signal)
  await host.clock.advance(10_000)
  deadline.abort()
  await host.clock.advance(10_000)
  await stopped
  let found = ''
  for (const look of looks) found += `=== ${look.words.join(' ')}\n${await foundBy(look, host)}`
  const wanted = looks.map((look) => `=== ${look.words.join(' ')}\n${look.text}`).join('')
  return { wanted, found, text }
}

describe('configurations of the world', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))
  it.each(names)('%s', async (name) => {
    const { wanted, found, text } = await run(name)
    if (update)
      writeFileSync(`${folder}/${name}`, text.slice(0, text.length - wanted.length) + found)
    else expect(found).toBe(wanted)
  })
})
