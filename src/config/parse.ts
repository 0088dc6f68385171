import { ConfigError, type Position } from '../core/errors.ts'
import type { ConfigWarning, Findings } from './diagnostics.ts'
import type { Element, Setting } from './element.ts'
import { createIncluder } from './include.ts'
import type { ConfigInput, ConfigType, ParsedConfig } from './input.ts'
import { configLimits } from './limits.ts'
import { Scanner } from './scanner.ts'
import { SourceText } from './source-text.ts'
import { createV1Parser } from './v1-parser.ts'
import { readYaml } from './yaml.ts'

/**
 * Text → tree. Never throws because of the text: what is wrong with it is in `errors`, and what could be read
 * nevertheless in `root`.
 */
export function parseConfig(input: ConfigInput, type: ConfigType = 'auto'): ParsedConfig {
  const errors: ConfigError[] = []
  const warnings: ConfigWarning[] = []
  const findings: Findings = { errors, warnings }
  const includer = createIncluder(input, input.path, findings)
  const params: Setting[] = []
  const children: Element[] = []
  const text = withInline(input)
  const source = new SourceText(input.path, text)
  const into = { name: 'ROOT', params, children }
  try {
    if (text.length > configLimits.fileLength) {
      throw new ConfigError(`the file is larger than ${configLimits.fileLength} characters`, {
        position: source.position(0),
      })
    }
    const yaml = type === 'yaml' || (type === 'auto' && /\.ya?ml$/i.test(input.path))
    if (yaml) readYaml({ source, world: input, includer, findings, into })
    else {
      const scanner = new Scanner(source, input)
      createV1Parser(includer, findings).parseInto(scanner, into, 'ROOT')
    }
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    errors.push(thrown)
  }
  const position: Position = source.position(0)
  const root: Element = {
    name: 'ROOT',
    argument: '',
    params,
    children,
    position,
    argumentPosition: undefined,
  }
  return { root, errors, warnings, files: includer.files }
}

/** `-i`: its `\n` are line ends; a BOM is no part of the first line. */
function withInline({ text, inlineConfig }: ConfigInput): string {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text
  return inlineConfig === undefined ? plain : `${plain}\n${inlineConfig.replaceAll('\\n', '\n')}`
}
