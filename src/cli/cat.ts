import type { Connection, ConnectionHandler, ListenAddress, Net } from '../core/host.ts'
import { EventTime, type MsgMap } from '../core/value.ts'
import { ClientHandshake } from '../forward/handshake-client.ts'
import { Encoder } from '../msgpack/encode.ts'
import { readRecords } from './cat-input.ts'
import type { CatCommand } from './cat-options.ts'
import { UsageError } from './parse-options.ts'

const connectTimeoutMs = 10_000
const retryWaitMs = 1_000
/** Bytes that may wait to be sent before standard input is left alone. */
const unsentLimitBytes = 1024 * 1024
/** How long the receiver may take to close its side once everything is sent. */
const farewellMs = 2_000
/** How long the handshake may take, where there is one. */
const handshakeMs = 10_000
/** What we call ourselves there. */
const selfHostname = 'sluice-cat'

export interface CatWorld {
  readonly net: Pick<Net, 'connect'>
  readonly input: AsyncIterable<Uint8Array>
  wallMs(): number
  /** Keeps the process alive meanwhile. */
  wait(delayMs: number): Promise<void>
  /** One line for standard error. */
  say(line: string): void
  /** For the handshake. */
  randomBytes(count: number): Uint8Array
}

/**
 * Sends each event of the input to a receiver, in Forward mode. Resolves once all of it is handed
 * over; rejects with an Error that says why not.
 */
export async function runCat(command: CatCommand, world: CatWorld): Promise<void> {
  const fixedTime = command.eventTime === undefined ? undefined : parseEventTime(command.eventTime)
  const encoder = new Encoder()
  const sender = await connect(command, world)
  try {
    await sender.ready()
    for await (const records of readRecords(world.input, command)) {
      encoder.reset()
      encoder.arrayHeader(2)
      encoder.string(command.tag)
      encoder.arrayHeader(records.length)
      const time = eventTime(fixedTime ?? fromMs(world.wallMs()), command.timeAsInteger)
      for (const record of records) writeEntry(encoder, time, record)
      await sender.send(encoder.copy())
    }
    await sender.finish()
  } finally {
    sender.destroy()
  }
}

function writeEntry(encoder: Encoder, time: EventTime, record: MsgMap): void {
  encoder.arrayHeader(2)
  encoder.value(time)
  encoder.value(record)
}

function fromMs(wallMs: number): EventTime {
  const seconds = Math.floor(wallMs / 1000)
  return new EventTime(seconds, Math.floor((wallMs - seconds * 1000) * 1_000_000))
}

function eventTime(time: EventTime, asInteger: boolean): EventTime {
  return asInteger ? new EventTime(time.seconds, undefined) : time
}

/**
 * `2026-11-20 21:37:15.123456789 +0900`, ISO 8601, or what else Date knows; local time where no
 * zone is given.
 */
export function parseEventTime(text: string): EventTime {
  const fraction = /:\d\d[.,](\d{1,9})\d*/.exec(text)
  const plain = fraction === null ? text : text.replace(/(:\d\d)[.,]\d+/, '$1')
  const ms = Date.parse(
    plain
      .replace(/^(\d{4}-\d\d-\d\d) (\d\d:\d\d(:\d\d)?) ?/, '$1T$2')
      .replace(/([+-]\d\d)(\d\d)$/, '$1:$2'),
  )
  const seconds = Math.floor(ms / 1000)
  if (!(seconds >= 0 && seconds < 2 ** 32)) {
    throw new UsageError(
      `--event-time expects a time such as "2026-11-20 21:37:15 +0000", not "${text}"`,
    )
  }
  return new EventTime(seconds, fraction === null ? 0 : Number(fraction[1]?.padEnd(9, '0')))
}

interface Sender {
  /** Resolves once events may be sent: at once, or after the handshake. */
  ready(): Promise<void>
  /** Resolves once there is room for more. Rejects when the connection is lost. */
  send(bytes: Uint8Array): Promise<void>
  finish(): Promise<void>
  destroy(): void
}

