import type { Layout } from './layout.ts'
import type { Kernel } from './types.ts'

export type ScanPart = Pick<Kernel, 'readArea' | 'createFramer' | 'sliceByTime'>

/** The scanning half of the kernel. */
export function createScan(
  _instance: WebAssembly.Instance,
  memory: WebAssembly.Memory,
  layout: Layout,
): ScanPart {
  return {
    readArea: new Uint8Array(memory.buffer, layout.readArea.at, layout.readArea.bytes),
    createFramer() {
      throw new Error('not built yet')
    },
    sliceByTime() {
      throw new Error('not built yet')
    },
  }
}
