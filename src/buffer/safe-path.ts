import { posix } from 'node:path'
import { PermanentError } from '../core/errors.ts'

/**
 * Tags and record fields in paths come from whoever sends events (CVE-2026-44024, CVE-2025-12972: `../../etc/cron.d/x` as
 * a tag). What is put into a path is mapped to harmless characters, and what comes out is checked again.
 */

/** Limits of Linux file systems, in bytes. */
const nameLimitBytes = 255
const pathLimitBytes = 4095

/** Letters, digits, `.`, `_` and `-` as they are; all else, and dots that could lead elsewhere, become `_`. */
export function safePathValue(value: string): string {
  if (value === '.') return '_'
  return value
    .replace(/[^A-Za-z0-9._-]/gu, '_')
    .replace(/\.{2,}/g, (dots) => '_'.repeat(dots.length))
}

/**
 * Throws PermanentError where a path made from values is too long, or is not below the directory of `prefix`, the part of it
 * that the configuration wrote before the first value.
 */
export function checkPath(path: string, prefix: string): void {
  const long = path.split('/').find((name) => Buffer.byteLength(name) > nameLimitBytes)
  if (long !== undefined || Buffer.byteLength(path) > pathLimitBytes) {
    const start = (long ?? path).slice(0, 40)
    throw new PermanentError('path_too_long', `the file name would be too long: ${start}…`)
  }
  if (!isBelow(posix.normalize(path), directoryOf(prefix))) {
    throw new PermanentError('unsafe_path', 'the file would not be where the configuration says')
  }
}

/** What the system says where something else has the name: a link that is not followed, a directory, a file in place of one. */
const takenCodes = new Set(['ELOOP', 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG'])

/**
 * The error of opening a path made from values, or of making its directory: permanent where the name is taken. A tag that
 * names a link would else be tried for days, and all other tags of the output wait for it.
 */
export function ofTakenName(error: unknown, path: string): unknown {
  const { code = '' } = error as { code?: string }
  if (!takenCodes.has(code)) return error
  const message = `${path} is no file of ours (${code}), and is left as it is`
  return new PermanentError('unsafe_path', message, { cause: error })
}

/** The directory that paths starting with `prefix` are in. */
export function directoryOf(prefix: string): string {
  return posix.normalize(prefix.endsWith('/') ? prefix : posix.dirname(prefix))
}

export function isBelow(path: string, directory: string): boolean {
  const base = directory.replace(/\/+$/, '')
  if (directory === '.') return !path.startsWith('/') && !/^\.\.(\/|$)/.test(path)
  return path.startsWith(`${base}/`) && !path.slice(base.length).split('/').includes('..')
}
