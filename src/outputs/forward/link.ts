import type {
  Clock,
  Connection,
  ConnectionHandler,
  ListenAddress,
  Net,
  Timer,
  TlsClientOptions,
} from '../../core/host.ts'
import type { ClientHandshake } from '../../forward/handshake-client.ts'
import { bytesOf, HandshakeError, OneMessage } from '../../forward/handshake-wire.ts'

/**
 * A connection to a server could not be made, broke, or did not do what it should. Always to be
 * tried again.
 */
export class LinkError extends Error {
  override readonly name = 'LinkError'
  readonly code: 'connect' | 'handshake' | 'broken' | 'timeout' | 'no_ack' | 'wrong_ack' | 'aborted'

  constructor(code: LinkError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

export interface LinkOptions {
  readonly address: ListenAddress
  readonly connectTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly tls: TlsClientOptions | undefined
  /** undefined: no <security>. */
  readonly handshake: ClientHandshake | undefined
}

/** Bytes handed to the connection at once, and those that may wait in it. */
const writeBytes = 256 * 1024
const windowBytes = 1024 * 1024

/** An ack, and what else a server might say. */
const answerLimitBytes = 4096

/** How long a server may take to end its side after we have ended ours. */
const lingerMs = 5_000

const helloBytes = Buffer.from([0x92, 0xa4, 0x48, 0x45, 0x4c, 0x4f])

/**
 * One connection to a server, ready to send on. Used by one chunk at a time; every wait ends by a
 * timeout, by `signal` or with the connection.
 */
export class Link {
  readonly #clock: Clock
  #connection: Connection | undefined
  #closed: Error | undefined
  #ended = false
  #arrived: Uint8Array[] = []
  #arrivedBytes = 0
  #wake: (() => void) | undefined
  #keepalive = true
  #linger: Timer | undefined
  #used = false
  /** When it was put aside, for keepalive_timeout. */
  idleSinceMs = 0

  private constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Connects and does the handshake. Rejects with LinkError. */
  static async open(
    world: { net: Net; clock: Clock },
    options: LinkOptions,
    signal: AbortSignal,
  ): Promise<Link> {
    const link = new Link(world.clock)
    const { address, connectTimeoutMs: timeoutMs, tls } = options
    try {
      await world.net.connect({ address, timeoutMs, signal, tls }, (connection) =>
        link.#attach(connection),
      )
    } catch (error) {
      const code = signal.aborted ? 'aborted' : 'connect'
      throw new LinkError(code, `cannot connect: ${(error as Error).message}`, { cause: error })
    }
    if (options.handshake === undefined) return link
    try {
      await link.#shakeHands(options.handshake, options.handshakeTimeoutMs, signal)
    } catch (error) {
      link.destroy()
      if (!(error instanceof HandshakeError)) throw error
      throw new LinkError('handshake', error.message, { cause: error })
    }
    return link
  }

  /**
   * Whether more can be sent: it is open, and the server has said nothing that was not asked for.
   */
  get usable(): boolean {
    return this.#closed === undefined && !this.#ended && this.#keepalive && this.#arrivedBytes === 0
  }

  setKeepAlive(): void {
    this.#connection?.setKeepAlive(true)
  }

  #attach(connection: Connection): ConnectionHandler {
    this.#connection = connection
    return {
      onData: (bytes) => this.#take(bytes),
      onEnd: () => {
        this.#ended = true
        this.#changed()
      },
      onDrain: () => this.#changed(),
      onClose: (error) => {
        this.#linger?.cancel()
        this.#closed ??= error ?? new Error('the server closed the connection')
        this.#changed()
      },
    }
  }

  #take(bytes: Uint8Array): void {
    // Whoever says so much is no forward server.
    if (this.#arrivedBytes + bytes.byteLength > answerLimitBytes) {
      this.#fail(new Error('the server sent more than an answer'))
      return
    }
    this.#arrived.push(new Uint8Array(bytes))
    this.#arrivedBytes += bytes.byteLength
    this.#changed()
  }

