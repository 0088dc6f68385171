import { ConfigError, type Position } from '../core/errors.ts'

/** What one plugin will hold: 'tcp:0.0.0.0:24224', 'udp:…', 'unix:/path', 'file:/path'. */
export interface ClaimHolder {
  readonly id: string
  readonly claims: readonly string[]
  readonly position: Position | undefined
}

/** Every pair of plugins that want the same address or path, as errors at the second of them. */
export function conflictsOf(holders: readonly ClaimHolder[]): ConfigError[] {
  const errors: ConfigError[] = []
  const held: { claim: Claim; text: string; id: string }[] = []
  for (const holder of holders) {
    for (const text of holder.claims) {
      const claim = parseClaim(text)
      const other = held.find((one) => conflict(one.claim, claim))
      if (other !== undefined) errors.push(conflictError({ text, holder, other }))
      held.push({ claim, text, id: holder.id })
    }
  }
  return errors
}

/** Whether two plugins' claims collide. */
export function claimsCollide(a: readonly string[], b: readonly string[]): boolean {
  const parsed = b.map(parseClaim)
  return a.some((text) => {
    const claim = parseClaim(text)
    return parsed.some((other) => conflict(claim, other))
  })
}

export interface Claim {
  /** 'tcp', 'udp', 'unix', 'file' or another word. */
  readonly kind: string
  /** Path, or host of an address. */
  readonly place: string
  readonly port: number | undefined
}

/**
 * Takes 'kind:place' apart; of tcp and udp, 'kind:host:port' (the host may be IPv6, with or without
 * brackets).
 */
export function parseClaim(text: string): Claim {
  const colon = text.indexOf(':')
  const kind = text.slice(0, colon)
  const rest = text.slice(colon + 1)
  if (kind !== 'tcp' && kind !== 'udp') return { kind, place: rest, port: undefined }
  const last = rest.lastIndexOf(':')
  const place = rest.slice(0, last).replace(/^\[|\]$/g, '')
  return { kind, place, port: Number(rest.slice(last + 1)) }
}

const anyHosts = new Set(['', '0.0.0.0', '::', '*'])

function conflict(a: Claim, b: Claim): boolean {
  if (a.kind !== b.kind) return false
  if (a.port === undefined) return a.place === b.place
  // Port 0 is a free one, chosen at start.
  if (a.port !== b.port || a.port === 0) return false
  return a.place === b.place || anyHosts.has(a.place) || anyHosts.has(b.place)
}

function conflictError(of: {
  text: string
  holder: ClaimHolder
  other: { text: string; id: string }
}): ConfigError {
  const { kind } = parseClaim(of.text)
  const what = kind === 'tcp' || kind === 'udp' || kind === 'unix' ? 'address' : 'path'
  return new ConfigError(
    `${what} already in use: ${of.holder.id} wants ${of.text}, which ${of.other.id} has` +
      (of.text === of.other.text ? '' : ` (${of.other.text})`),
    { position: of.holder.position, hint: `give one of them another ${what}` },
  )
}
