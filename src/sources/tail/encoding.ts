import { ConfigError, type Position } from '../../core/errors.ts'

/** What a line is made of in an encoding, and how it becomes UTF-8. */
export interface LineCodec {
  /** The line's end; lines begin at multiples of its length. */
  readonly eol: Buffer
  /** Absent: bytes stay as they are. What it gives may be borrowed. */
  readonly convert?: (bytes: Buffer) => Buffer
}

const lf = Buffer.from('\n')
export const plainCodec: LineCodec = { eol: lf }

/** Ruby's names (lower case) that the Encoding Standard has under another, or not at all. */
const labels: Readonly<Record<string, string>> = {
  ...{ 'ascii-8bit': 'binary', binary: 'binary', 'us-ascii': 'utf-8', ascii: 'utf-8' },
  ...{ 'utf8-mac': 'utf-8', cp65001: 'utf-8', 'iso-8859-1': 'latin1', 'iso8859-1': 'latin1' },
  ...{ 'windows-31j': 'shift_jis', cp932: 'shift_jis', sjis: 'shift_jis', pck: 'shift_jis' },
  ...{ eucjp: 'euc-jp', cp51932: 'euc-jp', 'eucjp-ms': 'euc-jp', cp936: 'gbk', gb2312: 'gbk' },
  ...{ 'euc-cn': 'gbk', euccn: 'gbk', cp950: 'big5', euckr: 'euc-kr', cp949: 'euc-kr' },
  ...{ cp866: 'ibm866', cp874: 'windows-874', cp878: 'koi8-r' },
}

/** The Encoding Standard's label, 'latin1' or 'binary'. Throws ConfigError. */
function labelOf(name: string, position: Position | undefined): string {
  const lower = name.toLowerCase()
  const label = labels[lower] ?? lower.replace(/^cp(125\d)$/, 'windows-$1')
  if (label === 'latin1' || label === 'binary') return label
  try {
    return new TextDecoder(label).encoding
  } catch {
    throw new ConfigError(`unknown encoding name - ${name}`, {
      position,
      hint: 'known are UTF-8, UTF-16LE, UTF-16BE, ISO-8859-1 to 16, Windows-1250 to 1258, Shift_JIS, EUC-JP, GBK, Big5, EUC-KR and the like',
    })
  }
}

/**
 * `encoding` alone says what lines are (only their ends depend on it); with `from_encoding` they are converted. Throws
 * ConfigError.
 */
export function codecOf(options: {
  encoding: string | undefined
  from: string | undefined
  position: Position | undefined
  fromPosition: Position | undefined
}): LineCodec {
  const { encoding, from, position, fromPosition } = options
  if (encoding === undefined) {
    if (from === undefined) return plainCodec
    throw new ConfigError(
      "tail: 'from_encoding' parameter must be specified with 'encoding' parameter.",
      { position: fromPosition, hint: 'write `encoding utf-8` beside it' },
    )
  }
  const to = labelOf(encoding, position)
  if (from === undefined) return { eol: eolOf(to) }
  const source = labelOf(from, fromPosition)
  if (source === to) return { eol: eolOf(to) }
  if (to !== 'utf-8') {
    throw new ConfigError(`lines can be converted to UTF-8 only, not to ${encoding}`, {
      position,
      hint: 'write `encoding utf-8`',
    })
  }
  if (source === 'binary') return { eol: lf, convert: toUtf8(decoderOf('utf-8')) }
  return { eol: eolOf(source), convert: toUtf8(decoderOf(source)) }
}

interface Decoder {
  decode(bytes: Buffer): string
}

function decoderOf(label: string): Decoder {
  if (label === 'latin1') return { decode: (bytes) => bytes.toString('latin1') }
  if (label === 'windows-1252') return windows1252
  return new TextDecoder(label)
}

/** What 0x80 to 0x9f are there; the rest is ISO-8859-1. */
const windows1252Upper = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/** Node 20's own decoder takes it for ISO-8859-1. */
const windows1252: Decoder = {
  decode: (bytes) =>
    bytes
      .toString('latin1')
      .replace(/[\u0080-\u009f]/g, (c) => windows1252Upper[c.charCodeAt(0) - 0x80] as string),
}

/** What has no meaning becomes U+FFFD. */
function toUtf8(decoder: Decoder): (bytes: Buffer) => Buffer {
  return (bytes) => Buffer.from(decoder.decode(bytes), 'utf8')
}

function eolOf(label: string): Buffer {
  if (label === 'utf-16le') return Buffer.from([0x0a, 0])
  if (label === 'utf-16be') return Buffer.from([0, 0x0a])
  return lf
}
