import { rmSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { defineConfig } from 'rolldown'

/**
 * V8 keeps a source in two bytes a character where one character needs them: over a megabyte of the idle process.
 */
const inAscii = {
  name: 'in-ascii',
  generateBundle(_options, bundle) {
    const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk') chunk.code = chunk.code.replace(/[^\x00-\x7f]/g, escaped)
    }
  },
}

/**
 * Plugins of others are ES modules. A script that comes out of compiled.bin has no import() in Node.js 20 (“A dynamic
 * import callback was not specified”): it is given Node's by what loads it.
 */
const importModule = {
  name: 'import-module',
  transform(code, id) {
    return id.endsWith('/src/host/node-modules.ts')
      ? code.replaceAll('await import(', 'await importModule(')
      : undefined
  },
  generateBundle(_options, bundle) {
    for (const { fileName, code = '' } of Object.values(bundle)) {
      if (/(?<![\w.$])import\(/.test(code))
        this.error(`${fileName} has an import() that would fail`)
    }
  },
}

/** Chunks of an earlier build are no part of this one. */
const cleared = {
  name: 'cleared',
  buildStart() {
    rmSync('dist/chunks', { recursive: true, force: true })
    rmSync('dist/compiled.bin', { force: true })
  },
}

/** What `import 'sluice/plugin'` gives: the names of dist/plugin.js, from the one copy that the process has. */
const facade = {
  name: 'facade',
  generateBundle(_options, bundle) {
    const { exports } = bundle['plugin.js']
    const lines = [
      `import { createRequire } from 'node:module'`,
      `const { load } = createRequire(import.meta.url)('./load.js')`,
      `export const { ${exports.join(', ')} } = load('plugin.js')`,
    ]
    this.emitFile({ type: 'asset', fileName: 'plugin.mjs', source: `${lines.join('\n')}\n` })
    const kind = { type: 'commonjs' }
    this.emitFile({ type: 'asset', fileName: 'package.json', source: `${JSON.stringify(kind)}\n` })
  },
}

const output = {
  dir: 'dist',
  // V8 keeps what it compiled for scripts, and Node.js 20 not for ES modules (src/host/built-code.ts).
  format: 'cjs',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  comments: { legal: true, annotation: true, jsdoc: false },
}

/**
 * One file for each thing that is loaded at another time: start is mostly reading and compiling
 * (docs/decisions/0007-load-late.md). Packages that every start needs are taken in; those loaded late stay where npm put them.
 */
export default defineConfig([
  {
    input: { cli: 'src/cli.ts', load: 'src/host/built-code.ts' },
    platform: 'node',
    plugins: [inAscii],
    external: [/^node:/],
    output,
  },
  {
    input: { main: 'src/cli/main.ts', plugin: 'src/plugin.ts' },
    platform: 'node',
    plugins: [cleared, importModule, inAscii, facade],
    external: [
      ...builtinModules,
      /^node:/,
      'prom-client',
      'undici',
      'yaml',
      'yargs',
      'msgpack-lite',
    ],
    output: {
      ...output,
      // What every configuration needs is read in one piece; a plugin, with what only plugins use, in a few.
      codeSplitting: {
        groups: [
          {
            name: 'base',
            test: /\/src\/(app|buffer|config|core|forward|msgpack|routing)[./]/,
            minShareCount: 2,
          },
          { name: 'transport', test: /\/src\/transport\//, minShareCount: 2 },
          { name: 'parsers', test: /\/src\/parsers\//, minShareCount: 2 },
          { name: 'formatters', test: /\/src\/formatters\// },
        ],
      },
    },
  },
])
