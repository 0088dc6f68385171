import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build-kernel.ts'],
    setupFiles: ['test/properties.ts'],
    testTimeout: 20_000,
    pool: 'threads',
  },
})
