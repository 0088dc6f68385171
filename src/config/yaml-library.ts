import { createRequire } from 'node:module'

type Yaml = typeof import('yaml')

let loaded: Yaml | undefined

/**
 * The yaml package, loaded when the first YAML file is read: most configurations have none, and it would take a good
 * part of the time and memory of a start.
 */
export function yaml(): Yaml {
  loaded ??= createRequire(import.meta.url)('yaml') as Yaml
  return loaded
}

export const isAlias = ((node: unknown) => yaml().isAlias(node)) as Yaml['isAlias']
export const isMap = ((node: unknown) => yaml().isMap(node)) as Yaml['isMap']
export const isScalar = ((node: unknown) => yaml().isScalar(node)) as Yaml['isScalar']
export const isSeq = ((node: unknown) => yaml().isSeq(node)) as Yaml['isSeq']
