/** Bytes of a tag that is made from a record. The forward source's standard for tags from outside. */
const madeTagLimitBytes = 1024

/** C0, DEL, C1, and the line ends of Unicode. */
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** A tag made from a record is none: it could forge lines of a log, lead a path astray, or fill memory. */
export class MadeTagError extends Error {
  override readonly name = 'MadeTagError'
}

/** Throws MadeTagError unless a text that was made from a record may be a tag. */
export function checkMadeTag(tag: string): void {
  if (tag.length > madeTagLimitBytes || Buffer.byteLength(tag) > madeTagLimitBytes) {
    throw new MadeTagError(`a tag made from a record is longer than ${madeTagLimitBytes} bytes`)
  }
  if (controlCharacters.test(tag)) {
    throw new MadeTagError('a tag made from a record has control characters')
  }
}
