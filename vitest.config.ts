// How tests are found and run; the results line at the end is read by the CI script.
import { defineConfig } from 'vitest/config'
import { ResultsReporter } from './tools/src/tidy/results-reporter.ts'

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tools/src/**/*.test.ts'],
    benchmark: { include: ['packages/*/src/**/*.bench.ts', 'tools/src/**/*.bench.ts'] },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', new ResultsReporter()],
  },
})
