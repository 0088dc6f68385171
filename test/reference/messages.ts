/**
 * What the forward protocol's messages mean, written plainly: the whole of the bytes at once, values decoded, no
 * thought of speed. The kernel is compared with it.
 */
export interface Rules {
  readonly skipInvalidEvent: boolean
  readonly messageLimitBytes: number
  readonly messageWarnBytes: number
  readonly itemLimit: number
  readonly depthLimit: number
  readonly keyLimit?: number
  readonly recordLimitBytes?: number
  readonly now: { readonly seconds: number; readonly nanoseconds: number }
}

/** What came out of one message. Bytes as hex. */
export type Outcome =
  | {
      kind: 'events'
      tag: string
      entries: string
      count: number
      invalid: number
      ack: string
      wireBytes: number
    }
  | {
      kind: 'compressed'
      tag: string
      codec: string
      payload: string
      ack: string
      wireBytes: number
    }
  | { kind: 'note'; code: string; bytes: number; tag: string }
  | { kind: 'fatal'; code: string }

export class Stop extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** A value by its place: what kind it is, where it and its parts lie. */
interface Node {
  readonly type:
    | 'nil'
    | 'false'
    | 'true'
    | 'int'
    | 'float'
    | 'str'
    | 'bin'
    | 'time'
    | 'array'
    | 'map'
  readonly start: number
  readonly end: number
  /** Of str and bin: where the payload starts. */
  readonly body: number
  /** Of int and time: is it zero (seconds). Of float: its value. */
  readonly number: number
  /** Of array and map (keys and values in turn). */
  readonly items: readonly Node[]
}

interface Budget {
  items: number
}

