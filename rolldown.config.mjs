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
 * One file for each thing that is loaded at another time: start is mostly reading and compiling modules
 * (docs/decisions/0007-load-late.md). Packages that every start needs are taken in; those loaded late stay where npm put them.
 */
export default defineConfig({
  input: {
    cli: 'src/cli.ts',
    plugins: 'src/plugins.ts',
    config: 'src/config/index.ts',
    plugin: 'src/plugin.ts',
  },
  platform: 'node',
  plugins: [inAscii],
  external: [
    ...builtinModules,
    /^node:/,
    'prom-client',
    'undici',
    'yaml',
    'yargs',
    'fzstd',
    'msgpack-lite',
  ],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    comments: { legal: true, annotation: true, jsdoc: false },
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
})
