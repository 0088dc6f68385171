import type tls from 'node:tls'

/** Node's module, loaded when it is first asked for: most runs never do (docs/decisions/0007-load-late.md). */
export function tlsModule(): typeof tls {
  return process.getBuiltinModule('node:tls')
}
