import type { Connection, ListenAddress } from '../../../../src/core/host.ts'
import type { MsgMap, MsgValue } from '../../../../src/core/value.ts'
import { ServerHandshake, type ServerSecurity } from '../../../../src/forward/handshake-server.ts'
import { bytesOf } from '../../../../src/forward/handshake-wire.ts'
import { Reader } from '../../../../src/msgpack/decode.ts'
import { encode } from '../../../../src/msgpack/encode.ts'
import { skipValue } from '../../../../src/msgpack/walk.ts'
import type { FakeHost } from '../../../support/fake-host.ts'

/** A message as a server got it. */
export interface Received {
  readonly tag: string
  readonly entries: string
  readonly option: MsgMap
  /** The bytes of all of it. */
  readonly hex: string
  readonly connection: number
}

export interface FakeServer {
  readonly received: Received[]
  /** Connections that are open now, and all that there ever were. */
  readonly open: Set<Connection>
  connections: number
  /** What is answered to a message; the default acknowledges where an ack is asked for. */
  answer: (received: Received, connection: Connection) => void
  /** Called with each connection before anything else. */
  greet: (connection: Connection) => void
  stop(): Promise<void>
}

/** A server in memory that speaks the forward protocol, with <security> if `security` is given. */
export async function fakeServer(
  host: FakeHost,
  port: number,
  security?: Partial<ServerSecurity>,
): Promise<FakeServer> {
  const address: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port }
  const server: FakeServer = {
    received: [],
    open: new Set(),
    connections: 0,
    answer: acknowledge,
    greet: () => undefined,
    stop: async () => {
      await listener.close()
      for (const connection of server.open) connection.destroy()
    },
  }
  const listener = await host.net.listen({
    address,
    accept(connection) {
      const number = server.connections
      server.connections += 1
      server.open.add(connection)
      server.greet(connection)
      let handshake = security === undefined ? undefined : handshakeOf(security)
      if (handshake !== undefined) connection.write(handshake.helo)
      let kept: Uint8Array = new Uint8Array(0)
      return {
        onData(bytes) {
          kept = Buffer.concat([kept, bytes])
          if (handshake !== undefined) {
            const outcome = handshake.data(kept)
            kept = new Uint8Array(0)
            if (outcome.kind === 'more') return
            connection.write(outcome.pong)
            if (outcome.kind === 'refused') connection.end()
            else kept = new Uint8Array(outcome.rest)
            handshake = undefined
          }
          kept = takeMessages(kept, (received) => {
            server.received.push({ ...received, connection: number })
            server.answer(server.received.at(-1)!, connection)
          })
        },
        onEnd: () => connection.end(),
        onDrain: () => undefined,
        onClose: () => void server.open.delete(connection),
      }
    },
  })
  return server
}

function handshakeOf(security: Partial<ServerSecurity>): ServerHandshake {
  return new ServerHandshake(
    {
      selfHostname: 'server.example',
      sharedKeys: ['k1'],
      userAuth: false,
      allowAnonymousSource: true,
      users: [],
      clients: [],
      ...security,
    },
    {
      remoteAddress: '127.0.0.1',
      keepalive: true,
      nonce: Buffer.alloc(16, 1),
      authSalt: Buffer.alloc(16, 2),
    },
  )
}

function acknowledge({ option }: Received, connection: Connection): void {
  const chunk = option.get('chunk')
  if (chunk !== undefined) connection.write(encode(new Map<MsgValue, MsgValue>([['ack', chunk]])))
}

/** Gives back the unfinished rest. */
function takeMessages(
  bytes: Uint8Array,
  take: (received: Omit<Received, 'connection'>) => void,
): Uint8Array {
  let at = 0
  while (at < bytes.byteLength) {
    let end: number
    try {
      end = skipValue(bytes, at)
    } catch {
      break
    }
    const [tag, entries, option] = new Reader(bytes, at, end).value() as MsgValue[]
    take({
      tag: tag as string,
      entries: Buffer.from(bytesOf(entries) ?? []).toString('hex'),
      option: option as MsgMap,
      hex: Buffer.from(bytes.subarray(at, end)).toString('hex'),
    })
    at = end
  }
  return bytes.slice(at)
}
