import dgram from 'node:dgram'
import { chmod, chown, lstat, unlink } from 'node:fs/promises'
import net from 'node:net'
import type {
  Connection,
  ConnectionHandler,
  ListenAddress,
  Listener,
  ListenOptions,
  Net,
  TlsServerOptions,
  UdpSocket,
} from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { NodeConnection, plainAddress } from './node-connection.ts'
import { lookup, resolveSrv } from './node-dns.ts'
import { openTls, tlsProblem } from './node-tls.ts'
import { checkTls, superviseTls, tlsServerOptions } from './node-tls-server.ts'
import { tlsModule } from './tls-module.ts'

/**
 * Connections the operating system keeps waiting for us where the configuration says nothing;
 * capped by somaxconn.
 */
const defaultBacklog = 1024

export function createNodeNet(options: {
  log: Logger
  /** A worker leaves sockets' files to the process that opens them for it. */
  worker?: boolean
  /** Asked at each listening socket: true: it is not shared with other workers. */
  exclusive?: () => boolean
}): Net {
  const exclusive = () => options.exclusive?.() ?? false
  return {
    async listen(listen) {
      const { address } = listen
      if (address.kind === 'unix' && options.worker !== true) await removeStaleSocket(address.path)
      return await listenOn(listen, { log: options.log, exclusive: exclusive() })
    },
    connect,
    listenUdp: (udp) => listenUdp(udp, { log: options.log, exclusive: exclusive() }),
    checkTls,
    reverseLookup,
    lookup,
    resolveSrv,
  }
}

interface Surroundings {
  readonly log: Logger
  readonly exclusive: boolean
}

async function listenOn(
  options: ListenOptions,
  { log, exclusive }: Surroundings,
): Promise<Listener> {
  const { address } = options
  // An ack is small and somebody waits for it: held back until the one before is acknowledged, it would come 40 ms late.
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
  const take = (socket: net.Socket) => {
    const connection = new NodeConnection(socket, options.readArea)
    connection.begin(options.accept(connection))
  }
  const begin = options.tls === undefined ? take : secured(options.tls, take)
  server.on('connection', (socket) => {
    if (options.admits?.(plainAddress(socket.remoteAddress)) === false) refuse(socket)
    else begin(socket)
  })
  await opened(server, options, exclusive)
  // After this point an error is a connection that could not be accepted (EMFILE): the listener
  // lives on.
  server.on('error', (error) => log.warn('cannot accept a connection', { error }))
  if (address.kind === 'unix') await settleSocket(address, server)
  let closing = false
  return {
    address: boundAddress(server, address),
    async close() {
      if (closing) return
      closing = true
      // No waiting for 'close': that comes only with the end of the last connection. The port is
      // free at once, and a unix socket's file is removed by libuv.
      server.close()
    },
  }
}

function refuse(socket: net.Socket): void {
  // A unix socket knows no reset.
  if (socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}

/** What to do with raw connections, so that `take` gets them once they are TLS. */
function secured(
  options: TlsServerOptions,
  take: (socket: net.Socket) => void,
): (socket: net.Socket) => void {
  // It does not listen itself: raw connections can be refused before it sees them.
  const server = tlsModule().createServer({ ...tlsServerOptions(options), pauseOnConnect: true })
  superviseTls(server, options)
  server.on('secureConnection', take)
  return (socket) => {
    server.emit('connection', socket)
  }
}

/** Owner before mode: a changed owner takes bits of the mode away. */
async function settleSocket(
  { path, mode, uid, gid }: ListenAddress & { kind: 'unix' },
  server: net.Server,
): Promise<void> {
  try {
    if (uid !== undefined || gid !== undefined) await chown(path, uid ?? -1, gid ?? -1)
    if (mode !== undefined) await chmod(path, mode)
  } catch (error) {
    // A socket that is open to the wrong people is none at all.
    server.close()
    throw error
  }
}

function opened(
  server: net.Server,
  { address, backlog }: ListenOptions,
  exclusive: boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.removeListener('error', reject)
      resolve()
    })
    const place =
      address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }
    server.listen({ ...place, backlog: backlog ?? defaultBacklog, exclusive })
  })
}

function boundAddress(server: net.Server, asked: ListenAddress): ListenAddress {
  const bound = server.address()
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked
  return { kind: 'tcp', host: bound.address, port: bound.port }
}

/**
 * A socket file that a killed process left behind is in the way of listening. It is removed only if
 * it is a socket and nobody answers there; anything else stays and makes `listen` fail with
 * EADDRINUSE.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!stats?.isSocket()) return
  const refused = await new Promise<boolean>((resolve) => {
    const probe = net.connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
  if (refused) await unlink(path)
}

function connect(
  options: Parameters<Net['connect']>[0],
  handler: (connection: Connection) => ConnectionHandler,
): Promise<Connection> {
  const { address, signal, timeoutMs, tls } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const place =
      address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }
    const socket =
      tls === undefined
        ? net.connect({ allowHalfOpen: true, noDelay: true, ...place })
        : openTls(place, tls)
    const timer = setTimeout(() => fail(timeoutError(timeoutMs)), timeoutMs)
    const onAbort = () => fail(signal?.reason)
    const settled = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.removeListener('error', fail)
    }
    const fail = (reason: unknown) => {
      settled()
      // Addresses still being tried may fail after this; that is no news.
      socket.on('error', () => undefined)
      socket.destroy()
      reject(reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('error', fail)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      const problem = tlsProblem(socket, tls)
      if (problem !== undefined) return fail(problem)
      settled()
      const connection = new NodeConnection(socket, undefined)
      connection.begin(handler(connection))
      resolve(connection)
    })
  })
}

function timeoutError(timeoutMs: number): Error {
  return Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' })
}

function listenUdp(
  options: Parameters<Net['listenUdp']>[0],
  { log, exclusive }: Surroundings,
): ReturnType<Net['listenUdp']> {
  const socket = dgram.createSocket({ type: options.host.includes(':') ? 'udp6' : 'udp4' })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: options.host, port: options.port, exclusive }, () => {
      socket.removeListener('error', reject)
      socket.on('error', (error) => log.warn('UDP socket failed', { error }))
      socket.on('message', (bytes, from) =>
        options.onMessage(bytes, { address: from.address, port: from.port }),
      )
      resolve(wrapUdp(socket))
    })
  })
}

function wrapUdp(socket: dgram.Socket): UdpSocket {
  let closed: Promise<void> | undefined
  return {
    port: socket.address().port,
    send(bytes, port, address) {
      // A datagram that cannot be sent is one that got lost: the callback keeps it from becoming an
      // 'error'.
      if (closed === undefined) socket.send(bytes, port, address, () => undefined)
    },
    close() {
      closed ??= new Promise((resolve) => socket.close(() => resolve()))
      return closed
    },
  }
}

async function reverseLookup(address: string): Promise<string> {
  try {
    const { lookupService } = process.getBuiltinModule('node:dns/promises')
    return (await lookupService(address, 0)).hostname
  } catch {
    // The contract: an address without a name stands for itself.
    return address
  }
}
