// The README says only what is true: its example runs as it stands, its commands exist, its links lead somewhere.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)
  expect(found, `the README has a ${language} block`).not.toBeNull()
  return found![1]!
}

test('the ten lines of the README run', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'readme-'))
  // Inside the package that users install, so that its name resolves as it does for them.
  const file = join(root, 'tools/dist', `readme-${process.pid}.mjs`)
  const code = block('js')
  expect(
    code
      .trim()
      .split('\n')
      .filter(line => line !== '').length,
  ).toBeLessThanOrEqual(12)
  writeFileSync(file, code)
  try {
    const { stdout } = await run(process.execPath, [file], { cwd: dir, timeout: 25_000 })
    expect(stdout).toContain("ada { item: 'spool', count: 2 } 0n")
    expect(existsSync(join(dir, 'data'))).toBe(true)
  } finally {
    rmSync(file)
    rmSync(dir, { recursive: true, force: true })
  }
})

test('the commands of the README are scripts that exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { [name: string]: string }
  }
  const commands = [...readme.matchAll(/npx -y pnpm@12 (?:-s )?([a-z:-]+)/g)].map(match => match[1]!)
  expect(commands).toEqual(expect.arrayContaining(['start', 'test', 'odradek']))
  for (const command of commands) expect(Object.keys(scripts)).toContain(command)
})

test('the links of the README lead to files that exist', () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(match => match[1]!).filter(link => !link.includes('://'))
  expect(links.length).toBeGreaterThan(0)
  for (const link of links) expect(existsSync(join(root, link)), link).toBe(true)
})
