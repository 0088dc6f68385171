import { readFileSync } from 'node:fs'
import { EventTime, type MsgMap, type MsgValue } from '../../../src/core/value.ts'
import { createKernel, type FormatSpec, type Kernel } from '../../../src/kernel/index.ts'
import type { LayoutSizes } from '../../../src/kernel/layout.ts'
import { Encoder } from '../../../src/msgpack/encode.ts'
import { utcZone } from '../../../src/time/zones.ts'

const module = new WebAssembly.Module(readFileSync('dist/kernel/kernel.wasm'))

export function testKernel(sizes?: LayoutSizes): Kernel {
  return createKernel(module, sizes)
}

export const jsonSpec: FormatSpec = { layout: { kind: 'record' }, newline: '\n', jsonParser: 'oj' }

export const stdoutSpec: FormatSpec = {
  layout: {
    kind: 'stdout',
    time: { kind: 'strftime', format: '%Y-%m-%d %H:%M:%S.%9N %z', zone: utcZone },
  },
  newline: '\n',
  jsonParser: 'oj',
}

export function outFileSpec(format: string, zone = utcZone): FormatSpec {
  return {
    layout: {
      kind: 'out_file',
      delimiter: '\t',
      outputTime: true,
      outputTag: true,
      time: { kind: 'strftime', format, zone },
    },
    newline: '\n',
    jsonParser: 'yajl',
  }
}

/** Entries end to end. A record may be given as bytes. */
export function pack(
  events: readonly (readonly [EventTime, MsgMap | Uint8Array | Record<string, MsgValue>])[],
): { packed: Uint8Array; count: number } {
  const encoder = new Encoder()
  for (const [time, record] of events) {
    encoder.entry(time)
    if (record instanceof Uint8Array) encoder.raw(record)
    else encoder.value(record instanceof Map ? record : new Map(Object.entries(record)))
  }
  return { packed: encoder.copy(), count: events.length }
}

export const someTime = new EventTime(1_700_000_000, 123_456_789)

/** A record's bytes, written in hex, in an entry of its own. */
export function hexEntry(record: string): { packed: Uint8Array; count: number } {
  return pack([[someTime, new Uint8Array(Buffer.from(record.replaceAll(' ', ''), 'hex'))]])
}

export interface Formatted {
  readonly text: string
  readonly pieces: readonly { readonly bytes: Uint8Array; readonly count: number }[]
  readonly notFinite: number
  readonly notUtf8: number
}

export function formatAll(
  kernel: Kernel,
  spec: FormatSpec,
  batch: { packed: Uint8Array; count: number; tag?: string },
  maxPieceBytes = 1 << 20,
): Formatted {
  const pieces: { bytes: Uint8Array; count: number }[] = []
  const program = kernel.compileFormat(spec)
  const counts = kernel.format(program, { tag: 'a.b', ...batch }, maxPieceBytes, (bytes, count) => {
    pieces.push({ bytes: new Uint8Array(bytes), count })
  })
  const text = Buffer.concat(pieces.map((piece) => piece.bytes)).toString('utf8')
  return { text, pieces, ...counts }
}
