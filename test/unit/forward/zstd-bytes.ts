/** Zstandard frames made by hand, of blocks that need no compressor (RFC 8878). */

const magic = Buffer.from('28b52ffd', 'hex')

/** A block without its "last" bit, which the frame sets. */
export function rawBlock(text: string): Buffer {
  return Buffer.concat([blockHead(0, text.length), Buffer.from(text)])
}

export function rleBlock(character: string, count: number): Buffer {
  return Buffer.concat([blockHead(1, count), Buffer.from(character)])
}

function blockHead(type: number, size: number): Buffer {
  const head = Buffer.alloc(3)
  head.writeUIntLE((size << 3) | (type << 1), 0, 3)
  return head
}

export function zstdFrame(
  blocks: Buffer[],
  options: { contentSize?: number; windowDescriptor?: number; checksum?: boolean } = {},
): Buffer {
  const { contentSize, windowDescriptor = 0, checksum = false } = options
  const size = Buffer.alloc(contentSize === undefined ? 0 : 8)
  if (contentSize !== undefined) size.writeBigUInt64LE(BigInt(contentSize))
  const descriptor = (contentSize === undefined ? 0 : 0xe0) | (checksum ? 4 : 0)
  const window = contentSize === undefined ? [windowDescriptor] : []
  const body = blocks.map((block, index) => {
    const copy = Buffer.from(block)
    if (index === blocks.length - 1) copy[0]! |= 1
    return copy
  })
  const tail = Buffer.alloc(checksum ? 4 : 0)
  return Buffer.concat([magic, Buffer.from([descriptor, ...window]), size, ...body, tail])
}

export function skippable(bytes: number): Buffer {
  const frame = Buffer.alloc(8 + bytes, 0x55)
  frame.writeUInt32LE(0x184d2a53, 0)
  frame.writeUInt32LE(bytes, 4)
  return frame
}
