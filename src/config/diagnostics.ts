import type { ConfigError, Position } from '../core/errors.ts'
import { configLimits } from './limits.ts'
import { looksSecret, mask, maskUrls } from './secrets.ts'

/**
 * Something that works, but probably not as meant. Printed like an error, and the start goes on.
 */
export interface ConfigWarning {
  readonly message: string
  readonly position: Position | undefined
  readonly hint?: string | undefined
}

/** Errors and warnings as they are found: one look at the file finds them all. */
export interface Findings {
  readonly errors: ConfigError[]
  readonly warnings: ConfigWarning[]
}

const maxShownColumns = 200

/** `file:line:column`, or undefined where nothing is known of the place. */
export function placeOf(position: Position | undefined): string | undefined {
  return position && `${position.file}:${position.line}:${position.column}`
}

/** Several lines: place and message, the source line, a caret under it, and the way out. */
export function renderError(error: ConfigError): string {
  return render(error)
}

export function renderWarning(warning: ConfigWarning): string {
  return render(warning)
}

/** The errors in the order of the files, each once and at most 100, with a count behind them. */
export function renderAll(errors: readonly ConfigError[]): string {
  const rendered = [...new Set(sortByPlace(errors).map(renderError))]
  const count = rendered.length === 1 ? '1 error' : `${rendered.length} errors`
  const shown = rendered.slice(0, configLimits.errors)
  const rest =
    shown.length < rendered.length ? `, of which the first ${shown.length} are shown` : ''
  return `${shown.join('\n\n')}\n\n${count} in the configuration${rest}`
}

function render(finding: {
  message: string
  position: Position | undefined
  hint?: string | undefined
}): string {
  const { message, hint } = finding
  const position = finding.position && withoutSecret(finding.position)
  const place = placeOf(position)
  const lines = [place === undefined ? message : `${place}: ${message}`]
  if (position !== undefined && position.text.trim() !== '') lines.push(...excerpt(position))
  if (hint !== undefined) lines.push(`  ${hint}`)
  return lines.join('\n')
}

/**
 * The line and its caret. A long line is cut around the caret; control characters are shown as
 * spaces.
 */
function excerpt(position: Position): string[] {
  const from = position.column > maxShownColumns ? position.column - maxShownColumns / 2 : 0
  const shown = position.text.slice(from, from + maxShownColumns)
  const number = String(position.line)
  const gutter = ' '.repeat(number.length)
  const indent = ' '.repeat(Math.max(0, position.column - 1 - from))
  const width = Math.max(1, Math.min(position.length, shown.length - indent.length))
  return [
    `  ${number} | ${shown.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')}`,
    `  ${gutter} | ${indent}${'^'.repeat(width)}`,
  ]
}

/** The source line of a secret is shown without it: errors are logged. */
export function withoutSecret(position: Position): Position {
  const parts = /^(\s*(?:- )?)(["']?[\w@$]+["']?)([\s:]+)\S.*$/.exec(position.text)
  if (parts === null || !looksSecret(parts[2]!.replace(/^[^\w]+|[^\w]+$/g, ''))) {
    return { ...position, text: maskUrls(position.text) }
  }
  const before = parts[1]! + parts[2]! + parts[3]!
  return maskedFrom(position, before.length + 1)
}

/** The line with everything from a column on masked; the caret stays on what is shown. */
export function maskedFrom(position: Position, column: number): Position {
  const text = position.text.slice(0, column - 1) + mask
  const start = Math.min(position.column, column)
  const length = Math.min(position.length, text.length - start + 1)
  return { ...position, text, column: start, length: Math.max(1, length) }
}

function sortByPlace(errors: readonly ConfigError[]): readonly ConfigError[] {
  const files = new Map<string, number>()
  for (const error of errors) {
    const file = error.position?.file ?? ''
    if (!files.has(file)) files.set(file, files.size)
  }
  const key = (error: ConfigError) => files.get(error.position?.file ?? '')!
  return [...errors].sort(
    (a, b) =>
      key(a) - key(b) ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0),
  )
}
