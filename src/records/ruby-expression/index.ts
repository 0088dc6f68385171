import { ConfigError, type Position } from '../../core/errors.ts'
import type { MsgValue } from '../../core/value.ts'
import { parseText } from './literals.ts'
import { expressionLimit, Parser, type Run, type World } from './parse.ts'
import { Reader, SyntaxProblem } from './reader.ts'
import type { Scope } from './scope.ts'
import { recordValue } from './values.ts'

export type { World } from './parse.ts'
export { Scope } from './scope.ts'
export { ExpressionError } from './values.ts'

/** A value of the configuration with expressions in it: its value for the scope's event. Throws ExpressionError. */
export type Expression = (scope: Scope) => MsgValue

/**
 * Reads a value as record_transformer with enable_ruby and record_modifier have it: `${…}` alone is an expression whose value
 * keeps its type, otherwise a text with expressions in it. `asText`: always a text. Throws ConfigError for what cannot be
 * evaluated without Ruby, with its place where `position` is that of the value.
 */
export function compileExpression(
  written: string,
  options: { world: World; asText: boolean; position: Position | undefined },
): Expression {
  const { world, asText, position } = options
  try {
    if (written.length > expressionLimit) {
      throw new SyntaxProblem('the expression is too long', { offset: 0, length: written.length })
    }
    const run = read(written, world, asText)
    return (scope) => recordValue(run(scope))
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    throw new ConfigError(`\`${shown(written)}\` cannot be evaluated: ${error.message}`, {
      position: within(position, written, error),
      hint: error.hint ?? 'no Ruby is evaluated: what is known is listed in docs/expressions.md',
    })
  }
}

function read(written: string, world: World, asText: boolean): Run {
  const alone =
    !asText && written.startsWith('${') && written.endsWith('}') && written.indexOf('${', 2) < 0
  if (!alone) return parseText(new Parser(new Reader(written, 0), world), undefined)
  const reader = new Reader(written, 2)
  const run = new Parser(reader, world).statement()
  reader.space()
  if (reader.at !== written.length - 1) {
    reader.fail(`\`${written.slice(reader.at, reader.at + 20)}\` is not understood`, { length: 1 })
  }
  return run
}

const shown = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** The problem's place in the file, where the value stands there as it is. */
function within(
  position: Position | undefined,
  written: string,
  problem: SyntaxProblem,
): Position | undefined {
  if (position === undefined) return undefined
  const at = position.text.indexOf(written, Math.max(0, position.column - 1))
  if (at < 0) return position
  const column = at + 1 + Math.min(problem.offset, written.length - 1)
  return {
    ...position,
    column,
    length: Math.min(problem.length, position.text.length - column + 1) || 1,
  }
}
