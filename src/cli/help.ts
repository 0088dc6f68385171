import yargs from 'yargs'
import type { OptionSpec } from './options.ts'

/**
 * The text of --help, laid out by yargs. Loaded only where it is printed: yargs takes longer to load than everything
 * else that a start needs (docs/decisions).
 */
export async function helpText(
  usage: string,
  specs: readonly OptionSpec[],
  epilogue: string,
): Promise<string> {
  const parser = yargs([])
    .scriptName('sluice')
    .usage(usage)
    .help(false)
    .version(false)
    .wrap(100)
    .epilogue(epilogue)
  for (const { name, short, kind, value, describe } of specs) {
    if (describe === '') continue
    parser.option(name, {
      ...(short === undefined ? {} : { alias: short }),
      describe: value === undefined ? describe : `${value}: ${describe}`,
      ...(kind === 'flag' || kind === 'count' ? { boolean: true } : { string: true }),
    })
  }
  return parser.getHelp()
}
