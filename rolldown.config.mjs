import { builtinModules } from 'node:module'
import { defineConfig } from 'rolldown'

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
  },
})
