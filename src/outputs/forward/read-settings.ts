import { type BufferParams, chunkKeysOf } from '../../buffer/index.ts'
import { type BoundPlugin, isWritten, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import { canCompress } from './message.ts'
import type { Settings } from './settings.ts'
import type { ForwardParams } from './shape.ts'

const defaultConnectTimeoutMs = 60_000

/**
 * Throws ConfigError. `buffer`: what the chunks come from, the primary's where this is a secondary.
 */
export function settingsOf(params: ForwardParams, buffer: BoundPlugin): Settings {
  checkTogether(params, buffer)
  return {
    compress: params.compress,
    connectTimeoutMs:
      params.connectTimeout === undefined ? defaultConnectTimeoutMs : params.connectTimeout * 1000,
    sendTimeoutMs: params.sendTimeout * 1000,
    ackTimeoutMs: params.requireAckResponse ? params.ackResponseTimeout * 1000 : undefined,
    handshakeTimeoutMs: params.hardTimeout * 1000,
    keepalive: params.keepalive,
    keepaliveTimeoutMs:
      params.keepaliveTimeout === undefined
        ? Number.POSITIVE_INFINITY
        : params.keepaliveTimeout * 1000,
    dnsCacheMs: params.expireDnsCache === undefined ? undefined : params.expireDnsCache * 1000,
    dnsRoundRobin: params.dnsRoundRobin,
    heartbeat: params.heartbeatType === 'tcp' ? 'transport' : params.heartbeatType,
    heartbeatIntervalMs: params.heartbeatInterval * 1000,
    hardTimeoutMs: params.hardTimeout * 1000,
    phiThreshold: params.phiFailureDetector ? params.phiThreshold : Number.POSITIVE_INFINITY,
    recoverSamples: params.recoverWait / params.heartbeatInterval,
    ignoreNetworkErrorsAtStartup: params.ignoreNetworkErrorsAtStartup,
    verifyConnectionAtStartup: params.verifyConnectionAtStartup,
    security: params.security,
  }
}

function checkTogether(params: ForwardParams, buffer: BoundPlugin): void {
  if (!chunkKeysOf(buffer).includes('tag')) {
    throw new ConfigError("buffer chunk key must include 'tag' for forward output", {
      position: buffer.position ?? positionOf(params),
      hint: 'write <buffer tag>, or <buffer tag, …> with other keys beside it',
    })
  }
  if (params.server.length + params.serviceDiscovery.length === 0) {
    throw new ConfigError('forward output plugin requires at least one node is required.', {
      position: positionOf(params),
      hint: 'add <server> or <service_discovery>',
    })
  }
  if (params.dnsRoundRobin && params.heartbeatType === 'udp') {
    throw new ConfigError(
      "forward output heartbeat type must be 'transport' or 'none' to use dns_round_robin option",
      { position: positionOf(params, 'heartbeatType') },
    )
  }
  if (!canCompress(params.compress)) {
    throw new ConfigError(`compress ${params.compress} needs Node.js 22.15 or later`, {
      position: positionOf(params, 'compress'),
      hint: 'use gzip, or a newer Node.js',
    })
  }
  const { compress } = buffer.params as unknown as BufferParams
  if (compress !== 'text' && params.compress !== 'text' && compress !== params.compress) {
    throw new ConfigError(
      `You cannot specify different compression formats for Buffer (Buffer: ${compress}, Self: ${params.compress})`,
      { position: positionOf(params, 'compress') },
    )
  }
}

/** What is allowed and probably not meant: to be said at start. */
export function warningsOf(params: ForwardParams): string[] {
  const warnings: string[] = []
  if (params.heartbeatType === 'tcp') {
    warnings.push("'heartbeat_type tcp' is deprecated. use 'transport' instead.")
  }
  if (!params.keepalive && params.keepaliveTimeout !== undefined) {
    warnings.push(
      'The value of keepalive_timeout is ignored. if you want to use keepalive, please add `keepalive true` to your conf.',
    )
  }
  if (params.transport === 'tls' && params.tlsInsecureMode) {
    warnings.push('TLS transport is configured in insecure way')
  }
  const secrets = ['sharedKey', 'username', 'password'] as const
  const named = params.server.some((server) => secrets.some((name) => isWritten(server, name)))
  if (params.security === undefined && named) {
    warnings.push('a <server> has a shared key or a user, which have no effect without <security>')
  }
  return warnings
}
