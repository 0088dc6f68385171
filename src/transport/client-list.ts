import { positionOf, section, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Net } from '../core/host.ts'
import { type IpNetwork, parseNetwork } from '../forward/ip-network.ts'

/** `<security>` of sources that know no passwords: who may connect. */
export const clientSecuritySection = section(
  {
    params: {},
    sections: {
      client: section(
        {
          params: {
            host: string({ description: 'Address or name of a client that may send.' }),
            network: string({ description: 'Network of clients that may send: 192.0.2.0/24.' }),
          },
        },
        { description: 'A client, or a network of clients.', multi: true, required: true },
      ),
    },
  },
  { description: 'Who may connect; without it everybody.' },
)

interface ClientParams {
  readonly host: string | undefined
  readonly network: string | undefined
}

/** Checks what is written. Throws ConfigError. */
export function checkClients(clients: readonly ClientParams[]): void {
  for (const client of clients) {
    const { host, network } = client
    const position = positionOf(client)
    if (host !== undefined && network !== undefined) {
      throw new ConfigError("both of 'host' and 'network' are specified for client", { position })
    }
    if (host === undefined && network === undefined) {
      throw new ConfigError("Either of 'host' and 'network' must be specified for client", {
        position,
      })
    }
    if (network !== undefined && parseNetwork(network) === undefined) {
      throw new ConfigError(`network '${network}' address format is invalid`, {
        position: positionOf(client, 'network'),
        hint: 'write 192.0.2.0/24, 2001:db8::/32 or an address',
      })
    }
  }
}

/** Whether an address belongs to one of the clients; names are looked up now. Rejects with ConfigError for one without an address. */
export async function resolveClients(
  clients: readonly ClientParams[],
  net: Pick<Net, 'lookup'>,
): Promise<(address: string | undefined) => boolean> {
  const networks: IpNetwork[] = []
  for (const client of clients) {
    const place = client.network ?? client.host ?? ''
    const written = parseNetwork(place)
    if (written !== undefined) {
      networks.push(written)
      continue
    }
    try {
      for (const address of (await net.lookup?.(place)) ?? []) {
        const network = parseNetwork(address)
        if (network !== undefined) networks.push(network)
      }
    } catch (error) {
      throw new ConfigError(`host '${place}' cannot be resolved`, {
        position: positionOf(client, 'host'),
        hint: (error as Error).message,
      })
    }
  }
  return (address) => address !== undefined && networks.some((network) => network.contains(address))
}
