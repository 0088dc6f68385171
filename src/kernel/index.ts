import { Engine } from './engine.ts'
import { createFieldFinding } from './find-fields.ts'
import { createFormat, formatImports } from './format.ts'
import { createJsonPacking } from './json-pack.ts'
import { createLayout, type Layout, type LayoutSizes } from './layout.ts'
import { createScan } from './scan.ts'
import type { Kernel } from './types.ts'

export type * from './types.ts'

/**
 * Makes a kernel from the compiled module (host/load-kernel.ts reads it). Kernels share nothing: as many as are
 * wanted can be made of one module, each with a memory of its own and with sizes of its own.
 */
export function createKernel(module: WebAssembly.Module, sizes: LayoutSizes = {}): Kernel {
  const make = (layout: Layout) => {
    const memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages })
    const env = { memory, abort, ...formatImports(memory) }
    const instance = new WebAssembly.Instance(module, { env })
    return { instance, memory, layout, engine: new Engine(instance, memory, layout) }
  }
  const home = make(createLayout(sizes))
  const { instance, engine } = home
  const scan = createScan(engine, (layout) => make(layout).engine)
  const format = createFormat(home, make)
  const json = createJsonPacking(instance, engine.memory, engine.layout)
  const fields = createFieldFinding(instance, engine.memory, engine.layout)
  return { ...scan, ...format, ...json, ...fields }
}

/** AssemblyScript calls this when it would otherwise go on with a broken state. */
function abort(): never {
  throw new Error('kernel: aborted')
}
