import { ConfigError, type Position } from '../../core/errors.ts'

/** Names that Ruby has and the Encoding Standard has not. */
const rubyNames: Readonly<Record<string, string | undefined>> = {
  cp932: 'shift_jis',
  cp949: 'euc-kr',
  cp936: 'gbk',
  cp950: 'big5',
  cp1252: 'windows-1252',
  eucjp: 'euc-jp',
  'utf-16': 'utf-16be',
}

/** Made for each run: takes bytes of the encoding and gives UTF-8, at last (without bytes) what was kept. */
export type Decode = (bytes?: Uint8Array) => Uint8Array

/** undefined: UTF-8, as it is. Throws ConfigError. */
export function decoderOf(
  encoding: string | undefined,
  position: Position | undefined,
): (() => Decode) | undefined {
  if (encoding === undefined || /^(utf-?8|ascii-8bit|binary|us-ascii)$/i.test(encoding)) {
    return undefined
  }
  const lower = encoding.toLowerCase()
  const label = Object.hasOwn(rubyNames, lower) ? (rubyNames[lower] ?? lower) : lower
  const make = () => {
    const decoder = new TextDecoder(label)
    return (bytes?: Uint8Array) =>
      Buffer.from(decoder.decode(bytes, { stream: bytes !== undefined }))
  }
  try {
    make()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ConfigError(`unknown encoding name - ${encoding}`, {
      position,
      hint: 'write it as the Encoding Standard does: shift_jis, euc-jp, iso-8859-1',
    })
  }
  return make
}
