import { compressPieces, unusedFormatter } from '../../buffer/index.ts'
import type { PluginContext } from '../../config/define.ts'
import { PermanentError } from '../../core/errors.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { TlsClientOptions } from '../../core/host.ts'
import type { Chunk, Sink } from '../../core/output.ts'
import { integerTimeEntries, packedEntries } from '../../formatters/packed-entries.ts'
import { createDiscovery, type Discovery, serverOf } from './discovery.ts'
import { type Message, messageOf } from './message.ts'
import { settingsOf, warningsOf } from './read-settings.ts'
import { Servers } from './servers.ts'
import type { Settings } from './settings.ts'
import type { ForwardParams } from './shape.ts'
import { tlsOptionsOf } from './tls-options.ts'

/** An entry's first byte: an array of two. */
const entryHead = 0x92

export function createForwardSink(params: ForwardParams, context: PluginContext): Sink {
  const { host, log, primaryBuffer } = context
  const settings = settingsOf(params, primaryBuffer ?? params.buffer)
  const discoveries = discoveriesOf(params, context)
  const tls = tlsByName(() => tlsOptionsOf(params, host.disk))
  const servers = new Servers({ host, log, settings, tlsFor: tls.optionsFor }, discoveries)
  const labels = { plugin_id: context.id, type: context.type }

  return {
    formatter: formatterOf(params, primaryBuffer !== undefined),
    async check() {
      tls.load()
      for (const discovery of discoveries) discovery.check()
    },
    async start() {
      for (const warning of warningsOf(params)) log.warn(warning)
      tls.load()
      try {
        await servers.start()
      } catch (error) {
        await servers.stop()
        throw error
      }
      const help = 'Servers of a forward output.'
      const name = 'sluice_output_forward_servers'
      host.metrics.observableGauge({ name, help, labels }, () => servers.registered)
      host.metrics.observableGauge(
        {
          name: 'sluice_output_forward_servers_available',
          help: 'Servers of a forward output that are believed to be there.',
          labels,
        },
        () => servers.available,
      )
    },
    async write(chunk, signal) {
      const entries = await chunk.read()
      if (chunk.count === 0 && chunk.sizeBytes === 0) return
      await servers.deliver(await messageFrom(chunk, entries, settings), signal)
    },
    async stop() {
      await servers.stop()
    },
  }
}

function formatterOf(params: ForwardParams, asSecondary: boolean): Formatter {
  if (asSecondary) return unusedFormatter
  return params.timeAsInteger ? integerTimeEntries() : packedEntries
}

function discoveriesOf(params: ForwardParams, context: PluginContext): Discovery[] {
  const named = params.server.map(serverOf)
  const own: Discovery = { check() {}, start: async () => named, stop() {} }
  const others = params.serviceDiscovery.map((section) =>
    createDiscovery(section, context.host, context.log),
  )
  return [own, ...others]
}

async function messageFrom(
  chunk: Chunk,
  entries: readonly Uint8Array[],
  settings: Settings,
): Promise<Message> {
  const first = entries.find((piece) => piece.byteLength > 0)
  if (first?.[0] !== entryHead) {
    // A secondary gets what its primary's formatter made; a receiver would drop the connection, and
    // go on doing so.
    throw new PermanentError('no_entries', 'the chunk holds no MessagePack events to forward')
  }
  const { compress, ackTimeoutMs } = settings
  return messageOf(compress === 'text' ? entries : await compressPieces(entries, compress), {
    tag: chunk.metadata.tag ?? '',
    count: chunk.count,
    compress,
    id: ackTimeoutMs === undefined ? undefined : chunk.id,
  })
}

/**
 * TLS options by the name that the certificate must be for: what is made of them is kept with the
 * object.
 */
function tlsByName(read: () => TlsClientOptions | undefined) {
  let loaded: TlsClientOptions | undefined
  const byName = new Map<string | undefined, TlsClientOptions>()
  return {
    load() {
      loaded = read()
      byName.clear()
    },
    optionsFor(servername: string | undefined): TlsClientOptions | undefined {
      if (loaded === undefined) return undefined
      let options = byName.get(servername)
      if (options === undefined) {
        options = { ...loaded, servername }
        byName.set(servername, options)
      }
      return options
    },
  }
}
