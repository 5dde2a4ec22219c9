// Adds up the results that the test runs left (`ODRADEK_RESULTS`), prints them as one closing line, and fails if any test failed or was skipped.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const dir = process.argv[2]
const total = { passed: 0, failed: 0, skipped: 0 }
for (const name of readdirSync(dir).sort()) {
  const result = JSON.parse(readFileSync(join(dir, name), 'utf8'))
  console.log(
    `${name.replace('.json', '')}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`,
  )
  for (const key of Object.keys(total)) total[key] += result[key]
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 || total.skipped > 0 || total.passed === 0 ? 1 : 0
