/** As Ruby's chomp: without one newline at the end (LF, CR LF or CR). */
export function withoutNewline(bytes: Uint8Array): Uint8Array {
  let end = bytes.byteLength
  if (end > 0 && bytes[end - 1] === 0x0a) {
    end -= 1
    if (end > 0 && bytes[end - 1] === 0x0d) end -= 1
  } else if (end > 0 && bytes[end - 1] === 0x0d) {
    end -= 1
  }
  return end === bytes.byteLength ? bytes : bytes.subarray(0, end)
}
