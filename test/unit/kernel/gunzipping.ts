import * as zlib from 'node:zlib'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { Engine } from '../../../src/kernel/engine.ts'
import { formatImports } from '../../../src/kernel/format.ts'
import { gunzip } from '../../../src/kernel/gunzip.ts'
import { createLayout } from '../../../src/kernel/layout.ts'
import type { GunzipVerdict } from '../../../src/kernel/types.ts'

function newEngine(): Engine {
  const layout = createLayout()
  const memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages })
  const env = { memory, abort: () => undefined, ...formatImports(memory) }
  return new Engine(new WebAssembly.Instance(loadKernel(), { env }), memory, layout)
}

const engine = newEngine()
const out = engine.layout.inflated
export const roomBytes = out.bytes

/** What the kernel makes of a payload, which is followed by bytes that are not its own. */
export function inflated(
  payload: Uint8Array,
  limitBytes = Number.POSITIVE_INFINITY,
): { verdict: GunzipVerdict; output: Uint8Array | undefined } {
  const end = engine.inputAt + payload.length
  engine.bytes.set(payload, engine.inputAt)
  engine.bytes.fill(0x55, end, end + 64)
  const room = Math.min(limitBytes, roomBytes)
  const behind = engine.view(out.at + room, out.at + room + 64)
  behind.fill(0xaa)
  const verdict = gunzip(engine, engine.view(engine.inputAt, end), limitBytes)
  if (behind.some((byte) => byte !== 0xaa)) throw new Error('written behind the limit')
  const output = verdict === 'done' ? engine.bytes.slice(out.at, engine.inflatedEnd) : undefined
  return { verdict, output }
}

/** What zlib says is wrong. */
const words: [RegExp, GunzipVerdict][] = [
  [/unexpected end of file/, 'truncated'],
  [/^incorrect header check|^unknown|header crc/, 'bad_header'],
  [/block|^too many|^invalid (code lengths|bit length|literal\/lengths|distances) /, 'bad_block'],
  [/^invalid (literal\/length|distance) code/, 'bad_code'],
  [/too far back/, 'bad_distance'],
  [/^incorrect (data|length) check/, 'bad_check'],
]

/** The same from Node's zlib, which takes zeros behind the last member for padding: here they are none. */
export function expected(payload: Uint8Array): {
  verdict: GunzipVerdict
  output: Uint8Array | undefined
} {
  if (payload.length === 0) return { verdict: 'done', output: payload }
  try {
    const { buffer, engine } = zlib.gunzipSync(payload, { info: true }) as unknown as {
      buffer: Buffer
      engine: zlib.Gunzip
    }
    if (engine.bytesWritten < payload.length) return { verdict: 'bad_header', output: undefined }
    return { verdict: 'done', output: buffer }
  } catch (error) {
    const said = (error as Error).message
    const verdict = words.find(([word]) => word.test(said))?.[1]
    if (verdict === undefined) throw error
    return { verdict, output: undefined }
  }
}
