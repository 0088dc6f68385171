import { writeSync } from 'node:fs'
import net from 'node:net'
import type { Connection, ConnectionHandler } from '../core/host.ts'
import { heapGrowth } from './heap-growth.ts'

/**
 * What we rely on inside Node for reading into one shared buffer. Undocumented, so it is looked for
 * before use.
 */
interface TakenHandle {
  useUserBuffer?: unknown
  reading?: boolean
  /** The file descriptor; -1 or absent where there is none. */
  fd?: number
}

/** Answers up to this size (acks) take the short way out. */
const directWriteBytes = 16 * 1024

/**
 * A connection over a net.Socket. The handler is given afterwards by `begin`, since making it needs
 * the connection.
 */
export class NodeConnection implements Connection {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly #socket: net.Socket
  #handler: ConnectionHandler | undefined
  #error: Error | undefined
  #paused = false
  /** What is written goes through OpenSSL: nothing may go round it, to the descriptor below. */
  readonly #encrypted: boolean
  readonly #written: () => void

  /** `readArea`: see ListenOptions. `socket` must be paused and not have been read from. */
  constructor(socket: net.Socket, readArea: Uint8Array | undefined) {
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort
    this.#encrypted = 'encrypted' in socket
    this.#written = () => {
      if (this.#socket.writableLength === 0) this.#handler?.onDrain()
    }
    const receive = (bytes: Uint8Array) => this.#handler?.onData(bytes)
    this.#socket =
      (readArea === undefined || this.#encrypted
        ? undefined
        : socketReadingInto(socket, readArea, receive)) ?? socketWithDataEvents(socket, receive)
    this.#socket.on('end', () => this.#handler?.onEnd())
    this.#socket.on('error', (error) => {
      this.#error = error
    })
    heapGrowth.opened()
    this.#socket.on('close', () => {
      heapGrowth.closed()
      const handler = this.#handler
      this.#handler = undefined
      handler?.onClose(this.#error)
    })
  }

  /** From now on `handler` gets what arrives, unless the connection was paused before. */
  begin(handler: ConnectionHandler): void {
    this.#handler = handler
    if (!this.#paused) this.#socket.resume()
  }

  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.writable) return
    const direct = !this.#encrypted && bytes.byteLength <= directWriteBytes
    const sent = direct ? this.#writeNow(bytes) : 0
    if (sent === bytes.byteLength) return
    const rest = sent === 0 ? bytes : bytes.subarray(sent)
    this.#socket.write(Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength), this.#written)
  }

  /**
   * One write(2) without Node's stream around it, which costs more than the call itself: with a client that waits for
   * each ack, a fifth of all CPU time. Bytes the kernel took; 0 where the stream must be asked, also to report an error.
   */
  #writeNow(bytes: Uint8Array): number {
    const fd = (this.#socket as unknown as { _handle: TakenHandle | null })._handle?.fd
    if (fd === undefined || fd < 0 || this.#socket.writableLength > 0) return 0
    try {
      return writeSync(fd, bytes)
    } catch {
      // A full socket (EAGAIN), or one that broke: the stream meets the same, and waits or says so.
      return 0
    }
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#handler !== undefined && !this.#socket.destroyed) this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(options?: { reset?: boolean }): void {
    if (this.#socket.destroyed) return
    // Unix sockets and those of TLS know no reset: Node throws for them.
    if (options?.reset === true && this.remoteAddress !== undefined && !this.#encrypted) {
      this.#socket.resetAndDestroy()
    } else {
      this.#socket.destroy()
    }
  }

  setKeepAlive(on: boolean): void {
    this.#socket.setKeepAlive(on)
  }
}

/**
 * Moves the socket's handle into a new net.Socket that reads into `area`, which all connections
 * share: 3.15 GB a CPU second instead of 1.22 with a buffer allocated for each read, as measured.
 * Node offers `onread` for outgoing connections only, hence the detour over the handle. undefined:
 * this Node has not what it needs, and the socket is as it was.
 */
function socketReadingInto(
  socket: net.Socket,
  area: Uint8Array,
  receive: (bytes: Uint8Array) => void,
): net.Socket | undefined {
  const inner = socket as unknown as { _handle: TakenHandle | null; _server: unknown }
  const handle = inner._handle
  if (handle === null || typeof handle?.useUserBuffer !== 'function') return undefined
  const taken = new net.Socket({
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    onread: {
      buffer: area,
      callback(byteCount: number) {
        receive(byteCount === area.byteLength ? area : area.subarray(0, byteCount))
        // A pause() inside `receive` has stopped the handle already; false would say the same.
        return true
      },
    },
  } as unknown as net.SocketConstructorOpts)
  // The server counts its connections by the socket that it made: the new one takes its place
  // there, and the old one is left without a handle, so that nothing it does (or its collection)
  // touches the connection.
  const heir = taken as unknown as { _server: unknown }
  heir._server = inner._server
  inner._server = null
  inner._handle = null
  return taken
}

function socketWithDataEvents(
  socket: net.Socket,
  receive: (bytes: Uint8Array) => void,
): net.Socket {
  // A plain view of the Buffer: its slice() copies, as that of all other bytes does, and a Buffer's
  // does not.
  socket.on('data', (bytes) =>
    receive(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
  )
  // 'data' sets the socket flowing; it waits for `begin`.
  socket.pause()
  return socket
}

/**
 * An IPv4 client of a dual-stack listener is `::ffff:192.0.2.1` to the system, and 192.0.2.1 to
 * everybody else.
 */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
