import { ConfigError, type Position } from '../core/errors.ts'
import type { Findings } from './diagnostics.ts'
import { glob, hasGlob } from './glob.ts'
import type { ConfigWorld } from './input.ts'
import { configLimits } from './limits.ts'
import { Scanner } from './scanner.ts'
import { SourceText } from './source-text.ts'

/** Finds and opens the files of `@include` and of YAML's `!include`. */
export interface Includer {
  include(request: {
    /** As written: a path, a glob, or file:///path. */
    readonly target: string
    readonly position: Position
    /** Called for each file, in order. */
    read(file: Scanner): void
  }): void
  /** All files so far, the first one included. */
  readonly files: readonly string[]
}

const backupName = /[._](bak|old|backup|orig|prev|conf|tmp|temp|debug|wip)\.conf$/

export function createIncluder(world: ConfigWorld, path: string, findings: Findings): Includer {
  const files: string[] = [path]
  const stack: string[] = [path]

  function include(request: Parameters<Includer['include']>[0]): void {
    const { target, position } = request
    const fail = (message: string, hint?: string) =>
      new ConfigError(message, hint === undefined ? { position } : { position, hint })
    if (stack.length > configLimits.includeDepth) {
      throw fail(`files include files more than ${configLimits.includeDepth} deep`)
    }
    const pattern = resolve(directoryOf(stack.at(-1)!), plainPath(target, fail))
    const found = findFiles(pattern, fail)
    if (found.length === 0 && !hasGlob(pattern)) {
      // Fluentd passes it over in silence (golden case g-include-missing).
      findings.warnings.push({ message: `@include ${target}: there is no such file`, position })
    }
    for (const file of found) includeFile(file, request, fail)
  }

  function findFiles(pattern: string, fail: (message: string) => ConfigError): readonly string[] {
    if (!hasGlob(pattern))
      return [pattern].filter((one) => readText(world, one, fail) !== undefined)
    try {
      return glob(pattern, world)
    } catch (thrown) {
      if (thrown instanceof RangeError) throw fail(thrown.message)
      throw fail(`include error ${pattern} - ${(thrown as Error).message}`)
    }
  }

  function includeFile(
    file: string,
    request: Parameters<Includer['include']>[0],
    fail: (message: string) => ConfigError,
  ): void {
    const round = stack.indexOf(file)
    if (round >= 0) {
      throw fail(`the file includes itself: ${[...stack.slice(round), file].join(' → ')}`)
    }
    if (request.target.endsWith('*.conf') && backupName.test(file)) {
      findings.warnings.push({
        message: `'@include ${request.target}' takes in ${file}, which looks like a backup`,
        position: request.position,
      })
    }
    const text = readText(world, file, fail)
    if (text === undefined) return
    files.push(file)
    if (files.length > configLimits.files) throw fail(`more than ${configLimits.files} files`)
    stack.push(file)
    try {
      request.read(new Scanner(new SourceText(file, text), world))
    } finally {
      stack.pop()
    }
  }

  return { include, files }
}

function readText(
  world: ConfigWorld,
  file: string,
  fail: (message: string) => ConfigError,
): string | undefined {
  let text: string | undefined
  try {
    text = world.readFile(file)
  } catch (thrown) {
    throw fail(`include error ${file} - ${(thrown as Error).message}`)
  }
  if (text !== undefined && text.length > configLimits.fileLength) {
    throw fail(`${file} is larger than ${configLimits.fileLength} characters`)
  }
  return text
}

/**
 * The path of a target. URLs are refused: a configuration must not depend on what a network says.
 */
function plainPath(target: string, fail: (message: string, hint?: string) => ConfigError): string {
  if (target === '') throw fail('@include needs a path')
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(target)?.[1]?.toLowerCase()
  if (scheme === 'file') return decode(target.replace(/^file:(\/\/(localhost)?(?=\/))?/i, ''))
  if (scheme !== undefined) {
    throw fail(
      `@include takes files, not ${scheme}: addresses`,
      'fetch the file first and include it by its path',
    )
  }
  return decode(target)
}

/** Fluentd decodes `%20` and the like. What is no such code stays. */
function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (codes) => {
    try {
      return decodeURIComponent(codes)
    } catch {
      return codes
    }
  })
}

export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, Math.max(1, slash))
}

/** Joins and takes out `.` and `..`. */
export function resolve(base: string, path: string): string {
  const joined = path.startsWith('/') || base === '' ? path : `${base}/${path}`
  const out: string[] = []
  for (const part of joined.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop()
    else if (part !== '..' || !joined.startsWith('/')) out.push(part)
  }
  return (joined.startsWith('/') ? '/' : '') + out.join('/')
}
