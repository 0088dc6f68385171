/** What is wrong with an expression, with its place in the text that was handed in. */
export class SyntaxProblem extends Error {
  override readonly name = 'SyntaxProblem'
  readonly offset: number
  readonly length: number
  readonly hint: string | undefined

  constructor(
    message: string,
    place: { offset: number; length: number; hint?: string | undefined },
  ) {
    super(message)
    this.offset = place.offset
    this.length = Math.max(1, place.length)
    this.hint = place.hint
  }
}

/** A place in a text that goes forward. */
export class Reader {
  readonly text: string
  at: number

  constructor(text: string, at: number) {
    this.text = text
    this.at = at
  }

  space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++
  }

  get char(): string {
    return this.text[this.at] ?? ''
  }

  /** Goes behind `token` if it comes next, after white space. */
  accept(token: string): boolean {
    this.space()
    if (!this.text.startsWith(token, this.at)) return false
    this.at += token.length
    return true
  }

  /** The same for a word, which no letter follows. */
  acceptWord(word: string): boolean {
    this.space()
    if (this.peekWord() !== word) return false
    this.at += word.length
    return true
  }

  /** The name that comes next, with ? or ! behind it; '' if none does. */
  peekWord(): string {
    this.space()
    return (
      /^[A-Za-z_][A-Za-z0-9_]*(?:[?!](?!=))?/.exec(this.text.slice(this.at, this.at + 100))?.[0] ??
      ''
    )
  }

  expect(token: string): void {
    if (!this.accept(token)) this.fail(`expected \`${token}\``)
  }

  /** The first of the tokens that comes next. */
  oneOf(tokens: readonly string[]): string | undefined {
    return tokens.find((token) => this.accept(token))
  }

  fail(message: string, options: { offset?: number; length?: number; hint?: string } = {}): never {
    const offset = options.offset ?? this.at
    const length = options.length ?? this.at - offset
    throw new SyntaxProblem(message, { offset, length, hint: options.hint })
  }
}
