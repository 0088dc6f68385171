import { isUtf8 } from 'node:buffer'

export interface TagRule {
  /** `tag`: takes the place of what the client sent. */
  readonly fixed: string | undefined
  /** `add_tag_prefix`: goes in front, with a dot. */
  readonly prefix: string | undefined
  readonly lengthLimitBytes: number
}

/** C0, DEL, C1, and the line ends of Unicode. */
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/**
 * Tags of one connection: bytes as sent → the tag of the batch. Most connections have one tag, so
 * the last one is remembered and compared by its bytes.
 */
export class Tags {
  readonly #rule: TagRule
  readonly #fixed: string | undefined
  #lastBytes: Uint8Array | undefined
  #lastTag: string | undefined

  constructor(rule: TagRule) {
    this.#rule = rule
    this.#fixed = rule.fixed === undefined ? undefined : this.#prefixed(rule.fixed)
  }

  /**
   * undefined: no tag for us (SECURITY, "tag injection"): too long, not UTF-8, or with control
   * characters, which could forge lines of a log or lead a path astray. An empty tag is one, as in
   * Fluentd.
   */
  resolve(bytes: Uint8Array): string | undefined {
    if (this.#fixed !== undefined) return this.#fixed
    if (this.#lastBytes !== undefined && sameBytes(this.#lastBytes, bytes)) return this.#lastTag
    if (bytes.byteLength > this.#rule.lengthLimitBytes) return undefined
    this.#lastTag = this.#make(bytes)
    this.#lastBytes = new Uint8Array(bytes)
    return this.#lastTag
  }

  #make(bytes: Uint8Array): string | undefined {
    if (!isUtf8(bytes)) return undefined
    const tag = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    return controlCharacters.test(tag) ? undefined : this.#prefixed(tag)
  }

  #prefixed(tag: string): string {
    return this.#rule.prefix === undefined ? tag : `${this.#rule.prefix}.${tag}`
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a
  if (length !== b.length) return false
  for (let at = 0; at < length; at++) {
    if (a[at] !== b[at]) return false
  }
  return true
}
