/** What stands between `${` and `}`. Anything else is unknown: null, or nothing inside a text. */
export type Source =
  | { readonly kind: 'tag' }
  | { readonly kind: 'hostname' }
  | { readonly kind: 'time' }
  | { readonly kind: TagList; readonly index: number }
  | { readonly kind: 'field'; readonly key: string }
  | { readonly kind: 'unknown'; readonly written: string }

type TagList = 'tag_parts' | 'tag_prefix' | 'tag_suffix'

/** Pieces of a text: plain ones as they are. `__WORD__` is a placeholder of old, of which none is left. */
export function parsePlaceholders(text: string): (string | Source)[] {
  return text
    .split(/(\$\{[^}]+\}|__[A-Z_]+__)/)
    .map((piece, i) => (i % 2 === 0 ? piece : parseSource(piece)))
    .filter((piece) => piece !== '')
}

function parseSource(written: string): Source {
  const inside = written.slice(2, -1)
  if (written.startsWith('$')) {
    if (inside === 'tag' || inside === 'hostname' || inside === 'time') return { kind: inside }
    const list = /^(tag_parts|tag_prefix|tag_suffix)\[(0|-?[1-9]\d{0,5})\]$/.exec(inside)
    if (list !== null) return { kind: list[1] as TagList, index: Number(list[2]) }
    const field = /^record\["([\s\S]*)"\]$/.exec(inside)
    if (field !== null) return { kind: 'field', key: field[1] as string }
  }
  return { kind: 'unknown', written }
}

export function writtenForm(source: Source): string {
  switch (source.kind) {
    case 'unknown':
      return source.written
    case 'field':
      return `\${record["${source.key}"]}`
    case 'tag_parts':
    case 'tag_prefix':
    case 'tag_suffix':
      return `\${${source.kind}[${source.index}]}`
    default:
      return `\${${source.kind}}`
  }
}

/** The parts of one tag, as the placeholders give them. */
export class TagWords {
  readonly tag: string
  private readonly parts: readonly string[]

  constructor(tag: string) {
    this.tag = tag
    const parts = tag.split('.')
    // As in Ruby's split: nothing empty at the end.
    while (parts.length > 0 && parts.at(-1) === '') parts.pop()
    this.parts = parts
  }

  /** undefined: there is no such part. */
  get(list: TagList, index: number): string | undefined {
    const { parts } = this
    const at = index < 0 ? parts.length + index : index
    if (at < 0 || at >= parts.length) return undefined
    if (list === 'tag_parts') return parts[at]
    return (list === 'tag_prefix' ? parts.slice(0, at + 1) : parts.slice(at)).join('.')
  }
}
