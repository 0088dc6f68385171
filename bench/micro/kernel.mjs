// The kernel's own modules, for benchmarks that look at it alone: the build has them inside the command.
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = new URL('../../', import.meta.url)
const source = (path) => fileURLToPath(new URL(`src/${path}`, root))

const bundle = await rolldown({
  input: { kernel: source('kernel/index.ts'), load: source('host/load-kernel.ts') },
  platform: 'node',
})
await bundle.write({
  dir: fileURLToPath(new URL('.bench/micro', root)),
  entryFileNames: '[name].js',
})

export const { createKernel } = await import('../../.bench/micro/kernel.js')
export const { loadKernel } = await import('../../.bench/micro/load.js')
