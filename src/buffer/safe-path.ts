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

/** The directory that paths starting with `prefix` are in. */
export function directoryOf(prefix: string): string {
  return posix.normalize(prefix.endsWith('/') ? prefix : posix.dirname(prefix))
}

export function isBelow(path: string, directory: string): boolean {
  const base = directory.replace(/\/+$/, '')
  if (directory === '.') return !path.startsWith('/') && !/^\.\.(\/|$)/.test(path)
  return path.startsWith(`${base}/`) && !path.slice(base.length).split('/').includes('..')
}
