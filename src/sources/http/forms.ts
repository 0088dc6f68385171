import { Refusal } from './refusal.ts'

/** Headers of one part of a multipart body; fields of any form, of which a few have a meaning. */
const limits = { headerBytes: 16 * 1024, fields: 1000 }

/**
 * Names and values of `a=1&b=2`, as bytes. With `wanted`, values of other names are not even decoded. Throws Refusal
 * for more fields than a form has.
 */
export function* formPairs(
  form: Uint8Array,
  wanted?: ReadonlySet<string>,
): Generator<[string, Uint8Array], void, void> {
  const bytes = Buffer.from(form.buffer, form.byteOffset, form.byteLength)
  for (let start = 0, fields = 0; start < bytes.length; fields++) {
    if (fields >= limits.fields) throw tooMany()
    const found = bytes.indexOf(0x26, start)
    const end = found < 0 ? bytes.length : found
    const equals = bytes.subarray(start, end).indexOf(0x3d)
    const nameEnd = equals < 0 ? end : start + equals
    const name = decoded(bytes.subarray(start, nameEnd)).toString('latin1')
    if (end > start && (wanted === undefined || wanted.has(name))) {
      yield [name, decoded(bytes.subarray(Math.min(nameEnd + 1, end), end))]
    }
    start = end + 1
  }
}

function tooMany(): Refusal {
  return new Refusal(400, 'form', 'too many fields in a form')
}

function decoded(text: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let at = 0; at < text.length; at++) {
    let c = text[at] as number
    if (c === 0x2b) c = 0x20
    else if (c === 0x25) {
      const high = hexDigit(text[at + 1])
      const low = hexDigit(text[at + 2])
      // A % without two digits stands for itself.
      if (high >= 0 && low >= 0) {
        c = high * 16 + low
        at += 2
      }
    }
    bytes[length++] = c
  }
  return bytes.subarray(0, length)
}

/** -1: it is none. */
function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const letter = c | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Of `multipart/form-data; boundary=x`; undefined if it has none that could be one (RFC 2046, 5.1.1). */
export function boundaryOf(contentType: string): string | undefined {
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType)
  return match?.[1] ?? match?.[2]
}

/** Names and values of a multipart/form-data body (RFC 7578). Throws Refusal. */
export function* multipartPairs(
  body: Uint8Array,
  boundary: string,
): Generator<[string, Uint8Array], void, void> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const opening = Buffer.from(`--${boundary}`, 'latin1')
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  let at = bytes.subarray(0, opening.length).equals(opening) ? opening.length : -1
  if (at < 0) {
    const found = bytes.indexOf(delimiter)
    if (found < 0) return
    at = found + delimiter.length
  }
  for (let part = 0; bytes[at] === 0x0d && bytes[at + 1] === 0x0a; part++) {
    if (part >= limits.fields) throw tooMany()
    // The line end in front belongs to the delimiter, and to an empty header's end.
    const headEnd = bytes.subarray(at, at + limits.headerBytes).indexOf('\r\n\r\n')
    const end = headEnd < 0 ? -1 : bytes.indexOf(delimiter, at + headEnd + 2)
    if (headEnd < 0 || end < 0) throw new Refusal(400, 'form', 'a form ends within a part')
    const name = nameOf(bytes.toString('latin1', at, at + headEnd))
    if (name !== undefined) yield [name, bytes.subarray(Math.min(at + headEnd + 4, end), end)]
    at = end + delimiter.length
  }
}

function nameOf(head: string): string | undefined {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1]
  if (disposition === undefined) return undefined
  const match = /;\s*name=(?:"([^"]*)"|([^\s;"]*))/i.exec(disposition)
  return match?.[1] ?? match?.[2]
}
