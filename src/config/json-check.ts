import { configLimits } from './limits.ts'

const blank = /[ \t\r\n]*/.source
const mark = /[[\]{}:,]/.source
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/.source
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![0-9.\w])/.source
const token = new RegExp(
  `${blank}(?:(${mark})|(${string})|(${number}|(?:true|false|null)\\b))`,
  'y',
)

/** What may come next. */
type Expectation = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'commaOrEnd' | 'nothing'

/**
 * Where a text stops being JSON, in the same words whatever the engine says: `unexpected token at
 * 'two]'`. undefined: it is JSON.
 */
export function jsonProblem(text: string): string | undefined {
  const open: string[] = []
  let expected: Expectation = 'value'
  token.lastIndex = 0
  for (;;) {
    const start = token.lastIndex
    const [, mark, string, scalar] = token.exec(text) ?? []
    if (mark === undefined && string === undefined && scalar === undefined) {
      const rest = trimmed(text.slice(start))
      return expected === 'nothing' && rest === '' ? undefined : described(rest)
    }
    const next = step(expected, { mark, isString: string !== undefined }, open)
    if (next === undefined || open.length > configLimits.depth) {
      return described(trimmed(text.slice(start)))
    }
    expected = next
  }
}

function trimmed(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '')
}

function described(rest: string): string {
  if (rest === '') return 'unexpected token: it ends too early'
  return `unexpected token at '${rest.length > 20 ? `${rest.slice(0, 20)}…` : rest}'`
}

function step(
  expected: Expectation,
  { mark, isString }: { mark: string | undefined; isString: boolean },
  open: string[],
): Expectation | undefined {
  if (expected === 'nothing') return undefined
  if (expected === 'colon') return mark === ':' ? 'value' : undefined
  if (mark === ']' || mark === '}') {
    const mayEnd =
      expected === 'commaOrEnd' || expected === (mark === ']' ? 'valueOrEnd' : 'keyOrEnd')
    if (!mayEnd || open.pop() !== mark) return undefined
    return open.length === 0 ? 'nothing' : 'commaOrEnd'
  }
  if (expected === 'commaOrEnd') {
    if (mark !== ',') return undefined
    return open.at(-1) === '}' ? 'key' : 'value'
  }
  if (expected === 'key' || expected === 'keyOrEnd') return isString ? 'colon' : undefined
  if (mark === '[' || mark === '{') {
    open.push(mark === '[' ? ']' : '}')
    return mark === '[' ? 'valueOrEnd' : 'keyOrEnd'
  }
  if (mark !== undefined) return undefined
  return open.length === 0 ? 'nothing' : 'commaOrEnd'
}
