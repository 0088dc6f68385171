import { configLimits } from './limits.ts'

/**
 * File name patterns as Ruby's Dir.glob has them: `*`, `?`, `[a-z]`, `{a,b}`, `**` for directories;
 * names that begin with a dot only where the pattern does. Results are sorted.
 */

export interface GlobFiles {
  /** Names in a directory; undefined if it is none. */
  listDir(path: string): readonly string[] | undefined
}

export function hasGlob(path: string): boolean {
  return /[*?[{]/.test(path)
}

/** Throws RangeError where the pattern makes more than the limits allow. */
export function glob(pattern: string, files: GlobFiles): readonly string[] {
  const found = new Set<string>()
  let looked = 0
  const list = (path: string) => {
    const names = files.listDir(path === '' ? '.' : path)
    looked += names?.length ?? 0
    if (looked > configLimits.globEntries) throw new RangeError('the pattern covers too many files')
    return names
  }
  for (const one of expandBraces(pattern)) {
    const absolute = one.startsWith('/')
    const parts = one.split('/').filter((part) => part !== '')
    walk(parts, absolute ? '/' : '', list, found)
  }
  return [...found].sort()
}

type List = (path: string) => readonly string[] | undefined

function walk(parts: readonly string[], base: string, list: List, found: Set<string>): void {
  const [part, ...rest] = parts
  if (part === undefined) return
  if (part === '**' && rest.length > 0) {
    walk(rest, base, list, found)
    for (const name of list(base) ?? []) {
      const inner = join(base, name)
      if (!name.startsWith('.') && list(inner) !== undefined) walk(parts, inner, list, found)
    }
    return
  }
  const plain = !hasGlob(part)
  const names = list(base)
  const matching =
    plain && rest.length > 0 ? [part] : (names ?? []).filter((name) => matches(part, name))
  for (const name of matching) {
    const path = join(base, name)
    if (rest.length > 0) walk(rest, path, list, found)
    else found.add(path)
  }
}

function join(base: string, name: string): string {
  return base === '' || base.endsWith('/') ? base + name : `${base}/${name}`
}

/**
 * Whether a name matches one part of a pattern; linear but for stars, which are retried from the
 * last one only.
 */
export function matches(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false
  const tokens = tokenize(pattern)
  let t = 0
  let n = 0
  let star = -1
  let starName = 0
  while (n < name.length) {
    const token = tokens[t]
    if (token === '*') {
      star = t++
      starName = n
    } else if (token !== undefined && fits(token, name[n]!)) {
      t++
      n++
    } else if (star >= 0) {
      t = star + 1
      n = ++starName
    } else return false
  }
  while (tokens[t] === '*') t++
  return t === tokens.length
}

type Token = '*' | ((c: string) => boolean)

function fits(token: Token, c: string): boolean {
  return token !== '*' && token(c)
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!
    const close = c === '[' ? pattern.indexOf(']', i + 2) : -1
    if (c === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*')
    } else if (c === '?') tokens.push(() => true)
    else if (close > 0) {
      tokens.push(characterClass(pattern.slice(i + 1, close)))
      i = close
    } else {
      const literal = c === '\\' && i + 1 < pattern.length ? pattern[++i]! : c
      tokens.push((other) => other === literal)
    }
  }
  return tokens
}

function characterClass(body: string): (c: string) => boolean {
  const negated = body.startsWith('!') || body.startsWith('^')
  const set = negated ? body.slice(1) : body
  return (c) => {
    let inside = false
    for (let i = 0; i < set.length; i++) {
      if (set[i + 1] === '-' && i + 2 < set.length) {
        inside ||= set[i]! <= c && c <= set[i + 2]!
        i += 2
      } else inside ||= set[i] === c
    }
    return inside !== negated
  }
}

/** `a{b,c}` → ab, ac; nested ones too. */
export function expandBraces(pattern: string): readonly string[] {
  const done: string[] = []
  const open = [pattern]
  while (open.length > 0) {
    const one = open.pop()!
    const group = innermostBraces(one)
    if (group === undefined) done.push(one)
    else {
      const { start, end } = group
      for (const choice of one.slice(start + 1, end).split(',')) {
        open.push(one.slice(0, start) + choice + one.slice(end + 1))
      }
    }
    if (open.length + done.length > configLimits.globBraces) {
      throw new RangeError('the pattern has too many alternatives')
    }
  }
  return done
}

function innermostBraces(text: string): { start: number; end: number } | undefined {
  const end = text.indexOf('}')
  const start = end < 0 ? -1 : text.lastIndexOf('{', end)
  return start < 0 ? undefined : { start, end }
}
