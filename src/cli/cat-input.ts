import type { MsgMap, MsgValue } from '../core/value.ts'
import { decode } from '../msgpack/decode.ts'
import { MsgpackError, skipValue } from '../msgpack/walk.ts'
import { parseJson } from '../text/json.ts'
import type { CatCommand } from './cat-options.ts'

/** Bytes of one event of the input. */
const eventLimitBytes = 16 * 1024 * 1024

/** The events of the input, as many at once as came together. Rejects with what is wrong with an event, and its number. */
export async function* readRecords(
  input: AsyncIterable<Uint8Array>,
  command: Pick<CatCommand, 'format' | 'messageKey'>,
): AsyncGenerator<MsgMap[]> {
  const cut = command.format === 'msgpack' ? cutMsgpack : cutLines
  const read = reader(command)
  let rest = new Uint8Array(0)
  // A long event is looked at again only once its bytes have doubled: linear in all.
  let waitFor = 0
  let number = 0
  const take = (bytes: Uint8Array, last: boolean): { records: MsgMap[]; used: number } => {
    const { pieces, used } = cut(bytes, last)
    const records: MsgMap[] = []
    for (const piece of pieces) {
      number++
      try {
        const record = read(piece)
        if (record !== undefined) records.push(record)
      } catch (error) {
        throw new Error(`event ${number} of the input: ${(error as Error).message}`, {
          cause: error,
        })
      }
    }
    return { records, used }
  }
  for await (const bytes of input) {
    rest = rest.length === 0 ? new Uint8Array(bytes) : join(rest, bytes)
    if (rest.length < waitFor) continue
    const { records, used } = take(rest, false)
    rest = rest.subarray(used)
    if (rest.length > eventLimitBytes) throw new Error('an event of the input is too long')
    waitFor = rest.length * 2
    if (records.length > 0) yield records
  }
  if (rest.length === 0) return
  const { records, used } = take(rest, true)
  if (used < rest.length) throw new Error('the input ends inside an event')
  if (records.length > 0) yield records
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

interface Cut {
  readonly pieces: readonly Uint8Array[]
  readonly used: number
}

function cutLines(bytes: Uint8Array, last: boolean): Cut {
  const pieces: Uint8Array[] = []
  let start = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, start)
    if (end < 0) break
    pieces.push(bytes.subarray(start, end))
    start = end + 1
  }
  if (last && start < bytes.length) {
    pieces.push(bytes.subarray(start))
    start = bytes.length
  }
  return { pieces, used: start }
}

function cutMsgpack(bytes: Uint8Array): Cut {
  const pieces: Uint8Array[] = []
  let start = 0
  try {
    while (start < bytes.length) {
      const end = skipValue(bytes, start)
      pieces.push(bytes.subarray(start, end))
      start = end
    }
  } catch (error) {
    if (!(error instanceof MsgpackError) || error.code !== 'truncated') throw error
  }
  return { pieces, used: start }
}

/** undefined: a blank line, which is no event. */
function reader(
  command: Pick<CatCommand, 'format' | 'messageKey'>,
): (piece: Uint8Array) => MsgMap | undefined {
  switch (command.format) {
    case 'msgpack':
      return (piece) => mapOf(decode(piece))
    case 'json':
      return (piece) => (isBlank(piece) ? undefined : mapOf(parseJson(piece)))
    case 'none':
      return (piece) => new Map([[command.messageKey, textOf(piece)]])
  }
}

function isBlank(piece: Uint8Array): boolean {
  return piece.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

/** An event: a map, or the pair of time and map that a secondary output leaves behind, whose time is not used. */
function mapOf(value: MsgValue): MsgMap {
  const record = Array.isArray(value) && value.length === 2 ? value[1] : value
  if (record instanceof Map) return record
  throw new Error('expected a map')
}

function textOf(line: Uint8Array): string {
  const end = line.at(-1) === 0x0d ? line.length - 1 : line.length
  return Buffer.from(line.buffer, line.byteOffset, end).toString('utf8')
}
