import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tools/src/**/*.test.ts'],
    benchmark: { include: ['packages/*/src/**/*.bench.ts', 'tools/src/**/*.bench.ts'] },
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
