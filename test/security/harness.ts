import { type App, createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config/index.ts'
import { ConfigErrors } from '../../src/core/errors.ts'
import type { MsgValue } from '../../src/core/value.ts'
import { loadKernel } from '../../src/host/load-kernel.ts'
import { createKernel, type Kernel } from '../../src/kernel/index.ts'
import { encode } from '../../src/msgpack/encode.ts'
import { plugins } from '../../src/plugins.ts'
import { createFakeHost, type FakeHost } from '../support/fake-host.ts'
import { poisoned } from '../support/poisoned-kernel.ts'

let kernel: Kernel | undefined

export interface Running {
  readonly app: App
  readonly host: FakeHost
  /** Sends the bytes to the forward port, and gives what came back. */
  send(...pieces: Uint8Array[]): Promise<{ received: Buffer; closed: string }>
  /** Lines that reached standard output. */
  lines(): string[]
  /** An honest client's event still comes through: throws if not. */
  expectAlive(): Promise<void>
  stop(): Promise<void>
}

export const forwardSection = '<source>\n@type forward\n@id in\n</source>\n'
const toStdout = '<match **>\n@type stdout\n<format>\n@type json\n</format>\n</match>\n'

/** The application with all its plugins in a world of memory. Throws ConfigErrors. */
export async function start(config = `${forwardSection}${toStdout}`): Promise<Running> {
  const host = createFakeHost()
  kernel ??= poisoned(createKernel(loadKernel()))
  const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
  const parsed = parseConfig({ path: 'safe.conf', text: config, ...world })
  if (parsed.errors.length > 0) throw new ConfigErrors(parsed.errors)
  const app = createApp({ host, plugins, kernel, config: parsed })
  await app.start()
  const send: Running['send'] = async (...pieces) => {
    const client = host.net.client(24224)
    for (const piece of pieces) if (client.closed === 'no') client.send(piece)
    await host.clock.settle()
    return { received: Buffer.from(client.received()), closed: client.closed }
  }
  const lines = () => host.stdout.text().split('\n').slice(0, -1)
  return {
    app,
    host,
    send,
    lines,
    async expectAlive() {
      const { received } = await send(
        packed(['alive.x', 1_700_000_000, { alive: 1 }, { chunk: 'alive' }]),
      )
      if (!received.toString('latin1').includes('alive')) throw new Error('no ack')
    },
    async stop() {
      const done = app.stop(AbortSignal.timeout(5000))
      await host.clock.advance(5000)
      await done
    },
  }
}

/** MessagePack of what JSON could say. */
export function packed(value: unknown): Buffer {
  return Buffer.from(encode(toValue(value)))
}

function toValue(value: unknown): MsgValue {
  if (Array.isArray(value)) return value.map(toValue)
  if (value instanceof Uint8Array) return value
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, item]) => [key, toValue(item)]))
  }
  return value as MsgValue
}
