// Pages whose examples show what they print say only what is true: each example runs as it stands and prints what stands below it.
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const tools = fileURLToPath(new URL('../../', import.meta.url))

function examplesOf(page: string) {
  const text = readFileSync(join(tools, 'docs', `${page}.md`), 'utf8')
  return [...text.matchAll(/## ([^\n]+)\n[^#]*?```js\n(.*?)```\s*```text\n(.*?)```/gs)].map(
    ([, title, code, printed]) => ({ page, title: title!, code: code!, printed: printed! }),
  )
}

const guarantees = examplesOf('delivery-guarantees')
const fromKafkajs = examplesOf('from-kafkajs')

test('the pages show what they are about', () => {
  expect(guarantees.map(({ title }) => title)).toEqual(['At most once', 'At least once', 'Exactly once'])
  expect(fromKafkajs.map(({ title }) => title)).toEqual(['Keep kafkajs', 'The same with the clients of this package'])
})

test.each([...guarantees, ...fromKafkajs])('$page: $title', async ({ title, code, printed }) => {
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
