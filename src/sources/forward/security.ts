import { positionOf } from '../../config/schema.ts'
import { ConfigError, type Position } from '../../core/errors.ts'
import type { Net } from '../../core/host.ts'
import type { SecurityClient, ServerSecurity } from '../../forward/handshake-server.ts'
import { type IpNetwork, parseNetwork } from '../../forward/ip-network.ts'
import type { SecurityParams } from './shape.ts'

/** <security>, checked; host names of clients are looked up at start. */
export interface SecuritySettings extends Omit<ServerSecurity, 'clients'> {
  readonly clients: readonly (Omit<SecurityClient, 'contains'> & {
    /** undefined: `host` is a name. */
    readonly network: IpNetwork | undefined
    readonly host: string | undefined
    readonly position: Position | undefined
  })[]
}

/** Throws ConfigError. */
export function securitySettingsOf(security: SecurityParams): SecuritySettings {
  if (security.userAuth && security.user.length === 0) {
    throw new ConfigError('<user> sections required if user_auth enabled', {
      position: positionOf(security, 'userAuth'),
    })
  }
  if (!security.allowAnonymousSource && security.client.length === 0) {
    throw new ConfigError('<client> sections required if allow_anonymous_source disabled', {
      position: positionOf(security, 'allowAnonymousSource'),
    })
  }
  const sharedKeys = keysOf(security, security.sharedKey)
  return {
    selfHostname: security.selfHostname,
    sharedKeys,
    userAuth: security.userAuth,
    allowAnonymousSource: security.allowAnonymousSource,
    users: security.user,
    clients: security.client.map((client) => clientOf(client, sharedKeys)),
  }
}

/**
 * An empty key is one that everybody knows: mostly a variable of the environment that is not set.
 */
function keysOf(
  section: { readonly additionalSharedKeys: readonly string[] },
  key: string,
): readonly string[] {
  for (const [name, value] of [
    ['sharedKey', key],
    ...section.additionalSharedKeys.map((one) => ['additionalSharedKeys', one]),
  ] as const) {
    if (value !== '') continue
    throw new ConfigError('a shared key must not be empty', {
      position: positionOf(section, name),
      hint: 'if it comes from an environment variable, see that this is set',
    })
  }
  return [key, ...section.additionalSharedKeys]
}

function clientOf(
  client: SecurityParams['client'][number],
  sharedKeys: readonly string[],
): SecuritySettings['clients'][number] {
  const position = positionOf(client)
  const { host, network, users } = client
  if (host !== undefined && network !== undefined) {
    throw new ConfigError("both of 'host' and 'network' are specified for client", { position })
  }
  const place = host ?? network
  if (place === undefined) {
    throw new ConfigError("Either of 'host' and 'network' must be specified for client", {
      position,
    })
  }
  // As IPSocket does, a `host` may be an address; a network it is not.
  const parsed = host?.includes('/') === true ? undefined : parseNetwork(place)
  if (parsed === undefined && network !== undefined) {
    throw new ConfigError(`network '${network}' address format is invalid`, {
      position: positionOf(client, 'network'),
      hint: 'write 192.0.2.0/24, 2001:db8::/32 or an address',
    })
  }
  const own = client.sharedKey
  return {
    network: parsed,
    host,
    users,
    sharedKeys:
      own === undefined && client.additionalSharedKeys.length === 0
        ? sharedKeys
        : keysOf(client, own ?? (sharedKeys[0] as string)),
    position: positionOf(client, 'host'),
  }
}

/** Looks up the clients' names. Rejects with ConfigError for one that has no address. */
export async function resolveSecurity(
  settings: SecuritySettings,
  net: Pick<Net, 'lookup'>,
): Promise<ServerSecurity> {
  const clients: SecurityClient[] = []
  for (const { network, host, position, sharedKeys, users } of settings.clients) {
    const networks = network === undefined ? await lookUp(host ?? '', position, net) : [network]
    const contains = (address: string) => networks.some((one) => one.contains(address))
    clients.push({ contains, sharedKeys, users })
  }
  return { ...settings, clients }
}

async function lookUp(
  host: string,
  position: Position | undefined,
  net: Pick<Net, 'lookup'>,
): Promise<readonly IpNetwork[]> {
  try {
    const addresses = (await net.lookup?.(host)) ?? []
    const networks = addresses.flatMap((address) => parseNetwork(address) ?? [])
    if (networks.length > 0) return networks
    throw new Error('it has no address')
  } catch (error) {
    throw new ConfigError(`host '${host}' cannot be resolved`, {
      position,
      hint: (error as Error).message,
    })
  }
}
