import type { Kernel } from './types.ts'

export type * from './types.ts'

/** Makes a kernel from the compiled module (host/load-kernel.ts reads it from dist/kernel/kernel.wasm). */
export function createKernel(_module: WebAssembly.Module): Kernel {
  throw new Error('not built yet')
}