export function parse(
  bytes: Uint8Array,
  at: number,
  end: number,
  depth: number,
  budget: Budget,
): Node {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end)
  const need = (p: number, count: number): void => {
    if (p + count > end) throw new Stop('truncated')
  }
  need(at, 1)
  const head = view.getUint8(at)
  const node = (type: Node['type'], stop: number, extra: Partial<Node> = {}): Node => {
    if (stop > end) throw new Stop('truncated')
    return { type, start: at, end: stop, body: at, number: Number.NaN, items: [], ...extra }
  }
  const unsigned = (p: number, width: number): number => {
    need(p, width)
    if (width === 1) return view.getUint8(p)
    return width === 2 ? view.getUint16(p) : view.getUint32(p)
  }
  const text = (type: 'str' | 'bin', header: number, length: number): Node =>
    node(type, at + header + length, { body: at + header })
  const nested = (type: 'array' | 'map', header: number, count: number): Node => {
    if (depth === 0) throw new Stop('too_deep')
    if (count > budget.items) throw new Stop('too_many_items')
    budget.items -= count
    const items: Node[] = []
    let p = at + header
    for (let i = 0; i < (type === 'map' ? count * 2 : count); i++) {
      const item = parse(bytes, p, end, depth - 1, budget)
      items.push(item)
      p = item.end
    }
    return node(type, p, { items })
  }
  const integer = (width: number, signed: boolean): Node => {
    need(at + 1, width)
    if (width === 8) return node('int', at + 9, { number: Number(view.getBigInt64(at + 1)) })
    const value = unsigned(at + 1, width)
    return node('int', at + 1 + width, { number: signed ? value : value })
  }
  if (head < 0x80) return node('int', at + 1, { number: head })
  if (head < 0x90) return nested('map', 1, head & 15)
  if (head < 0xa0) return nested('array', 1, head & 15)
  if (head < 0xc0) return text('str', 1, head & 31)
  if (head >= 0xe0) return node('int', at + 1, { number: head - 256 })
  switch (head) {
    case 0xc0:
      return node('nil', at + 1)
    case 0xc1:
      throw new Stop('invalid_byte')
    case 0xc2:
      return node('false', at + 1)
    case 0xc3:
      return node('true', at + 1)
    case 0xc4:
      return text('bin', 2, unsigned(at + 1, 1))
    case 0xc5:
      return text('bin', 3, unsigned(at + 1, 2))
    case 0xc6:
      return text('bin', 5, unsigned(at + 1, 4))
    case 0xc7:
      need(at + 1, 2)
      if (view.getUint16(at + 1) !== 0x0800) throw new Stop('unknown_ext')
      need(at, 11)
      return node('time', at + 11, { number: view.getUint32(at + 3) })
    case 0xd7:
      need(at + 1, 1)
      if (view.getUint8(at + 1) !== 0) throw new Stop('unknown_ext')
      need(at, 10)
      return node('time', at + 10, { number: view.getUint32(at + 2) })
    case 0xca:
      need(at, 5)
      return node('float', at + 5, { number: view.getFloat32(at + 1) })
    case 0xcb:
      need(at, 9)
      return node('float', at + 9, { number: view.getFloat64(at + 1) })
    case 0xcc:
    case 0xd0:
      return integer(1, head === 0xd0)
    case 0xcd:
    case 0xd1:
      return integer(2, head === 0xd1)
    case 0xce:
    case 0xd2:
      return integer(4, head === 0xd2)
    case 0xcf:
    case 0xd3:
      return integer(8, head === 0xd3)
    case 0xd9:
      return text('str', 2, unsigned(at + 1, 1))
    case 0xda:
      return text('str', 3, unsigned(at + 1, 2))
    case 0xdb:
      return text('str', 5, unsigned(at + 1, 4))
    case 0xdc:
      return nested('array', 3, unsigned(at + 1, 2))
    case 0xdd:
      return nested('array', 5, unsigned(at + 1, 4))
    case 0xde:
      return nested('map', 3, unsigned(at + 1, 2))
    case 0xdf:
      return nested('map', 5, unsigned(at + 1, 4))
    default:
      throw new Stop('unknown_ext')
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** All messages of `bytes`; `unfinished`: bytes after the last whole one. */
export function readMessages(
  bytes: Uint8Array,
  rules: Rules,
): { outcomes: Outcome[]; unfinished: number } {
  const outcomes: Outcome[] = []
  let at = 0
  while (at < bytes.length) {
    try {
      at = readMessage(bytes, at, rules, outcomes)
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      if (error.code !== 'truncated') {
        outcomes.push({ kind: 'fatal', code: error.code })
        return { outcomes, unfinished: 0 }
      }
      return { outcomes, unfinished: bytes.length - at }
    }
  }
  return { outcomes, unfinished: 0 }
}

function readMessage(bytes: Uint8Array, at: number, rules: Rules, outcomes: Outcome[]): number {
  const budget = { items: rules.itemLimit }
  // Entries of Forward mode stand two levels inside the message, and have all of the depth to themselves.
  const message = parse(bytes, at, bytes.length, rules.depthLimit + 2, budget)
  const wireBytes = message.end - at
  if (message.type !== 'array') {
    const code = message.type === 'nil' ? 'heartbeat' : 'broken'
    outcomes.push({ kind: 'note', code, bytes: wireBytes, tag: '' })
    return message.end
  }
  const [tagNode, second] = message.items
  const known = tagNode?.type === 'str' || tagNode?.type === 'bin'
  const tag = known ? toHex(bytes.subarray(tagNode.body, tagNode.end)) : ''
  const packed = second?.type === 'str' || second?.type === 'bin'
  const mode = packed ? 'packed' : second?.type === 'array' ? 'forward' : 'message'
  if (wireBytes > rules.messageLimitBytes) {
    outcomes.push({ kind: 'note', code: 'too_large', bytes: wireBytes, tag })
    return message.end
  }
  checkDepths(message, mode, rules)
  const optionNode = message.items[mode === 'message' ? 3 : 2]
  const option = readOption(bytes, optionNode)
  if (wireBytes > rules.messageWarnBytes) {
    outcomes.push({ kind: 'note', code: 'large', bytes: wireBytes, tag })
  }
  const { ack } = option
  if (packed && option.codec !== undefined && !known) {
    const nothing = { entries: '', count: 0, invalid: 1 }
    outcomes.push({ kind: 'events', tag, ...nothing, ack, wireBytes })
    return message.end
  }
  if (packed && option.codec !== undefined) {
    const payload = toHex(bytes.subarray(second.body, second.end))
    outcomes.push({ kind: 'compressed', tag, codec: option.codec, payload, ack, wireBytes })
    return message.end
  }
  let result: Entries
  if (packed) {
    result = readPacked(bytes.subarray(second.body, second.end), rules, budget)
  } else if (mode === 'forward') {
    result = { entries: '', count: 0, invalid: 0 }
    for (const item of second!.items) addEntry(result, bytes, item, rules)
  } else {
    result = { entries: '', count: 0, invalid: 0 }
    addEvent(result, bytes, message.items[1], message.items[2], rules, true)
  }
  if (!known) result = { entries: '', count: 0, invalid: result.count + result.invalid }
  outcomes.push({ kind: 'events', tag, ...result, ack, wireBytes })
  return message.end
}

/** The limit holds for entries and for each part of a message by itself. */
function checkDepths(message: Node, mode: string, rules: Rules): void {
  message.items.forEach((item, i) => {
    if (i === 1 && mode === 'forward') {
      if (item.items.some((entry) => depthOf(entry) > rules.depthLimit)) throw new Stop('too_deep')
    } else if (depthOf(item) + 1 > rules.depthLimit) throw new Stop('too_deep')
  })
}

function depthOf(node: Node): number {
  if (node.type !== 'array' && node.type !== 'map') return 0
  return 1 + Math.max(0, ...node.items.map(depthOf))
}

function readOption(bytes: Uint8Array, option: Node | undefined): { ack: string; codec?: string } {
  if (!option || option.type === 'nil') return { ack: '' }
  if (option.type !== 'map') throw new Stop('bad_option')
  let ack = ''
  let codec: string | undefined
  for (let i = 0; i < option.items.length; i += 2) {
    const key = option.items[i]!
    const value = option.items[i + 1]!
    if (key.type !== 'str' && key.type !== 'bin') continue
    const name = Buffer.from(bytes.subarray(key.body, key.end)).toString('latin1')
    const none = value.type === 'nil' || value.type === 'false'
    if (name === 'chunk') {
      ack = none ? '' : `81a361636b${toHex(bytes.subarray(value.start, value.end))}`
    } else if (name === 'compressed') {
      const isText = value.type === 'str' || value.type === 'bin'
      codec = isText
        ? Buffer.from(bytes.subarray(value.body, value.end)).toString('utf8')
        : 'not a string'
      if (none || codec === 'text') codec = undefined
    }
  }
  return codec === undefined ? { ack } : { ack, codec }
}

interface Entries {
  entries: string
  count: number
  invalid: number
}

/** Entries end to end; a truncated last one is left out. */
export function readPacked(bytes: Uint8Array, rules: Rules, budget: Budget): Entries {
  const result: Entries = { entries: '', count: 0, invalid: 0 }
  let at = 0
  try {
    while (at < bytes.length) {
      const entry = parse(bytes, at, bytes.length, rules.depthLimit, budget)
      addEntry(result, bytes, entry, rules)
      at = entry.end
    }
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    if (error.code === 'invalid_byte') throw new Stop('malformed_entries')
    if (error.code !== 'truncated') throw error
    result.invalid++
  }
  return result
}

function addEntry(result: Entries, bytes: Uint8Array, entry: Node, rules: Rules): void {
  if (entry.type !== 'array') {
    result.invalid++
    return
  }
  const [first, record] = entry.items
  const time = first?.type === 'array' ? first.items[0] : first
  addEvent(result, bytes, time, record, rules, !rules.skipInvalidEvent)
}

function addEvent(
  result: Entries,
  bytes: Uint8Array,
  time: Node | undefined,
  record: Node | undefined,
  rules: Rules,
  zeroIsNow: boolean,
): void {
  const written = time && writtenTime(bytes, time, rules, zeroIsNow)
  if (written === undefined || record?.type !== 'map' || isBeyond(record, rules)) {
    result.invalid++
    return
  }
  result.entries += `92${written}${toHex(bytes.subarray(record.start, record.end))}`
  result.count++
}

function isBeyond(record: Node, { keyLimit, recordLimitBytes }: Rules): boolean {
  const items = (node: Node): number =>
    node.items.reduce((sum, item) => sum + items(item), 0) +
    (node.type === 'map' ? node.items.length / 2 : node.items.length)
  return (
    items(record) > (keyLimit ?? Number.POSITIVE_INFINITY) ||
    record.end - record.start > (recordLimitBytes ?? Number.POSITIVE_INFINITY)
  )
}

function writtenTime(
  bytes: Uint8Array,
  time: Node,
  rules: Rules,
  zeroIsNow: boolean,
): string | undefined {
  const eventTime = (seconds: number, nanoseconds: number): string => {
    const buffer = Buffer.alloc(10)
    buffer.writeUInt16BE(0xd700)
    buffer.writeUInt32BE(seconds, 2)
    buffer.writeUInt32BE(nanoseconds, 6)
    return buffer.toString('hex')
  }
  const now = eventTime(rules.now.seconds, rules.now.nanoseconds)
  if (time.type === 'int' || time.type === 'time') {
    return time.number === 0 && zeroIsNow ? now : toHex(bytes.subarray(time.start, time.end))
  }
  if (rules.skipInvalidEvent) return undefined
  if (time.type === 'nil') return now
  if (time.type !== 'float') return undefined
  if (Math.abs(time.number) < 1) return now
  if (!(time.number >= 0 && time.number < 2 ** 32)) return undefined
  const seconds = Math.trunc(time.number)
  return eventTime(seconds, Math.trunc((time.number - seconds) * 1e9))
}
