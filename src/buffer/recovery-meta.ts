import { crcWithout, type SumsScan, scanSums, sumsHeadBytes, sumsMark } from './file-store-sums.ts'
import { decodeMeta, encodeMeta, type Meta } from './meta.ts'

/** What a .meta file says of its chunk. */
export interface Read {
  readonly meta: Meta
  /** Bytes before the first record. */
  readonly sumsAt: number
  /** undefined: Fluentd's, or continued by Fluentd. */
  readonly scan: SumsScan | undefined
}

/** `sizeBytes`: of the chunk file. */
export function readOurs(bytes: Buffer, sizeBytes: number): Read | 'damaged' {
  const meta = decodeMeta(bytes)
  if (meta === undefined) return 'damaged'
  const sumsAt = meta.endByte + sumsHeadBytes
  const foreign = { meta, sumsAt, scan: undefined }
  if (meta.id === undefined || bytes.length < sumsAt) return foreign
  if (!bytes.subarray(meta.endByte, meta.endByte + 4).equals(sumsMark)) return foreign
  const { countAt, modifiedAt } = encodeMeta({ ...meta, id: meta.id })
  const map = bytes.subarray(0, meta.endByte)
  if (crcWithout(map, [countAt, modifiedAt]) !== bytes.readUInt32BE(meta.endByte + 4)) {
    return 'damaged'
  }
  const scan = scanSums(bytes, { from: sumsAt, id: meta.id, sizeBytes })
  const continued = meta.count !== 0 && (meta.count !== scan.events || sizeBytes > scan.bytes)
  return continued ? foreign : { meta, sumsAt, scan }
}
