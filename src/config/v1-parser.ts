import { ConfigError } from '../core/errors.ts'
import type { ConfigWarning, Findings } from './diagnostics.ts'
import type { Element, Setting } from './element.ts'
import type { Includer } from './include.ts'
import { scanJson } from './json-literal.ts'
import { configLimits } from './limits.ts'
import type { Scanned, Scanner } from './scanner.ts'
import { nearest } from './suggest.ts'

/**
 * Fluentd's v1 syntax (lib/fluent/config/v1_parser.rb). Differs in going on behind an error, at the
 * next line, so that all errors of a file are found at once.
 */

/** An element while it is filled. */
interface Draft {
  readonly name: string
  readonly params: Setting[]
  readonly children: Element[]
}

const elementName = /[a-zA-Z0-9_]+/y
const bareKey = /[^ \t\r\n]+/y
const systemSections = new Set(['match', 'source', 'filter', 'system'])
const reserved = new Set(['@type', '@id', '@label', '@log_level'])

interface Opening {
  readonly name: string
  readonly offset: number
  readonly around: Opening | undefined
}

interface Place {
  readonly section: string
  readonly depth: number
  /** The opening tag; undefined at the top of a file. */
  readonly open: Opening | undefined
}

export class V1Parser {
  private readonly includer: Includer
  private readonly findings: Findings
  private nodes = 0
  /**
   * Texts whose end is inside something that is not closed: one error says it, not one for each
   * section.
   */
  private readonly torn = new WeakSet<Scanner>()

  constructor(includer: Includer, findings: Findings) {
    this.includer = includer
    this.findings = findings
  }

  /** Reads a whole file's text into `into`: as the top level, or as the included part of a section. */
  parseInto(scanner: Scanner, into: Draft, section: string): void {
    this.parseBody(scanner, into, { section, depth: 0, open: undefined })
  }

  private parseBody(scanner: Scanner, into: Draft, place: Place): void {
    for (;;) {
      scanner.spacing(true)
      if (scanner.atEnd) {
        if (place.open !== undefined) this.missingEnd(scanner, place.open)
        return
      }
      if (this.findings.errors.length >= configLimits.errors) {
        scanner.offset = scanner.text.length
        return
      }
      try {
        if (scanner.startsWith('</')) {
          if (this.endTag(scanner, place)) return
        } else if (scanner.skip('<')) this.section(scanner, into, place)
        else this.parameter(scanner, into, place)
      } catch (thrown) {
        if (!(thrown instanceof ConfigError)) throw thrown
        this.findings.errors.push(thrown)
        if (scanner.atEnd) this.torn.add(scanner)
        scanner.skipLine()
      }
    }
  }

  private missingEnd(scanner: Scanner, open: Opening): void {
    if (this.torn.has(scanner)) return
    this.torn.add(scanner)
    this.findings.errors.push(
      scanner.error(
        `expected end tag '</${open.name}>' but got end of file: ${this.opened(scanner, open)}`,
        open.offset,
        open.name.length + 1,
        `add </${open.name}>`,
      ),
    )
  }

  private opened(scanner: Scanner, { name, offset }: Opening): string {
    return `<${name}> begins on line ${scanner.position(offset).line}`
  }

  /** Says whether the end tag closes the section that is open. */
  private endTag(scanner: Scanner, { open }: Place): boolean {
    const start = scanner.offset
    scanner.skip('</')
    const name = scanner.word(elementName) ?? ''
    scanner.spacing(true)
    if (!scanner.skip('>')) throw scanner.error("expected '>' behind the name of the end tag")
    const length = scanner.offset - start
    if (open === undefined) {
      throw scanner.error(`unmatched end tag </${name}>: no section is open here`, start, length)
    }
    if (name !== open.name) {
      this.findings.errors.push(
        scanner.error(
          `unmatched end tag </${name}>: ${this.opened(scanner, open)} and is not closed`,
          start,
          length,
          `expected </${open.name}>`,
        ),
      )
      // The end tag of a section around this one closes this one too; the parser there reads it
      // again.
      const outer = this.isOpen(name, open.around)
      if (outer) scanner.offset = start
      else scanner.skipLine()
      return outer || nearest(name, [open.name]).length > 0
    }
    if (!scanner.lineEnd()) {
      this.findings.errors.push(scanner.error('expected end of line after end tag'))
      scanner.skipLine()
    }
    return true
  }

  private isOpen(name: string, from: Opening | undefined): boolean {
    for (let open = from; open !== undefined; open = open.around) {
      if (open.name === name) return true
    }
    return false
  }

