import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { Script } from 'node:vm'
import { crc32 } from 'node:zlib'

/*
 * Loads the files of dist, and takes what V8 made of them from dist/compiled.bin, which the build writes
 * (scripts/compile.mjs): a start is mostly compiling (docs/decisions/0007-load-late.md).
 *
 * compiled.bin: four bytes, little-endian, how long the header is; the header, JSON (`Header`); what V8 made of each
 * file, one behind the other. Without it, after another build, or on another Node.js, the files are compiled as ever:
 * nothing is taken whose source has not the same checksum, and V8 itself refuses what another V8 or other flags made.
 */

interface Place {
  readonly sourceCrc: number
  readonly crc: number
  /** Bytes behind the header. */
  readonly at: number
  readonly bytes: number
}

interface Header {
  readonly v8: string
  readonly files: Readonly<Record<string, Place>>
}

interface Loaded {
  readonly script: Script
  readonly sourceCrc: number
  /** V8 took what was compiled before. */
  readonly ready: boolean
  readonly module: { exports: unknown }
}

const directory = import.meta.dirname
const compiledPath = join(directory, 'compiled.bin')
const loaded = new Map<string, Loaded>()

/** What compiled.bin has. Kept for a start only: it would be a megabyte that stays. */
let compiled: { header: Header; body: Buffer } | undefined
/** A start loads one file after the other within this. */
const keptMs = 1000

function readCompiled(): { header: Header; body: Buffer } | undefined {
  if (compiled !== undefined) return compiled
  try {
    const all = readFileSync(compiledPath)
    const headerEnd = 4 + all.readUInt32LE(0)
    const header = JSON.parse(all.toString('latin1', 4, headerEnd)) as Header
    if (header.v8 !== process.versions.v8) return undefined
    compiled = { header, body: all.subarray(headerEnd) }
  } catch {
    // None was made, or it is no such file: the code is compiled.
    return undefined
  }
  setTimeout(() => {
    compiled = undefined
  }, keptMs).unref()
  return compiled
}

function compiledOf(name: string, sourceCrc: number): Buffer | undefined {
  const from = readCompiled()
  const place = from?.header.files[name]
  if (from === undefined || place?.sourceCrc !== sourceCrc) return undefined
  const bytes = from.body.subarray(place.at, place.at + place.bytes)
  return crc32(bytes) === place.crc ? bytes : undefined
}

/** Loaded when something of it is first asked for: five per cent of a start, and most need none of it. */
const crypto = new Proxy(
  {},
  { get: (_, name) => Reflect.get(process.getBuiltinModule('node:crypto'), name) },
)

/** What stands for import() in the files: see rolldown.config.mjs. */
const importModule = (url: string): Promise<unknown> => import(url)

/** What the file of dist exports; `name` is its path below dist. Throws where `require` would. */
export function load(name: string): unknown {
  const known = loaded.get(name)
  if (known !== undefined) return known.module.exports
  const filename = join(directory, name)
  const source = readFileSync(filename)
  const sourceCrc = crc32(source)
  const cachedData = compiledOf(name, sourceCrc)
  const script = new Script(
    // The bundler writes ASCII only.
    `(function (exports, require, module, __filename, __dirname, importModule) {${source.toString('latin1')}\n})`,
    {
      filename,
      cachedData,
    },
  )
  const module = { exports: {} as unknown }
  const ready = cachedData !== undefined && script.cachedDataRejected === false
  loaded.set(name, { script, sourceCrc, ready, module })
  const packages = createRequire(filename)
  const here = resolve(filename, '..')
  const requireFrom = (wanted: string): unknown => {
    if (wanted === 'node:crypto') return crypto
    if (!wanted.startsWith('.')) return packages(wanted)
    return load(resolve(here, wanted).slice(directory.length + 1))
  }
  script.runInThisContext()(module.exports, requireFrom, module, filename, here, importModule)
  return module.exports
}

/** The files loaded by now: true where V8 took what the build had compiled, false where it compiled them anew. */
export function loadedFiles(): Readonly<Record<string, boolean>> {
  return Object.fromEntries([...loaded].map(([name, { ready }]) => [name, ready]))
}

/** Writes compiled.bin from what is loaded by now, with the functions that have run. For the build. */
export function saveCompiled(): void {
  const files: Record<string, Place> = {}
  const parts: Uint8Array[] = []
  let at = 0
  for (const [name, { script, sourceCrc }] of loaded) {
    const bytes = script.createCachedData()
    files[name] = { sourceCrc, crc: crc32(bytes), at, bytes: bytes.byteLength }
    parts.push(bytes)
    at += bytes.byteLength
  }
  const header = Buffer.from(JSON.stringify({ v8: process.versions.v8, files } satisfies Header))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(header.byteLength)
  const unfinished = join(directory, `.${basename(compiledPath)}.${process.pid}`)
  writeFileSync(unfinished, Buffer.concat([length, header, ...parts]))
  renameSync(unfinished, compiledPath)
}
