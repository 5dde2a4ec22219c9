// The last line of a test run: `N passed, N failed, N skipped`. Where `ODRADEK_RESULTS` names a file, the counts are left there too.
import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const results = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      // A module that could not be collected has no tests but is a failure all the same.
      if (module.errors().length > 0) results.failed += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state !== 'pending') results[state] += 1
      }
    }
    const file = process.env.ODRADEK_RESULTS
    if (file) writeFileSync(file, JSON.stringify(results))
    // After the default reporter's own summary.
    process.once('exit', () =>
      console.log(`${results.passed} passed, ${results.failed} failed, ${results.skipped} skipped`),
    )
  }
}
