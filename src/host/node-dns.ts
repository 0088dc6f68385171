import type { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { SrvRecord } from '../core/host.ts'

/** Addresses of a host name, as the system resolves it (files, then DNS, by its own rules). */
export async function lookup(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  const dns = process.getBuiltinModule('node:dns/promises')
  const found = await dns.lookup(host, { all: true })
  return found.map(({ address }) => address)
}

/** How long a name server may take, and how often it is asked. */
const queryMs = 5_000
const tries = 2

/** Records with their targets, best priority first. */
export async function resolveSrv(
  name: string,
  options: { server?: string | undefined; addresses: boolean },
): Promise<readonly SrvRecord[]> {
  const dns = process.getBuiltinModule('node:dns/promises')
  const resolver = new dns.Resolver({ timeout: queryMs, tries })
  if (options.server !== undefined) resolver.setServers([await serverAddress(options.server)])
  const records = await resolver.resolveSrv(name)
  records.sort((a, b) => a.priority - b.priority)
  const made: SrvRecord[] = []
  for (const { priority, weight, port, name: target } of records) {
    const address = options.addresses ? await firstAddress(resolver, target) : undefined
    made.push({ priority, weight, port, target, address })
  }
  return made
}

async function firstAddress(resolver: Resolver, target: string): Promise<string> {
  try {
    return (await resolver.resolve4(target))[0] as string
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENODATA' && code !== 'ENOTFOUND') throw error
    return (await resolver.resolve6(target))[0] as string
  }
}

/** The resolver takes addresses only. */
async function serverAddress(server: string): Promise<string> {
  const match = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(server)
  const host = match?.[1]?.replace(/[[\]]/g, '') ?? server
  const [address = host] = await lookup(host)
  const port = match?.[2]
  if (port === undefined) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
