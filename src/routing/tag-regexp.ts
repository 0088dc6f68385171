import { ConfigError, type Position } from '../core/errors.ts'
import { compileRegexpSource, type LineMatcher, RegexpInputError } from '../text/regexp.ts'

/**
 * `/…/` as a match pattern. Fluentd puts the text between \A and \Z without a group around it, so
 * that `/a|b/` means "begins with a, or ends with b"; so does this. Throws ConfigError.
 */
export function tagRegexp(
  source: string,
  position: Position | undefined,
): (tag: string) => boolean {
  let matcher: LineMatcher
  try {
    // By itself first: what is wrong with it should be said of what is written.
    compileRegexpSource(source, position)
    matcher = compileRegexpSource(`\\A${source}\\Z`, position)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(`invalid match pattern: ${error.message}`, { position })
  }
  return (tag) => {
    try {
      return matcher.test(tag)
    } catch (error) {
      // A tag made to keep an expression busy matches nothing.
      if (!(error instanceof RegexpInputError)) throw error
      return false
    }
  }
}
