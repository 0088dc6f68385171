import { posix } from 'node:path'
import { renderAll } from '../config/index.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Disk } from '../core/host.ts'
import { createNodeHost } from '../host/node-host.ts'
import { createMetrics } from '../observe/metrics.ts'
import type { BufferCommand } from './buffer-options.ts'
import { type OutputPlace, placesOf } from './buffer-places.ts'
import { asJson, asLines, asTable, firstEvents } from './buffer-print.ts'
import { drop, replay } from './buffer-replay.ts'
import { type FoundChunk, type ScanPlace, scan } from './buffer-scan.ts'
import { UsageError } from './parse-options.ts'
import { silentLog } from './silent-log.ts'

/** What `sluice buffer` works with: a test hands in its own. */
export interface BufferWorld {
  readonly disk: Disk
  /** The outputs of the configuration; none where only directories were given. */
  readonly outputs: readonly OutputPlace[]
  /** Standard output and standard error, a line each. */
  print(line: string): void
  say(line: string): void
}

/** Resolves with the exit code: 1 if anything could not be done. */
export async function runBuffer(command: BufferCommand): Promise<number> {
  const host = createNodeHost({ log: silentLog, metrics: createMetrics() })
  const say = (line: string) => void process.stderr.write(`sluice buffer: ${line}\n`)
  const byConfig = command.directories.length === 0 || command.configPath !== undefined
  try {
    const outputs = byConfig ? await placesOf(command, host) : []
    const print = (line: string) => void process.stdout.write(`${line}\n`)
    return await bufferCommand(command, { disk: host.disk, outputs, print, say })
  } catch (error) {
    if (error instanceof ConfigErrors) say(renderAll(error.errors))
    else if (error instanceof ConfigError) say(renderAll([error]))
    else throw error
    return 1
  }
}

/** Throws UsageError where a chunk that was named is not there, or not the only one. */
export async function bufferCommand(command: BufferCommand, world: BufferWorld): Promise<number> {
  const { disk, print } = world
  let failures = 0
  const complain = (path: string, error: Error) => {
    failures += 1
    world.say(`${path}: ${error.message}`)
  }
  const found = await findAll(command, world, complain)
  if (command.action === 'ls') {
    if (!command.json) print(asTable(found))
    else for (const chunk of found) print(asJson(chunk))
    return failures === 0 ? 0 : 1
  }
  for (const chunk of chosen(command, found)) {
    try {
      if (command.action === 'inspect') {
        const events = await firstEvents(disk, chunk, command.events)
        print(command.json ? asJson(chunk, events) : asLines(chunk, events))
      } else if (command.action === 'drop') {
        await drop(disk, chunk)
        print(`dropped ${chunk.path}: ${chunk.events} events`)
      } else {
        const output = outputFor(command, chunk, world.outputs)
        const path = await replay(disk, chunk, { output, tag: command.tag })
        print(
          `queued ${path}: ${chunk.events} events for ${output.id}, sent at its start or at SIGUSR1`,
        )
      }
    } catch (error) {
      complain(chunk.path, error as Error)
    }
  }
  return failures === 0 ? 0 : 1
}

async function findAll(
  { directories }: BufferCommand,
  { disk, outputs }: BufferWorld,
  complain: (path: string, error: Error) => void,
): Promise<readonly FoundChunk[]> {
  const places: ScanPlace[] =
    directories.length > 0
      ? directories.map((directory) => ({ directory, deep: true }))
      : outputs.flatMap(({ scans }) => scans)
  const found = new Map<string, FoundChunk>()
  for (const place of places) {
    try {
      for (const chunk of await scan(disk, place, complain)) {
        const path = posix.resolve(chunk.path)
        if (!found.has(path)) found.set(path, chunk)
      }
    } catch (error) {
      complain(place.directory, error as Error)
    }
  }
  return [...found.values()]
}

/** `--all` is what lies aside: chunks that wait for their delivery have to be named. */
function chosen(
  { chunks, all, action }: BufferCommand,
  found: readonly FoundChunk[],
): readonly FoundChunk[] {
  if (all) {
    const aside = found.filter(({ state }) => state === 'backup' || state === 'damaged')
    return action === 'replay' ? aside.filter(({ state }) => state === 'backup') : aside
  }
  return chunks.map((name) => {
    const exact = found.filter(({ id, path }) => id === name || path === name)
    const fitting = exact.length > 0 ? exact : found.filter(({ id }) => id.startsWith(name))
    if (fitting.length > 1)
      throw new UsageError(`"${name}" is the beginning of several chunks' ids`)
    const [only] = fitting
    if (only === undefined) throw new UsageError(`there is no chunk "${name}"`)
    return only
  })
}

function outputFor(
  { to }: BufferCommand,
  chunk: FoundChunk,
  outputs: readonly OutputPlace[],
): OutputPlace {
  const id = to ?? chunk.output
  const output = outputs.find((one) => one.id === id)
  if (output !== undefined) return output
  const known = outputs.map((one) => one.id).join(', ')
  throw new Error(`the configuration has no output ${id ?? 'for it'}: name one by --to (${known})`)
}
