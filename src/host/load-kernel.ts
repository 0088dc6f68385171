import { existsSync, readFileSync } from 'node:fs'

/**
 * The compiled kernel: dist/kernel, which built code (dist, dist/chunks) finds beside it and code that runs from
 * the sources (src/host) where `npm run build:kernel` put it. Throws with Node's own error if there is none.
 */
export function loadKernel(): WebAssembly.Module {
  const places = [
    './kernel/kernel.wasm',
    '../kernel/kernel.wasm',
    '../../dist/kernel/kernel.wasm',
  ].map((place) => new URL(place, import.meta.url))
  const place = places.find((url) => existsSync(url)) ?? places[0]!
  return new WebAssembly.Module(readFileSync(place))
}