async function connect(command: CatCommand, world: CatWorld): Promise<Sender> {
  const address: ListenAddress =
    command.socketPath === undefined
      ? { kind: 'tcp', host: command.host, port: command.port }
      : { kind: 'unix', path: command.socketPath }
  for (let attempt = 0; ; attempt++) {
    let sender: ReturnType<typeof createSender> | undefined
    try {
      const connection = await world.net.connect(
        { address, timeoutMs: connectTimeoutMs },
        (made) => {
          sender = createSender(made, command, world)
          return sender.handler
        },
      )
      sender ??= createSender(connection, command, world)
      return sender
    } catch (error) {
      const reason = `cannot connect to ${where(address)}: ${(error as Error).message}`
      if (attempt >= command.retryLimit) throw new Error(reason, { cause: error })
      world.say(reason)
      await world.wait(retryWaitMs)
    }
  }
}

function where(address: ListenAddress): string {
  return address.kind === 'unix' ? address.path : `${address.host}:${address.port}`
}

function handshakeOf(command: CatCommand, world: CatWorld): ClientHandshake | undefined {
  const { sharedKey, username = '', password = '' } = command
  if (sharedKey === undefined) return undefined
  return new ClientHandshake({ selfHostname, sharedKey, username, password }, world.randomBytes(16))
}

/** The first bytes of HELO, which a receiver with <security> says at once. */
const hello = Buffer.from([0x92, 0xa4, 0x48, 0x45, 0x4c, 0x4f])

function createSender(
  connection: Connection,
  command: CatCommand,
  world: CatWorld,
): Sender & { readonly handler: ConnectionHandler } {
  let closed: Error | undefined
  /** Why nothing that was sent was taken. */
  let refused: Error | undefined
  let finishing = false
  let handshake = handshakeOf(command, world)
  let wake: (() => void)[] = []
  const wakeAll = (): void => {
    const waiting = wake
    wake = []
    for (const resolve of waiting) resolve()
  }
  const change = () => new Promise<void>((resolve) => wake.push(resolve))
  const shakeHands = (current: ClientHandshake, bytes: Uint8Array): void => {
    const step = current.data(bytes)
    if (step.kind === 'send') connection.write(step.bytes)
    else if (step.kind === 'established') handshake = undefined
  }

  return {
    handler: {
      onData(bytes) {
        try {
          if (handshake !== undefined) shakeHands(handshake, bytes)
          else if (
            hello.equals(bytes.subarray(0, hello.byteLength)) &&
            command.sharedKey === undefined
          ) {
            throw new Error('the receiver asks for a --shared-key')
          }
        } catch (error) {
          refused ??= error as Error
          connection.destroy()
        }
        wakeAll()
      },
      onEnd() {
        connection.end()
      },
      onDrain: wakeAll,
      onClose(error) {
        closed ??= error ?? new Error('the receiver closed the connection')
        wakeAll()
      },
    },
    async ready() {
      let late = false
      if (handshake !== undefined) {
        void world.wait(handshakeMs).then(() => {
          late = true
          wakeAll()
        })
      }
      const waits = () => handshake !== undefined && (refused ?? closed) === undefined && !late
      while (waits()) await change()
      if (refused !== undefined) throw refused
      if (closed !== undefined) throw new Error(`connection lost: ${closed.message}`)
      if (handshake !== undefined) throw new Error(`no ${handshake.waitsFor} came`)
    },
    async send(bytes) {
      if (refused !== undefined) throw refused
      if (closed !== undefined) throw new Error(`connection lost: ${closed.message}`)
      connection.write(bytes)
      while (connection.unsentBytes > unsentLimitBytes && closed === undefined) await change()
    },
    async finish() {
      finishing = true
      connection.end()
      const deadline = world.wait(farewellMs).then(() => 'late' as const)
      while (closed === undefined) {
        const outcome = await Promise.race([change(), deadline])
        if (outcome === 'late' && connection.unsentBytes === 0) return
        if (outcome === 'late') await change()
      }
      if (refused !== undefined) throw refused
      if (connection.unsentBytes > 0) throw new Error(`connection lost: ${closed.message}`)
    },
    destroy() {
      if (closed === undefined && finishing) connection.destroy()
      else if (closed === undefined) connection.destroy({ reset: true })
    },
  }
}