  #fail(error: Error): void {
    this.#closed ??= error
    this.#connection?.destroy()
    this.#changed()
  }

  #changed(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #received(): Uint8Array {
    const all = Buffer.concat(this.#arrived)
    this.#arrived = []
    this.#arrivedBytes = 0
    return all
  }

  /**
   * Waits until `done`. `progress`: a figure that moves while the other side does something; the
   * time starts anew then.
   */
  async #until(
    done: () => boolean,
    of: {
      readonly timeoutMs: number
      /** Whether it is over when the server has ended its side. Default: yes. */
      readonly needsAnswer?: boolean
      readonly signal: AbortSignal
      readonly late: () => LinkError
      readonly progress?: () => number
    },
  ): Promise<void> {
    let timer: Timer | undefined
    let late = false
    let seen = of.progress?.()
    const look = () => {
      const now = of.progress?.()
      late = now === seen
      seen = now
      if (late) this.#changed()
      else timer = this.#clock.after(of.timeoutMs, look)
    }
    const onAbort = () => this.#changed()
    of.signal.addEventListener('abort', onAbort, { once: true })
    timer = this.#clock.after(of.timeoutMs, look)
    try {
      while (!done()) {
        if (of.signal.aborted) throw new LinkError('aborted', 'given up at the end')
        if (late) throw of.late()
        const over = this.#ended && of.needsAnswer !== false
        if (this.#closed !== undefined || over) throw this.#broken()
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      timer?.cancel()
      of.signal.removeEventListener('abort', onAbort)
    }
  }

  /** An answer that comes byte by byte gets no more time than one that comes at once. */
  #countdown(timeoutMs: number): () => number {
    const startMs = this.#clock.monotonicMs()
    return () => Math.max(0, startMs + timeoutMs - this.#clock.monotonicMs())
  }

  #broken(): LinkError {
    const cause = this.#closed
    return new LinkError('broken', `connection lost: ${cause?.message ?? 'the server ended it'}`, {
      cause,
    })
  }

  async #shakeHands(
    handshake: ClientHandshake,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const late = () =>
      new LinkError('handshake', `no ${handshake.waitsFor} came within ${timeoutMs} ms`)
    const left = this.#countdown(timeoutMs)
    for (;;) {
      await this.#until(() => this.#arrivedBytes > 0, { timeoutMs: left(), signal, late })
      const step = handshake.data(this.#received())
      if (step.kind === 'send') this.#connection?.write(step.bytes)
      if (step.kind !== 'established') continue
      this.#keepalive = step.keepalive
      if (step.rest.byteLength > 0) this.#take(step.rest)
      return
    }
  }

  /**
   * Resolves when the kernel has all of it: from then on `pieces` are not used any more. Rejects
   * with LinkError; the connection is destroyed then, and sends nothing further.
   */
  async send(
    pieces: readonly Uint8Array[],
    limits: { timeoutMs: number; signal: AbortSignal },
  ): Promise<void> {
    const { timeoutMs, signal } = limits
    const unsent = () => this.#connection?.unsentBytes ?? 0
    const late = () => new LinkError('timeout', `the server took nothing for ${timeoutMs} ms`)
    // A server may end a connection as soon as it has all of a message. Where it did so before,
    // because nobody had used the connection for a while, it took nothing.
    const needsAnswer = this.#used
    this.#used = true
    try {
      let written = 0
      const progress = () => written - unsent()
      const waiting = { timeoutMs, signal, late, progress, needsAnswer }
      for (const piece of pieces) {
        for (let at = 0; at < piece.byteLength; at += writeBytes) {
          const part = piece.subarray(at, at + writeBytes)
          this.#connection?.write(part)
          written += part.byteLength
          if (unsent() > windowBytes) await this.#until(() => unsent() <= windowBytes, waiting)
        }
      }
      await this.#until(() => unsent() === 0, waiting)
      if (this.#closed !== undefined || (this.#ended && needsAnswer)) throw this.#broken()
      this.#heedHello()
    } catch (error) {
      this.destroy()
      throw error
    }
  }

  /**
   * A server that wants a handshake from us says HELO at once; it takes nothing of what was sent.
   */
  #heedHello(): void {
    const [first] = this.#arrived
    if (first === undefined || !helloBytes.equals(first.subarray(0, helloBytes.byteLength))) return
    throw new LinkError(
      'handshake',
      'the server asks for authentication, and <security> is not configured',
    )
  }

  /** Waits for the ack of a chunk. Rejects with LinkError; the connection is destroyed then. */
  async ack(chunk: string, limits: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    const { timeoutMs, signal } = limits
    const late = () => new LinkError('no_ack', `no ack came within ${timeoutMs} ms`)
    const message = new OneMessage(answerLimitBytes)
    const left = this.#countdown(timeoutMs)
    try {
      for (;;) {
        await this.#until(() => this.#arrivedBytes > 0, { timeoutMs: left(), signal, late })
        const taken = message.take(this.#received())
        if (taken === undefined) continue
        const { value, rest } = taken
        if (Array.isArray(value) && value[0] === 'HELO') {
          throw new LinkError(
            'handshake',
            'the server asks for authentication, and <security> is not configured',
          )
        }
        const acked = value instanceof Map ? bytesOf(value.get('ack')) : undefined
        if (acked === undefined || !Buffer.from(chunk).equals(acked)) {
          const words = 'ack in response and chunk id in sent data are different'
          throw new LinkError('wrong_ack', words)
        }
        if (rest.byteLength > 0) this.#take(rest)
        return
      }
    } catch (error) {
      this.destroy()
      if (!(error instanceof HandshakeError)) throw error
      throw new LinkError('wrong_ack', `the server's answer: ${error.message}`, { cause: error })
    }
  }

  /** Ends it; what was sent arrives. */
  close(): void {
    if (this.#closed !== undefined || this.#linger !== undefined) return
    this.#linger = this.#clock.after(lingerMs, () => this.#connection?.destroy())
    this.#connection?.end()
  }

  destroy(): void {
    this.#closed ??= new Error('closed by us')
    this.#connection?.destroy()
  }
}
