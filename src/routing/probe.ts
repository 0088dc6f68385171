import { ConfigError, type Position } from '../core/errors.ts'
import type { ConnectionHandler, Host } from '../core/host.ts'
import { type Claim, type ClaimHolder, parseClaim } from './claims.ts'

/**
 * Whether a start would get what the plugins claim: each address is listened on for a moment, each
 * path asked whether it could be written. Returns one error for each that would fail.
 */
export async function probeClaims(
  holders: readonly ClaimHolder[],
  host: Host,
): Promise<readonly ConfigError[]> {
  const errors: ConfigError[] = []
  for (const holder of holders) {
    for (const text of holder.claims) {
      const problem = await probe(parseClaim(text), host)
      if (problem !== undefined) errors.push(refused({ holder, text, problem }))
    }
  }
  return errors
}

function refused(of: { holder: ClaimHolder; text: string; problem: string }): ConfigError {
  const position: Position | undefined = of.holder.position
  return new ConfigError(`${of.holder.id} could not have ${of.text}: ${of.problem}`, { position })
}

/** What is wrong; undefined: nothing. Of a kind it does not know, nothing is said. */
async function probe(claim: Claim, host: Host): Promise<string | undefined> {
  if (claim.kind === 'tcp') return await probeTcp(claim, host)
  if (claim.kind === 'udp') return await probeUdp(claim, host)
  if (claim.kind !== 'unix' && claim.kind !== 'file') return undefined
  return (await host.disk.writable(claim.place)) ? undefined : 'the path cannot be written'
}

async function probeTcp(claim: Claim, host: Host): Promise<string | undefined> {
  try {
    const listener = await host.net.listen({
      address: { kind: 'tcp', host: claim.place, port: claim.port! },
      accept: (connection) => {
        connection.destroy()
        return deafHandler
      },
    })
    await listener.close()
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

async function probeUdp(claim: Claim, host: Host): Promise<string | undefined> {
  try {
    const socket = await host.net.listenUdp({
      host: claim.place,
      port: claim.port!,
      onMessage: () => undefined,
    })
    await socket.close()
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

const deafHandler: ConnectionHandler = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
}

/** Node's own words do not always come with the code: say both. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message: string }
  const words = code === 'EADDRINUSE' ? 'address already in use' : undefined
  return words === undefined || message.includes(words) ? message : `${words} (${message})`
}
