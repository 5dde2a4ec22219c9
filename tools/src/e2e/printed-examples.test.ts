// Pages of examples say only what is true: each example runs as it stands, and prints what stands below it, if anything does.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const tools = fileURLToPath(new URL('../../', import.meta.url))

function examplesOf(page: string) {
  const text = readFileSync(join(tools, 'docs', `${page}.md`), 'utf8')
  return [...text.matchAll(/## ([^\n]+)\n[^#]*?```js\n(.*?)```(?:\s*```text\n(.*?)```)?/gs)].map(
    ([, title, code, printed]) => ({ page, title: title!, code: code!, printed }),
  )
}

const pages = ['delivery-guarantees', 'from-kafkajs', 'recipes']
const examples = pages.flatMap(examplesOf)

test('the pages show what they are about', () => {
  expect(examples.map(({ title, printed }) => (printed === undefined ? `${title} (silent)` : title))).toEqual([
    'At most once',
    'At least once',
    'Exactly once',
    'Keep kafkajs',
    'The same with the clients of this package',
    'In a service',
    'In tests (silent)',
    'The last value of each key',
  ])
})

test.each(examples)('$page: $title', async ({ title, code, printed }) => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-example-'))
  // Inside the package that users install, so that its name resolves as it does for them.
  const file = join(tools, 'dist', `${title.replaceAll(' ', '-')}-${process.pid}.mjs`)
  writeFileSync(file, code)
  try {
    const { stdout } = await run(process.execPath, [file], { cwd: dir, timeout: 100_000 })
    expect(stdout).toBe(printed ?? stdout)
  } finally {
    rmSync(file)
    rmSync(dir, { recursive: true, force: true })
  }
})
