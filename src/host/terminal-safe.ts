const lineFeed = 0x0a
const tab = 0x09
const escapedBytes = 4

/**
 * What a terminal may show: control characters but tab and line feed (C0, DEL and, in UTF-8, C1) become `\x1b` and the
 * like. The same bytes where there are none, which is the rule.
 */
export function terminalSafe(bytes: Uint8Array): Uint8Array {
  let found = 0
  for (let at = 0; at < bytes.length; at++) found += isControl(bytes, at) ? 1 : 0
  if (found === 0) return bytes
  const safe = Buffer.allocUnsafe(bytes.length + found * (escapedBytes - 1))
  let end = 0
  for (let at = 0; at < bytes.length; at++) {
    if (isControl(bytes, at)) {
      const code = (bytes[at] as number).toString(16).padStart(2, '0')
      end += safe.write(`\\x${code}`, end, 'latin1')
    } else safe[end++] = bytes[at] as number
  }
  return safe
}

/** Of a C1 character the second byte is one; the first alone is no character. */
function isControl(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at] as number
  if (byte < 0x20) return byte !== lineFeed && byte !== tab
  if (byte === 0x7f) return true
  return byte >= 0x80 && byte <= 0x9f && at > 0 && bytes[at - 1] === 0xc2
}
