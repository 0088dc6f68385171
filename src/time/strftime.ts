/**
 * Ruby's Time#strftime. A format is compiled once to a list of steps; the kernel runs most of them itself
 * (kernel/format-program.ts), and formatTime here does all, as its reference.
 */

/** Numbers a step can write; their place in the list is their code in the kernel's programs. */
export const numberFields = [
  '',
  'year',
  'month',
  'day',
  'hour',
  'minute',
  'second',
  'hour12',
  'yearDay',
  'century',
  'yearOfCentury',
  'weekFromSunday',
  'weekFromMonday',
  'isoWeek',
  'isoYear',
  'isoYearOfCentury',
  'weekDayFromMonday',
  'weekDay',
  'epoch',
] as const
export type NumberField = (typeof numberFields)[number]

export type TimeStep =
  | { readonly kind: 'literal'; readonly text: string }
  /** `pad`: '' for none. A minus sign stands in front of zeros and behind spaces. */
  | {
      readonly kind: 'number'
      readonly field: NumberField
      readonly width: number
      readonly pad: '0' | ' ' | ''
    }
  | { readonly kind: 'subsecond'; readonly digits: number }
  | { readonly kind: 'dayName' | 'monthName'; readonly full: boolean; readonly upper: boolean }
  | { readonly kind: 'meridian'; readonly lower: boolean }
  /** colons 0: +hhmm, 1: +hh:mm, 2: +hh:mm:ss, 3: as short as it goes. */
  | {
      readonly kind: 'offset'
      readonly colons: number
      readonly width: number
      readonly pad: string
    }
  | { readonly kind: 'zone'; readonly change: '' | 'upper' | 'lower' }
  /** Steps whose common text is filled up in front. */
  | {
      readonly kind: 'padded'
      readonly steps: readonly TimeStep[]
      readonly width: number
      readonly pad: string
    }

/** Longest width a directive may ask for; Ruby knows none, and would be made to write gigabytes. */
const widthLimit = 1024

const composites: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  T: '%H:%M:%S',
  v: '%e-%^b-%4Y',
  X: '%H:%M:%S',
  x: '%m/%d/%y',
  '+': '%a %b %e %H:%M:%S %Z %Y',
}

const numbers: Readonly<Record<string, readonly [NumberField, number, '0' | ' ']>> = {
  Y: ['year', 4, '0'],
  C: ['century', 2, '0'],
  y: ['yearOfCentury', 2, '0'],
  m: ['month', 2, '0'],
  d: ['day', 2, '0'],
  e: ['day', 2, ' '],
  j: ['yearDay', 3, '0'],
  H: ['hour', 2, '0'],
  k: ['hour', 2, ' '],
  I: ['hour12', 2, '0'],
  l: ['hour12', 2, ' '],
  M: ['minute', 2, '0'],
  S: ['second', 2, '0'],
  U: ['weekFromSunday', 2, '0'],
  W: ['weekFromMonday', 2, '0'],
  V: ['isoWeek', 2, '0'],
  G: ['isoYear', 4, '0'],
  g: ['isoYearOfCentury', 2, '0'],
  u: ['weekDayFromMonday', 1, '0'],
  w: ['weekDay', 1, '0'],
  s: ['epoch', 1, '0'],
}

interface Flags {
  /** '': as the directive has it, '-': no padding. */
  readonly pad: string
  readonly upper: boolean
  readonly change: boolean
  readonly colons: number
  readonly width: number
}

/** Compiles a format. What is no directive stays in the text as it stands, as in Ruby. Never throws. */
export function compileStrftime(format: string): readonly TimeStep[] {
  const steps: TimeStep[] = []
  let rest = 0
  for (const match of format.matchAll(/%([-0^#_:]*)(\d*)([EO]?)([A-Za-z%+])/g)) {
    const made = directive(match[4]!, flagsOf(match[1]!, match[2]!), match[3]!)
    if (made === undefined) continue
    literal(steps, format.slice(rest, match.index))
    for (const step of made) {
      if (step.kind === 'literal') literal(steps, step.text)
      else steps.push(step)
    }
    rest = match.index + match[0].length
  }
  literal(steps, format.slice(rest))
  return steps
}

function literal(steps: TimeStep[], text: string): void {
  if (text === '') return
  const last = steps.at(-1)
  if (last?.kind === 'literal')
    steps[steps.length - 1] = { kind: 'literal', text: last.text + text }
  else steps.push({ kind: 'literal', text })
}

function flagsOf(letters: string, width: string): Flags {
  let pad = ''
  for (const letter of letters) {
    if (letter === '-' || letter === '0') pad = letter
    else if (letter === '_') pad = ' '
  }
  return {
    pad,
    upper: letters.includes('^'),
    change: letters.includes('#'),
    colons: letters.split(':').length - 1,
    width: width === '' ? -1 : Math.min(Number(width), widthLimit),
  }
}

function directive(letter: string, flags: Flags, modifier: string): TimeStep[] | undefined {
  if (flags.colons > 0 && letter !== 'z') return undefined
  if (modifier === 'E' && !'cCxXyY'.includes(letter)) return undefined
  if (modifier === 'O' && !'deHkIlmMSuUVwWy'.includes(letter)) return undefined
  const number = numbers[letter]
  if (number !== undefined) return [numberStep(number, flags)]
  if (letter === 'L' || letter === 'N') {
    const digits = flags.width > 0 ? flags.width : letter === 'L' ? 3 : 9
    return [{ kind: 'subsecond', digits }]
  }
  if (letter === 'z') {
    if (flags.colons > 3) return undefined
    return [{ kind: 'offset', colons: flags.colons, width: flags.width, pad: flags.pad }]
  }
  const composite = composites[letter]
  const steps =
    composite === undefined ? words(letter, flags) : compileStrftime(casedFormat(composite, flags))
  if (steps === undefined || flags.width < 0) return steps && [...steps]
  const pad = flags.pad === '0' ? '0' : ' '
  return [{ kind: 'padded', steps, width: flags.width, pad }]
}

function numberStep(number: readonly [NumberField, number, '0' | ' '], flags: Flags): TimeStep {
  const pad = flags.pad === '-' ? '' : flags.pad === '' ? number[2] : (flags.pad as '0' | ' ')
  return { kind: 'number', field: number[0], width: Math.max(flags.width, number[1]), pad }
}

/** `%^c` writes the names in it in upper case. */
function casedFormat(format: string, flags: Flags): string {
  return flags.upper ? format.replace(/%([abpZ])/g, '%^$1') : format
}

function words(letter: string, flags: Flags): TimeStep[] | undefined {
  const upper = flags.upper || flags.change
  switch (letter) {
    case 'a':
    case 'A':
      return [{ kind: 'dayName', full: letter === 'A', upper }]
    case 'b':
    case 'h':
    case 'B':
      return [{ kind: 'monthName', full: letter === 'B', upper }]
    case 'p':
      return [{ kind: 'meridian', lower: flags.change && !flags.upper }]
    case 'P':
      return [{ kind: 'meridian', lower: true }]
    case 'Z':
      return [{ kind: 'zone', change: flags.change ? 'lower' : flags.upper ? 'upper' : '' }]
    case 'n':
      return [{ kind: 'literal', text: '\n' }]
    case 't':
      return [{ kind: 'literal', text: '\t' }]
    case '%':
      return [{ kind: 'literal', text: '%' }]
    default:
      return undefined
  }
}
