/**
 * Ruby's String#split by a string: nothing empty at the end, and a single space as the delimiter stands for any run
 * of white space (none of it at the beginning counts).
 */
export function splitText(text: string, delimiter: string): string[] {
  const parts =
    delimiter === ' '
      ? text.replace(/^[\s\0]+/, '').split(/[ \t\n\v\f\r\0]+/)
      : text.split(delimiter)
  let length = parts.length
  while (length > 0 && parts[length - 1] === '') length -= 1
  return length === parts.length ? parts : parts.slice(0, length)
}
