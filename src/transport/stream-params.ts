import { bool, integer, string, time } from '../config/schema.ts'

const atLeast = (least: number) => (value: number) =>
  value >= least ? undefined : `expected ${least} or more`

/** The port parameter of a source that listens. */
export const portParam = <const N extends number>(port: N) =>
  integer({
    description: 'The port to listen on.',
    default: port,
    check: (value) => (value >= 0 && value <= 65535 ? undefined : 'expected 0 to 65535'),
  })

export const bindParam = string({
  description: 'The address to listen on. `0.0.0.0`: all of IPv4; `::`: all of IPv6 and IPv4.',
  default: '0.0.0.0',
  check: (value) => (value === '' ? 'expected a text that is not empty' : undefined),
})

/** Parameters of Fluentd's that every source of texts over the network has. */
export const peerParams = {
  blocking_timeout: time({
    description: "Of Fluentd's event loop; accepted, without effect.",
    default: 0.5,
    differs: 'No effect: there is nothing that blocks.',
  }),
  source_hostname_key: string({
    description: "The field that takes the client's host name, looked up by its address.",
  }),
  source_address_key: string({ description: "The field that takes the client's address." }),
} as const

export const keepAliveParam = bool({
  description: 'Turns on SO_KEEPALIVE, by which dead clients are noticed.',
  default: false,
})

/** Limits of our own, for what comes over connections. */
export const connectionLimits = {
  max_connections: integer({
    description: 'Connections at once; further ones are closed when they come.',
    default: 16_384,
    ours: true,
    check: atLeast(1),
  }),
  max_connections_per_address: integer({
    description: 'Connections at once from one address.',
    default: 8_192,
    ours: true,
    check: atLeast(1),
  }),
  idle_timeout: time({
    description: 'A connection from which nothing comes for so long is closed. 0: never.',
    default: 0,
    ours: true,
    check: atLeast(0),
  }),
} as const

/** Of a parameter in seconds where 0 means never. */
export function timeoutMs(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000
}
