// The page on delivery guarantees says only what is true: each example runs as it stands and prints what stands below it.
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const tools = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(tools, 'docs/delivery-guarantees.md'), 'utf8')
const examples = [...page.matchAll(/## ([^\n]+)\n[^#]*?```js\n(.*?)```\s*```text\n(.*?)```/gs)].map(
  ([, title, code, printed]) => ({ title: title!, code: code!, printed: printed! }),
)

test('the page shows all three', () => {
  expect(examples.map(({ title }) => title)).toEqual(['At most once', 'At least once', 'Exactly once'])
})

test.each(examples)('$title', async ({ title, code, printed }) => {
  // Inside the package that users install, so that its name resolves as it does for them.
  const file = join(tools, 'dist', `${title.replaceAll(' ', '-')}-${process.pid}.mjs`)
  writeFileSync(file, code)
  try {
    const { stdout } = await run(process.execPath, [file], { timeout: 100_000 })
    expect(stdout).toBe(printed)
  } finally {
    rmSync(file)
  }
})
