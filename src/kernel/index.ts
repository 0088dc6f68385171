import { createFormat, formatImports } from './format.ts'
import { createLayout, type LayoutSizes } from './layout.ts'
import { createScan } from './scan.ts'
import type { Kernel } from './types.ts'

export type * from './types.ts'

/**
 * Makes a kernel from the compiled module (host/load-kernel.ts reads it). Kernels share nothing: as many as are
 * wanted can be made of one module, each with a memory of its own and with sizes of its own.
 */
export function createKernel(module: WebAssembly.Module, sizes: LayoutSizes = {}): Kernel {
  const layout = createLayout(sizes)
  const memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages })
  const instance = new WebAssembly.Instance(module, {
    env: { memory, abort, ...formatImports(memory) },
  })
  const scan = createScan(instance, memory, layout)
  const format = createFormat(instance, memory, layout)
  return { ...scan, ...format }
}

/** AssemblyScript calls this when it would otherwise go on with a broken state. */
function abort(): never {
  throw new Error('kernel: aborted')
}
