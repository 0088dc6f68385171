import { looksSecret, mask } from '../config/secrets.ts'
import type { LogFields, LogLevel } from '../core/log.ts'

/** What one message may take in all, and one value of it, in UTF-16 units: a hostile tag cannot fill the log. */
export const maxMessageLength = 16_384
export const maxValueLength = 2_048

const maxItems = 20
const maxInspectDepth = 4

/** Fields that never show their value, whoever logs them: what a configuration calls a secret, and headers. */
function isSecret(name: string): boolean {
  return looksSecret(name) || /token$|authorization$|cookie$|password/i.test(name)
}

/**
 * Control characters (C0, DEL, C1), line and paragraph separators and lone surrogates as `\xNN` or `\uNNNN`: text
 * from outside can neither draw on a terminal nor start a line of its own.
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    escapeOne,
  )
}

function escapeOne(character: string): string {
  const code = character.charCodeAt(0)
  if (code === 0x0a) return '\\n'
  if (code === 0x0d) return '\\r'
  if (code === 0x09) return '\\t'
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0').toUpperCase()}`
    : `\\u${code.toString(16).padStart(4, '0').toUpperCase()}`
}

/** The same for text of several lines that is ours (a configuration dump): newlines and tabs stay. */
export function escapeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escapeControls).join('\t'))
    .join('\n')
}

/** `scheme://user:password@host` without the password. */
export function maskUrlPassword(text: string): string {
  return text.replace(
    /([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@]{0,256}):[^\s/?#@]{1,256}@/gi,
    `$1:${mask}@`,
  )
}

function clip(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…(${text.length} characters)`
}

function quote(text: string): string {
  const clipped = maskUrlPassword(clip(text, maxValueLength))
  return `"${escapeControls(clipped.replace(/["\\]/g, '\\$&'))}"`
}

/** A value as Fluentd's log shows it: text quoted, nothing as nil, arrays and hashes in Ruby's form. */
export function inspectValue(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      return value === null ? 'nil' : inspectObject(value, depth)
    case 'undefined':
      return 'nil'
    default:
      return `#<${typeof value}>`
  }
}

function inspectObject(value: object, depth: number): string {
  if (value instanceof Error) return quote(errorText(value))
  if (value instanceof Date) return quote(value.toISOString())
  if (value instanceof Uint8Array) return `#<${value.length} bytes>`
  if (depth >= maxInspectDepth) return '…'
  if (Array.isArray(value)) {
    const shown = value.slice(0, maxItems).map((item) => inspectValue(item, depth + 1))
    if (value.length > maxItems) shown.push(`…(${value.length})`)
    return `[${shown.join(', ')}]`
  }
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value)
  const shown = entries.slice(0, maxItems).map(([key, item]) => {
    const hidden = typeof key === 'string' && isSecret(key)
    return `${inspectValue(key, depth + 1)}=>${hidden ? `"${mask}"` : inspectValue(item, depth + 1)}`
  })
  if (entries.length > maxItems) shown.push(`…(${entries.length})`)
  return `{${shown.join(', ')}}`
}

/** An error's message, with what caused it. */
function errorText(error: Error): string {
  const parts = [error.message]
  let cause = error.cause
  for (let depth = 0; depth < 3 && cause instanceof Error; depth++) {
    if (!parts.some((part) => part.includes((cause as Error).message))) parts.push(cause.message)
    cause = cause.cause
  }
  return parts.join(': ')
}

function errorFields(error: Error): string {
  const code = (error as { code?: unknown }).code
  const named = typeof code === 'string' && !error.message.includes(code)
  const suffix = named ? ` error_code=${quote(code)}` : ''
  return `error_class=${escapeControls(clip(error.name, 100))} error=${quote(errorText(error))}${suffix}`
}

/** `key=value …` as Fluentd prints it; '' without fields. Secrets are masked by their names. */
export function formatFields(fields: LogFields | undefined): string {
  if (fields === undefined) return ''
  const parts: string[] = []
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (key === 'error' && value instanceof Error) parts.push(errorFields(value))
    else if (isSecret(key)) parts.push(`${escapeControls(key)}="${mask}"`)
    else parts.push(`${escapeControls(key)}=${inspectValue(value)}`)
  }
  return parts.join(' ')
}

/** One line's text: `[id] message key=value`, safe to print, of bounded length. */
export function formatMessage(
  id: string | undefined,
  message: string,
  fields: LogFields | undefined,
): string {
  const header = id === undefined ? '' : `[${escapeControls(clip(id, 200))}] `
  const text = escapeControls(maskUrlPassword(clip(message, maxMessageLength)))
  const rest = formatFields(fields)
  return clip(`${header}${text}${rest === '' ? '' : ` ${rest}`}`, maxMessageLength)
}

const two = (value: number): string => String(value).padStart(2, '0')

/** `2026-11-20 21:37:15 +0000`. The offset is that of local time, in seconds east of UTC. */
export function formatLogTime(wallMs: number, offsetSeconds: number): string {
  const local = new Date(wallMs + offsetSeconds * 1000)
  const minutes = Math.trunc(Math.abs(offsetSeconds) / 60)
  const zone = `${offsetSeconds < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}${two(minutes % 60)}`
  return `${local.toISOString().slice(0, 19).replace('T', ' ')} ${zone}`
}

const colors: Record<LogLevel, string> = {
  trace: '\u001b[1;34m',
  debug: '\u001b[1;37m',
  info: '\u001b[1;32m',
  warn: '\u001b[1;33m',
  error: '\u001b[1;35m',
  fatal: '\u001b[1;31m',
}

/** Fluentd's colours for terminals. */
export function colored(level: LogLevel, line: string): string {
  return `${colors[level]}${line}\u001b[0;39m`
}
