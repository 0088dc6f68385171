import type { Document } from 'yaml'
import { ConfigError } from '../core/errors.ts'
import type { Findings } from './diagnostics.ts'
import { configLimits } from './limits.ts'
import type { SourceText } from './source-text.ts'
import { yaml } from './yaml-library.ts'

const ourTags = /^Unresolved tag: !(include|fluent\/s|fluent\/json)$/

/** Characters that a line may be indented by: what bounds the nesting of blocks. */
const maxIndent = 1024

/**
 * YAML text → document; syntax errors go to `findings`, with their places. Throws ConfigError for
 * what nests too deep: the composer is recursive, so that is looked for on the tokens before.
 */
export function composeYaml(source: SourceText, findings: Findings): Document {
  checkDepth(source)
  const document = yaml().parseDocument(source.text, {
    version: '1.1',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  for (const error of document.errors.slice(0, configLimits.errors)) {
    const [start, end] = error.pos
    findings.errors.push(
      new ConfigError(messageOf(error), { position: source.position(start, end - start) }),
    )
  }
  for (const warning of document.warnings) {
    if (ourTags.test(warning.message)) continue
    const [start, end] = warning.pos
    const position = source.position(start, end - start)
    findings.warnings.push({ message: `YAML: ${warning.message}`, position })
  }
  return document
}

/** libyaml's words for what is wrong with a structure, and the more exact ones of our reader. */
function messageOf(error: { code: string; message: string }): string {
  const structural = ['BAD_INDENT', 'MISSING_CHAR', 'IMPOSSIBLE', 'UNEXPECTED_TOKEN']
  return structural.includes(error.code)
    ? `YAML: did not find expected key: ${error.message}`
    : `YAML: ${error.message}`
}

function checkDepth(source: SourceText): void {
  const tooDeep = (offset: number) =>
    new ConfigError(`YAML is nested deeper than ${configLimits.depth}`, {
      position: source.position(offset),
    })
  const indented = new RegExp(`^ {${maxIndent}}`, 'm').exec(source.text)
  if (indented !== null) throw tooDeep(indented.index)
  let offset = 0
  let flows = 0
  let indicators = 0
  for (const token of new (yaml().Lexer)().lex(source.text)) {
    if (token === '[' || token === '{') flows++
    else if (token === ']' || token === '}') flows--
    if (token === '-' || token === '?') indicators++
    else if (token.startsWith('\n') || token.startsWith('\r')) indicators = 0
    if (flows > configLimits.depth || indicators > configLimits.depth) throw tooDeep(offset)
    if (!/^[\x02\x18\x1f]$|^\ufeff$/.test(token)) offset += token.length
  }
}
