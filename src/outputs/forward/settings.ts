import type { Host, TlsClientOptions } from '../../core/host.ts'
import type { Logger } from '../../core/log.ts'
import type { Compress } from './message.ts'

/** Where chunks can go, as a <server>, a <service> or a service discovery says. */
export interface Server {
  readonly name: string | undefined
  readonly host: string
  readonly port: number
  readonly weight: number
  readonly standby: boolean
  readonly sharedKey: string | undefined
  readonly username: string
  readonly password: string
}

/** How a server is shown. */
export function nameOf(server: Pick<Server, 'name' | 'host' | 'port'>): string {
  return server.name ?? `${server.host}:${server.port}`
}

/**
 * Output forward's parameters, checked against each other, in the form that its parts work with.
 */
export interface Settings {
  readonly compress: Compress
  readonly connectTimeoutMs: number
  readonly sendTimeoutMs: number
  /** undefined: no acks. */
  readonly ackTimeoutMs: number | undefined
  readonly handshakeTimeoutMs: number
  readonly keepalive: boolean
  /** Infinity: connections that nobody uses are kept for ever. */
  readonly keepaliveTimeoutMs: number
  /** undefined: for ever, 0: not at all. */
  readonly dnsCacheMs: number | undefined
  readonly dnsRoundRobin: boolean
  readonly heartbeat: 'transport' | 'udp' | 'none'
  readonly heartbeatIntervalMs: number
  readonly hardTimeoutMs: number
  /** Infinity: only hard_timeout counts. */
  readonly phiThreshold: number
  /** Heartbeats after which a server counts as recovered. */
  readonly recoverSamples: number
  readonly ignoreNetworkErrorsAtStartup: boolean
  readonly verifyConnectionAtStartup: boolean
  readonly security: { readonly selfHostname: string; readonly sharedKey: string } | undefined
}

/** What all servers of an output share. */
export interface Surroundings {
  readonly host: Host
  readonly log: Logger
  readonly settings: Settings
  /** For a server of that name; undefined: no TLS. One object for the same name. */
  tlsFor(servername: string | undefined): TlsClientOptions | undefined
}
