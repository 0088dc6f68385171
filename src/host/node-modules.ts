import { existsSync, readdirSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What plugins import (src/plugin.ts). */
const facade = 'sluice/plugin'
/** Stands before a name that is to be looked for from the working directory. */
const fromHere = 'sluice-require:'

type NextResolve = (specifier: string, context: object) => unknown
type ResolveHook = (specifier: string, context: object, next: NextResolve) => unknown
/** Node 22.15 and later. */
type RegisterHooks = (hooks: { resolve: ResolveHook }) => void

/** The hook as text: where Node runs hooks in a thread of their own, it is all that goes there. */
const hookSource = `
let facadeUrl, here
export const initialize = (data) => { ({ facadeUrl, here } = data) }
export const resolve = (specifier, context, next) => {
  if (specifier === '${facade}') return { url: facadeUrl, shortCircuit: true }
  if (!specifier.startsWith('${fromHere}')) return next(specifier, context)
  return next(specifier.slice(${fromHere.length}), { ...context, parentURL: here })
}`

let prepared = false

/**
 * Makes `sluice/plugin` mean this very Sluice, wherever the file stands that imports it: plugins need no node_modules
 * beside them, and share classes such as ConfigError with the rest.
 */
function prepare(): void {
  if (prepared) return
  prepared = true
  const data = { facadeUrl: facadeUrl(), here: pathToFileURL(`${process.cwd()}/`).href }
  const { registerHooks } = nodeModule as unknown as { registerHooks?: RegisterHooks }
  if (registerHooks === undefined) {
    const hooks = `data:text/javascript,${encodeURIComponent(hookSource)}`
    nodeModule.register(hooks, { parentURL: import.meta.url, data })
    return
  }
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === facade) return { url: data.facadeUrl, shortCircuit: true }
      if (!specifier.startsWith(fromHere)) return next(specifier, context)
      return next(specifier.slice(fromHere.length), { ...context, parentURL: data.here })
    },
  })
}

/** As the kernel's: built code has it beside or above it, the sources where it was built to. */
function facadeUrl(): string {
  const places = ['../plugin.mjs', './plugin.mjs', '../../dist/plugin.mjs']
  const urls = places.map((place) => new URL(place, import.meta.url))
  return (urls.find((url) => existsSync(url)) ?? urls[0]!).href
}

/** What the module at the path exports. Rejects with whatever kept it from being loaded. */
export async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  prepare()
  return await import(pathToFileURL(resolve(path)).href)
}

/** The same for what `import` would take in a file of the working directory: a package's name, or ./path. */
export async function importByName(name: string): Promise<Readonly<Record<string, unknown>>> {
  prepare()
  const absolute = name.startsWith('/') ? pathToFileURL(name).href : name
  return await import(`${fromHere}${absolute}`)
}

/** Names of the files in a directory, sorted; undefined: there is no such directory. */
export function filesIn(directory: string): readonly string[] | undefined {
  if (!existsSync(directory)) return undefined
  return readdirSync(directory).sort()
}
