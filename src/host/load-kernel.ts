import { existsSync, readFileSync } from 'node:fs'

/**
 * The compiled kernel. Built code (dist/host) finds it beside itself in dist/kernel; code that runs from the sources
 * (src/host) finds the one that `npm run build:kernel` made. Throws with Node's own error if there is none.
 */
export function loadKernel(): WebAssembly.Module {
  const places = ['../kernel/kernel.wasm', '../../dist/kernel/kernel.wasm'].map(
    (place) => new URL(place, import.meta.url),
  )
  const place = places.find((url) => existsSync(url)) ?? places[0]!
  return new WebAssembly.Module(readFileSync(place))
}
