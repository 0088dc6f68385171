import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { version } from '../core/version.ts'
import { parseArguments } from './argv.ts'
import { UsageError } from './parse-options.ts'

/**
 * The command line: `script` is the path it was called by, `args` what follows. Resolves with the
 * exit code: 0 done or stopped on request, 1 otherwise. What a command does not need is not loaded.
 */
export async function main(script: string, args: readonly string[]): Promise<number> {
  try {
    const command = parseArguments(basename(script), args)
    switch (command.kind) {
      case 'version':
        process.stdout.write(`sluice ${version}\n`)
        return 0
      case 'help':
        return await help(command.of)
      case 'setup':
        return (await import('./setup.ts')).setup(command.directory)
      case 'cat':
        return await cat(command)
      case 'buffer':
        return await (await import('./buffer.ts')).runBuffer(command)
      case 'run':
        return await (await import('./run.ts')).run(command)
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const [first] = args
    const help = first === 'cat' || first === 'buffer' ? `sluice ${first} --help` : 'sluice --help'
    process.stderr.write(`sluice: ${error.message}\nSee ${help}.\n`)
    return 1
  }
}

async function help(of: 'run' | 'cat' | 'buffer'): Promise<number> {
  const [{ helpText }, { bufferOptions, catOptions, runOptions }] = await Promise.all([
    import('./help.ts'),
    import('./options.ts'),
  ])
  const texts = {
    cat: () =>
      helpText(
        'sluice cat TAG [options]',
        catOptions,
        'Events come from standard input, one JSON map a line.',
      ),
    buffer: () =>
      helpText(
        'sluice buffer ls [DIR...]\nsluice buffer inspect|replay|drop CHUNK...|--all',
        bufferOptions,
        'CHUNK is an id, the beginning of one, or a path. docs/OPERATIONS.md says more.',
      ),
    run: () =>
      helpText(
        'sluice [options]\nsluice cat TAG [options]\nsluice buffer ls|inspect|replay|drop [options]',
        runOptions,
        "Fluentd's other options are accepted, with a word where they do nothing.",
      ),
  }
  process.stdout.write(`${await texts[of]()}\n`)
  return 0
}

async function cat(command: Parameters<typeof import('./cat.ts').runCat>[0]): Promise<number> {
  const [{ runCat }, { createNodeNet }, { createNodeClock }, { silentLog }] = await Promise.all([
    import('./cat.ts'),
    import('../host/node-net.ts'),
    import('../host/node-clock.ts'),
    import('./silent-log.ts'),
  ])
  // What stands in a command line can be seen by everybody on the machine.
  const { SLUICE_SHARED_KEY, SLUICE_PASSWORD } = process.env
  const secrets = {
    sharedKey: command.sharedKey ?? SLUICE_SHARED_KEY,
    password: command.password ?? SLUICE_PASSWORD,
  }
  try {
    await runCat(
      { ...command, ...secrets },
      {
        net: createNodeNet({ log: silentLog }),
        input: process.stdin,
        wallMs: createNodeClock().wallMs,
        wait: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
        say: (line) => void process.stderr.write(`sluice cat: ${line}\n`),
        randomBytes,
      },
    )
    return 0
  } catch (error) {
    if (error instanceof UsageError) throw error
    process.stderr.write(`sluice cat: ${(error as Error).message}\n`)
    return 1
  }
}
