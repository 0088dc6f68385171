import { type Bound, isWritten, positionOf } from '../../config/schema.ts'
import { maxDepth } from '../../core/batch.ts'
import { ConfigError } from '../../core/errors.ts'
import type { ListenAddress } from '../../core/host.ts'
import { allowListOf } from '../../transport/allow-list.ts'
import type { TransportParams } from '../../transport/section.ts'
import type { unixOwnerOf } from '../../transport/unix-owner.ts'
import { itemLimit } from './limits.ts'
import type { RepeatSettings } from './repeats.ts'
import { type SecuritySettings, securitySettingsOf } from './security.ts'
import type { SessionSettings } from './session-context.ts'
import type { shape } from './shape.ts'

export type ForwardParams = Bound<typeof shape>

/**
 * The parameters, checked against each other, in the form that the source works with. Throws
 * ConfigError.
 */
export interface ForwardSettings {
  readonly address: ListenAddress
  readonly backlog: number | undefined
  /** unix_owner and unix_group, to be looked up at start. */
  readonly unixOwner: Parameters<typeof unixOwnerOf>[0]
  /** undefined: everybody may connect. */
  readonly allows: ((address: string | undefined) => boolean) | undefined
  readonly transport: TransportParams | undefined
  readonly session: SessionSettings
  /** undefined: repeats are taken like new messages. */
  readonly repeats: RepeatSettings | undefined
  readonly addressKey: string | undefined
  readonly hostnameKey: string | undefined
  readonly sendKeepalivePacket: boolean
  readonly unfinishedTotalBytes: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Infinity: never. */
  readonly idleTimeoutMs: number
  readonly partialTimeoutMs: number
  readonly handshakeTimeoutMs: number
  /** undefined: whoever connects may send. */
  readonly security: SecuritySettings | undefined
}

export function settingsOf(params: ForwardParams): ForwardSettings {
  checkTogether(params)
  return {
    address: addressOf(params),
    backlog: params.backlog,
    unixOwner: params,
    allows: allowListOf(params),
    transport: params.transport,
    session: {
      tagRule: {
        fixed: params.tag,
        prefix: params.addTagPrefix,
        lengthLimitBytes: params.tagLengthLimit,
      },
      framer: {
        skipInvalidEvent: params.skipInvalidEvent,
        messageLimitBytes: params.chunkSizeLimit ?? Number.POSITIVE_INFINITY,
        messageWarnBytes: params.chunkSizeWarnLimit ?? Number.POSITIVE_INFINITY,
        unfinishedLimitBytes: params.unfinishedMessageLimit,
        itemLimit,
        depthLimit: maxDepth,
        keyLimit: params.recordKeysLimit,
        recordLimitBytes: params.recordSizeLimit,
        identify: params.knowRepeats,
      },
      ackWhen: params.ackWhen,
      decompressionLimitBytes: params.decompressionSizeLimit,
      denyKeepalive: params.denyKeepalive,
      resetOnClose: params.lingerTimeout === 0,
    },
    repeats: params.knowRepeats ? repeatsOf(params) : undefined,
    addressKey: params.sourceAddressKey,
    hostnameKey: params.sourceHostnameKey,
    sendKeepalivePacket: params.sendKeepalivePacket,
    unfinishedTotalBytes: params.unfinishedTotalLimit,
    maxConnections: params.maxConnections,
    maxConnectionsPerAddress: params.maxConnectionsPerAddress,
    idleTimeoutMs: timeoutMs(params.idleTimeout),
    partialTimeoutMs: timeoutMs(params.partialMessageTimeout),
    handshakeTimeoutMs: params.handshakeTimeout * 1000,
    security: params.security === undefined ? undefined : securitySettingsOf(params.security),
  }
}

function repeatsOf(params: ForwardParams): RepeatSettings {
  return {
    limits: {
      entries: params.repeatsLimit,
      ageMs: params.repeatsAge * 1000,
    },
    path: params.repeatsPath,
  }
}

function timeoutMs(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000
}

function addressOf(params: ForwardParams): ListenAddress {
  if (params.unixPath === undefined) {
    return { kind: 'tcp', host: params.bind, port: params.port }
  }
  const mode = params.unixMode === undefined ? undefined : Number.parseInt(params.unixMode, 8)
  return { kind: 'unix', path: params.unixPath, mode }
}

function checkTogether(params: ForwardParams): void {
  if (params.transport?.protocol === 'udp') {
    throw new ConfigError('the forward protocol has no <transport udp>', {
      position: positionOf(params.transport),
      hint: 'take the section out: UDP heartbeats are answered without it',
    })
  }
  if (params.sendKeepalivePacket && params.denyKeepalive) {
    throw new ConfigError(
      "both 'send_keepalive_packet' and 'deny_keepalive' cannot be set to true",
      {
        position: positionOf(params, 'sendKeepalivePacket'),
      },
    )
  }
  if (params.sourceHostnameKey !== undefined && params.resolveHostname === false) {
    throw new ConfigError('resolve_hostname must be true with source_hostname_key', {
      position: positionOf(params, 'resolveHostname'),
    })
  }
  const pointless = ['repeatsLimit', 'repeatsAge', 'repeatsPath'].find((name) =>
    isWritten(params, name),
  )
  if (!params.knowRepeats && pointless !== undefined) {
    const name = pointless.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    throw new ConfigError(`${name} means nothing with know_repeats false`, {
      position: positionOf(params, pointless),
    })
  }
  const written = ['bind', 'port'].find((name) => isWritten(params, name))
  if (params.unixPath !== undefined && written !== undefined) {
    throw new ConfigError(`unix_path stands in place of ${written}`, {
      position: positionOf(params, written),
      hint: 'use a <source> of its own for the unix socket',
    })
  }
  checkUnix(params)
}

function checkUnix(params: ForwardParams): void {
  const wrong = (message: string, name: string) =>
    new ConfigError(message, { position: positionOf(params, name) })
  if (params.unixPath === undefined) {
    const names = { unixMode: 'unix_mode', unixOwner: 'unix_owner', unixGroup: 'unix_group' }
    for (const [name, written] of Object.entries(names)) {
      if (!isWritten(params, name)) continue
      throw wrong(`${written} means nothing without unix_path`, name)
    }
    return
  }
  if (params.allowFrom !== undefined) {
    throw wrong('allow_from is for addresses, which clients of a unix socket have not', 'allowFrom')
  }
}
