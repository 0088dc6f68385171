import { chunkKeysOf, injectingFormatter, unusedFormatter } from '../../buffer/index.ts'
import type { PluginContext } from '../../config/define.ts'
import type { Bound } from '../../config/schema.ts'
import { RetryableError } from '../../core/errors.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { Host, ProcessExit } from '../../core/host.ts'
import type { Chunk, Sink } from '../../core/output.ts'
import { commandFormatter } from '../../formatters/command-lines.ts'
import { createInject } from '../../formatters/inject.ts'
import type { shape } from './index.ts'

type ExecParams = Bound<typeof shape>

export function createExecSink(params: ExecParams, context: PluginContext): Sink {
  const { host } = context
  return {
    formatter: formatterOf(params, context),
    start: async () => undefined,
    async write(chunk, signal) {
      const path = await writeFile(chunk, host)
      try {
        await run(`${params.command} ${path}`, params.commandTimeout * 1000, { host, signal })
      } finally {
        await host.disk.unlink(path)
      }
    },
    stop: async () => undefined,
  }
}

function formatterOf(params: ExecParams, context: PluginContext): Formatter {
  if (context.primaryBuffer !== undefined) return unusedFormatter
  const { host, system } = context
  const inject = createInject(params.inject, {
    hostname: host.hostname,
    workerId: system.workerId,
    clock: host.clock,
    chunkKeys: chunkKeysOf(params.buffer),
  })
  return injectingFormatter(commandFormatter(params.format, context), inject)
}

/** A file of the chunk's bytes that nobody else can have put there, or read. Its path needs no quotes in a shell. */
async function writeFile(chunk: Chunk, { disk, env, random }: Host): Promise<string> {
  const directory = (env.TMPDIR ?? '').replace(/\/+$/, '')
  const safe = /^\/[\w./-]+$/.test(directory) ? directory : '/tmp'
  const path = `${safe}/sluice-exec-${Buffer.from(random.bytes(16)).toString('hex')}`
  const file = await disk.open(
    path,
    { write: true, create: true, exclusive: true, noFollow: true },
    0o600,
  )
  try {
    if (chunk.stream === undefined) await file.writev(await chunk.read())
    else for await (const piece of chunk.stream()) await file.write(piece)
  } catch (error) {
    await file.close()
    await disk.unlink(path)
    throw error
  }
  await file.close()
  return path
}

/** Resolves when the command has ended well. Rejects with RetryableError otherwise. */
async function run(
  command: string,
  timeoutMs: number,
  { host, signal }: { host: Host; signal: AbortSignal },
): Promise<void> {
  let timedOut = false
  const exit = await new Promise<ProcessExit>((resolve) => {
    const child = host.processes.start(
      { command, stdin: 'none', stdout: 'discard', stderr: 'inherit' },
      {
        onOutput: () => undefined,
        onExit(status) {
          timer.cancel()
          signal.removeEventListener('abort', kill)
          resolve(status)
        },
      },
    )
    const kill = () => child.kill('KILL')
    const timer = host.clock.after(timeoutMs, () => {
      timedOut = true
      kill()
    })
    signal.addEventListener('abort', kill)
    if (signal.aborted) kill()
  })
  if (exit.code === 0) return
  const why = timedOut
    ? `was killed after ${timeoutMs / 1000} s`
    : exit.error !== undefined
      ? `could not be started: ${exit.error.message}`
      : exit.signal === undefined
        ? `exits with error code ${exit.code}`
        : `was ended by ${exit.signal}`
  throw new RetryableError('command_failed', `the command ${why}: ${command}`)
}
