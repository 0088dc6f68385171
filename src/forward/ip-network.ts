/**
 * A network as <client> and IPAddr write it: an address, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`,
 * `fe80::/10`.
 */
export interface IpNetwork {
  /**
   * Whether the address, as text, lies in it. An IPv4 address is not in an IPv6 network, nor the
   * other way round.
   */
  contains(address: string): boolean
}

/** undefined: the text is no network. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [addressText, maskText, more] = text.split('/')
  const base = parseAddress(addressText ?? '')
  if (base === undefined || more !== undefined) return undefined
  const bits = base.length * 8
  const prefix = maskText === undefined ? bits : prefixOf(maskText, bits)
  if (prefix === undefined) return undefined
  return {
    contains(address) {
      const bytes = parseAddress(address)
      return bytes !== undefined && bytes.length === base.length && samePrefix(bytes, base, prefix)
    },
  }
}

function samePrefix(a: readonly number[], b: readonly number[], bits: number): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) {
    if (a[i] !== b[i]) return false
  }
  const left = bits & 7
  if (left === 0) return true
  const mask = (0xff << (8 - left)) & 0xff
  return ((a[whole] as number) & mask) === ((b[whole] as number) & mask)
}

function prefixOf(text: string, bits: number): number | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const prefix = Number(text)
    return prefix <= bits ? prefix : undefined
  }
  const mask = parseAddress(text)
  if (mask === undefined || mask.length * 8 !== bits) return undefined
  const digits = mask.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(digits) ? digits.replace(/0+$/, '').length : undefined
}

/**
 * The bytes of an IPv4 (4) or IPv6 address (16); undefined: neither. An IPv4 address in IPv6's
 * clothes is the IPv4 one.
 */
export function parseAddress(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return parseV4(text)
  const bytes = parseV6(text.replace(/%.*$/, ''))
  const mapped = bytes?.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff))
  return mapped === true ? bytes?.slice(12) : bytes
}

function parseV4(text: string): number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(groupsOf)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const missing = 16 - head.length - (tail?.length ?? 0)
  if (halves.length === 1) return missing === 0 ? head : undefined
  return missing >= 2
    ? [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])]
    : undefined
}

/** Bytes of groups between colons; the last may be an IPv4 address. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [i, group] of groups.entries()) {
    const v4 = i === groups.length - 1 ? parseV4(group) : undefined
    if (v4 !== undefined) bytes.push(...v4)
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    } else return undefined
  }
  return bytes
}
