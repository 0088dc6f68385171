import { ConfigError } from '../core/errors.ts'
import type { ConfigWarning, Findings } from './diagnostics.ts'
import type { Element, Setting } from './element.ts'
import { createIncluder } from './include.ts'
import type { ConfigInput, ConfigType, ParsedConfig } from './input.ts'
import { configLimits } from './limits.ts'
import { Scanner } from './scanner.ts'
import { SourceText } from './source-text.ts'
import { V1Parser } from './v1-parser.ts'
import { readYaml } from './yaml.ts'

/**
 * Text → tree. Never throws because of the text: what is wrong with it is in `errors`, and what
 * could be read nevertheless in `root`. Files of the directory `config_include_dir` (Fluentd's
 * /etc/fluent/conf.d) are read behind the first file.
 */
export function parseConfig(input: ConfigInput, type: ConfigType = 'auto'): ParsedConfig {
  const errors: ConfigError[] = []
  const warnings: ConfigWarning[] = []
  const params: Setting[] = []
  const children: Element[] = []
  const source = new SourceText(input.path, withInline(input))
  const into = { name: 'ROOT', params, children }
  const reader = createReader(input, { errors, warnings })
  reader.read(source, type, into)
  const files = [...reader.files]
  for (const path of includedDirectory(children, input)) {
    if (files.includes(path)) continue
    const more = reader.open(path)
    if (more !== undefined) reader.read(more, 'auto', into)
    files.push(path)
  }
  const position = source.position(0)
  const root: Element = { ...into, argument: '', position, argumentPosition: undefined }
  return { root, errors, warnings, files }
}

interface Into {
  readonly name: string
  readonly params: Setting[]
  readonly children: Element[]
}

function createReader(input: ConfigInput, findings: Findings) {
  const files = new Set<string>()
  return {
    files,
    /** Reads one file with all that it includes. */
    read(source: SourceText, type: ConfigType, into: Into): void {
      const includer = createIncluder(input, source.file, findings)
      try {
        if (source.text.length > configLimits.fileLength) {
          const message = `the file is larger than ${configLimits.fileLength} characters`
          throw new ConfigError(message, { position: source.position(0) })
        }
        const yaml = type === 'yaml' || (type === 'auto' && /\.ya?ml$/i.test(source.file))
        if (yaml) readYaml({ source, world: input, includer, findings, into })
        else {
          const scanner = new Scanner(source, input)
          new V1Parser(includer, findings).parseInto(scanner, into, 'ROOT')
        }
      } catch (thrown) {
        if (!(thrown instanceof ConfigError)) throw thrown
        findings.errors.push(thrown)
      }
      for (const file of includer.files) files.add(file)
    },
    open(path: string): SourceText | undefined {
      try {
        const text = input.readFile(path)
        return text === undefined ? undefined : new SourceText(path, text)
      } catch (thrown) {
        findings.errors.push(new ConfigError(`cannot read ${path}: ${(thrown as Error).message}`))
        return undefined
      }
    },
  }
}

/** `-i`: its `\n` are line ends; a BOM is no part of the first line. */
function withInline({ text, inlineConfig }: ConfigInput): string {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text
  return inlineConfig === undefined ? plain : `${plain}\n${inlineConfig.replaceAll('\\n', '\n')}`
}

const defaultIncludeDirectory = '/etc/fluent/conf.d'

/** The directory's configuration files, those of its directories too, sorted. */
function includedDirectory(children: readonly Element[], input: ConfigInput): readonly string[] {
  const system = children.find(({ name }) => name === 'system')
  const setting = system?.params.findLast(({ name }) => name === 'config_include_dir')
  const standard = input.env.FLUENT_CONF_INCLUDE_DIR ?? defaultIncludeDirectory
  const directory = setting === undefined || setting.useDefault ? standard : setting.value
  if (directory === undefined || directory === '') return []
  const found: string[] = []
  const open = [{ path: directory.replace(/(?<=.)\/+$/, ''), depth: 0 }]
  while (open.length > 0 && found.length <= configLimits.files) {
    const { path, depth } = open.pop()!
    const names = depth > configLimits.includeDepth ? undefined : input.listDir(path)
    if (names === undefined && /\.(conf|ya?ml)$/.test(path) && depth > 0) found.push(path)
    const inner = [...(names ?? [])].sort().reverse()
    for (const name of inner) open.push({ path: `${path}/${name}`, depth: depth + 1 })
  }
  return found.slice(0, configLimits.files)
}