  private section(scanner: Scanner, into: Draft, place: Place): void {
    const start = scanner.offset - 1
    const name = scanner.word(elementName)
    if (name === undefined) throw scanner.error("expected a section's name behind '<'", start, 2)
    scanner.spacing(true)
    const argumentStart = scanner.offset
    const argument = this.sectionArgument(scanner)
    const argumentEnd = scanner.offset
    scanner.spacing(true)
    if (!scanner.skip('>')) {
      throw scanner.error(`expected '>' at the end of <${name}`, scanner.offset, 1)
    }
    const length = scanner.offset - start
    const tooDeep = place.depth + 1 > configLimits.depth
    if (tooDeep) {
      // No way to go on: each further line could open one more.
      scanner.offset = scanner.text.length
      throw scanner.error(`sections are nested deeper than ${configLimits.depth}`, start, length)
    }
    this.count(scanner, start)
    if (!scanner.lineEnd()) {
      this.findings.errors.push(
        scanner.error(`expected end of line after <${name}>`, scanner.offset),
      )
      scanner.skipLine()
    }
    const draft: Draft = { name, params: [], children: [] }
    const element: Element = {
      ...draft,
      argument: argument?.value ?? '',
      position: scanner.position(start, length),
      argumentPosition:
        argument === undefined
          ? undefined
          : scanner.position(argumentStart, argumentEnd - argumentStart),
    }
    into.children.push(element)
    this.parseBody(scanner, draft, {
      section: name,
      depth: place.depth + 1,
      open: { name, offset: start, around: place.open },
    })
  }

  /** Quoted, or bare up to the `>` (with blanks before it) or the line's end. */
  private sectionArgument(scanner: Scanner): Scanned | undefined {
    const quoted = scanner.quoted()
    if (quoted !== undefined) return quoted
    const line = scanner.text.slice(scanner.offset, scanner.endOfLine())
    const closing = line.indexOf('>')
    const bare = (closing < 0 ? line : line.slice(0, closing)).trimEnd()
    if (bare === '') return undefined
    scanner.offset += bare.length
    return { value: bare }
  }

  private count(scanner: Scanner, offset: number): void {
    if (++this.nodes <= configLimits.nodes) return
    scanner.offset = scanner.text.length
    throw scanner.error(`more than ${configLimits.nodes} sections and parameters`, offset)
  }

  private parameter(scanner: Scanner, into: Draft, place: Place): void {
    const start = scanner.offset
    const quoted = scanner.quoted()
    const name = quoted === undefined ? scanner.word(bareKey)! : (quoted.value ?? '')
    const nameLength = scanner.offset - start
    if (name === '@include' || (place.open === undefined && name === 'include')) {
      this.include(scanner, into, place, { start, name })
      return
    }
    this.checkName(scanner, name, place, start)
    this.count(scanner, start)
    const namePosition = scanner.position(start, nameLength)
    scanner.blanks()
    if (
      scanner.atEnd ||
      scanner.text[scanner.offset] === '\n' ||
      scanner.text[scanner.offset] === '\r'
    ) {
      into.params.push({ name, value: '', namePosition, valuePosition: namePosition })
      return
    }
    const valueStart = scanner.offset
    const scanned = this.literal(scanner)
    const valuePosition = scanner.position(valueStart, scanner.offset - valueStart)
    into.params.push({ name, ...scanned, namePosition, valuePosition })
    if (!scanner.lineEnd()) {
      scanner.blanks()
      throw scanner.error(
        'expected end of line behind the value',
        scanner.offset,
        scanner.endOfLine() - scanner.offset,
        'quote the whole value, or escape quotes inside it',
      )
    }
  }

  private literal(scanner: Scanner): Scanned {
    const first = scanner.text[scanner.offset]
    return first === '[' || first === '{' ? { value: scanJson(scanner) } : scanner.stringToLineEnd()
  }

  private checkName(scanner: Scanner, name: string, place: Place, start: number): void {
    if (!name.startsWith('@') || reserved.has(name)) return
    const message = `'@' is the system reserved prefix: ${name}`
    if (place.open === undefined || systemSections.has(place.section)) {
      throw scanner.error(
        message,
        start,
        name.length,
        'known are @type, @id, @label, @log_level and @include',
      )
    }
    this.warn({ message, position: scanner.position(start, name.length) })
  }

  private include(
    scanner: Scanner,
    into: Draft,
    place: Place,
    from: { start: number; name: string },
  ): void {
    const position = scanner.position(from.start, from.name.length)
    if (from.name === 'include') {
      this.warn({ message: "'include' is deprecated. Use '@include' instead", position })
    }
    scanner.blanks()
    const valueStart = scanner.offset
    const { value } = scanner.stringToLineEnd()
    const target = scanner.position(valueStart, scanner.offset - valueStart)
    if (!scanner.lineEnd()) throw scanner.error('expected end of line behind @include')
    try {
      this.includer.include({
        target: value ?? '',
        position: target,
        read: (included) => this.parseInto(included, into, place.section),
      })
    } catch (thrown) {
      // The line is read: going on behind it is the caller's next step.
      if (!(thrown instanceof ConfigError)) throw thrown
      this.findings.errors.push(thrown)
    }
  }

  private warn(warning: ConfigWarning): void {
    this.findings.warnings.push(warning)
  }
}
