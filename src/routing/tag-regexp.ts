import { ConfigError, type Position } from '../core/errors.ts'

/**
 * `/…/` as a match pattern. Fluentd puts the text between \A and \Z without a group around it, so that
 * `/a|b/` means "begins with a, or ends with b"; so does this.
 */
export function rubyTagRegexp(
  source: string,
  position: Position | undefined,
): (tag: string) => boolean {
  let expression: RegExp
  try {
    expression = new RegExp(`^${translate(source)}$`)
  } catch (error) {
    throw new ConfigError(`invalid match pattern: ${(error as Error).message}`, { position })
  }
  return (tag) => expression.test(tag)
}

/** Ruby's anchors and classes that JavaScript spells otherwise. */
function translate(source: string): string {
  return source.replace(/\\(.)/gs, (whole, c: string) => replacements.get(c) ?? whole)
}

const replacements = new Map([
  ['A', '^'],
  ['z', '$'],
  ['Z', '$'],
  ['h', '[0-9a-fA-F]'],
  ['H', '[^0-9a-fA-F]'],
])
