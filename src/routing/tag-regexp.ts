import { rubyRegexp } from '../config/regexp.ts'
import { ConfigError, type Position } from '../core/errors.ts'

/**
 * `/…/` as a match pattern. Fluentd puts the text between \A and \Z without a group around it, so
 * that `/a|b/` means "begins with a, or ends with b"; so does this.
 */
export function tagRegexp(
  source: string,
  position: Position | undefined,
): (tag: string) => boolean {
  let expression: RegExp
  try {
    // By itself first: what is wrong with it should be said of what is written.
    rubyRegexp(source)
    expression = rubyRegexp(`\\A${source}\\Z`)
  } catch (error) {
    throw new ConfigError(`invalid match pattern: ${(error as Error).message}`, { position })
  }
  return (tag) => expression.test(tag)
}
