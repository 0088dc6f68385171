/** Ruby's Float#to_s: 1.0, 1.0e+16, 1.0e-05. */
export function rubyFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) {
    const digits = mantissa.includes('.') ? mantissa : `${mantissa}.0`
    const sign = exponent < 0 ? '-' : '+'
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return Number.isInteger(value) ? `${value}.0` : plainDecimal(mantissa, exponent)
}

/** JavaScript leaves plain notation below 1e-6 only, so this is a matter of the digits' place alone. */
function plainDecimal(mantissa: string, exponent: number): string {
  const negative = mantissa.startsWith('-')
  const digits = mantissa.replace(/[-.]/g, '')
  const text =
    exponent < 0
      ? `0.${'0'.repeat(-exponent - 1)}${digits}`
      : `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
  return negative ? `-${text}` : text
}

/**
 * The text of the bytes, with `replacement` for each maximal sequence that is not UTF-8 (Ruby's String#scrub). Linear.
 */
export function scrub(bytes: Uint8Array, replacement: string): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let text = ''
  let validFrom = 0
  let at = 0
  while (at < view.length) {
    const length = sequenceLength(view, at)
    if (length > 0) {
      at += length
      continue
    }
    text += view.toString('utf8', validFrom, at) + replacement
    at -= length
    validFrom = at
  }
  return text + view.toString('utf8', validFrom, at)
}

/**
 * Bytes of the UTF-8 sequence at `at`; negative: as many bytes there are the beginning of one that is not completed, or one
 * that none begins with (Unicode 15, table 3-7 and "maximal subpart").
 */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return -1
  const wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  for (let i = 1; i < wanted; i++) {
    const next = bytes[at + i] ?? 0
    if (next < (i === 1 ? low : 0x80) || next > (i === 1 ? high : 0xbf)) return -i
  }
  return wanted
}
