// The pages say only what is true: examples run as they stand, commands and their flags exist, links lead somewhere.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { run as runCommand } from '../cli/run.ts'
import { capturedTerminal } from '../cli/terminal/captured-terminal.suite.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const packages = [
  'packages/broker',
  'packages/producer',
  'packages/consumer',
  'packages/coordinator',
  'packages/shared',
  'tools',
]
const pages = pagesIn(root)

/** Every page of the checkout. */
function pagesIn(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap(entry => {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return /^(\..*|node_modules|dist|data)$/.test(entry.name) ? [] : pagesIn(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(match => match[1]!)
}

/** Runs an example inside the package that users install, so that names resolve as they do for them; in a directory of its own. */
async function runExample(home: string, code: string): Promise<{ stdout: string; hasData: boolean }> {
  const dir = mkdtempSync(join(tmpdir(), 'readme-'))
  const file = join(root, home, 'dist', `readme-${process.pid}.mjs`)
  writeFileSync(file, code)
  try {
    const { stdout } = await run(process.execPath, [file], { cwd: dir, timeout: 100_000 })
    return { stdout, hasData: existsSync(join(dir, 'data')) }
  } finally {
    rmSync(file)
    rmSync(dir, { recursive: true, force: true })
  }
}

test('the ten lines of the README run', async () => {
  const [code, ...others] = blocks(readme, 'js')
  expect(others).toEqual([])
  const lines = code!.split('\n').filter(line => line !== '')
  expect(lines.length).toBeLessThanOrEqual(12)
  const { stdout, hasData } = await runExample('tools', code!)
  expect(stdout).toContain("ada { item: 'spool', count: 2 } 0n")
  expect(hasData).toBe(true)
})

// `using` is not in the JavaScript of every Node that we run on: what it stands for is written out.
const withoutUsing = (code: string) => `${code.replaceAll('await using ', 'const ')}\nprocess.exit()\n`

test('the examples of the packages run', async () => {
  const printed: { [home: string]: string } = {}
  for (const home of packages) {
    for (const code of blocks(readFileSync(join(root, home, 'README.md'), 'utf8'), 'js'))
      printed[home] = (await runExample(home, withoutUsing(code))).stdout
  }
  expect(printed['packages/broker']).toMatch(/^127\.0\.0\.1:\d+\n\[[\s\S]*'partition-leader Leading/)
  expect(printed.tools).toBe("[ 'words 2' ]\n2\n")
})

test('the map of the tools names every room, and no other', () => {
  const text = readFileSync(join(root, 'packages/broker/ARCHITECTURE.md'), 'utf8')
  const [, table] = /The rooms of `tools\/src`:\n\n([\s\S]*?)\n\n/.exec(text)!
  const named = table!
    .split('\n')
    .flatMap(row => [...row.split('|')[1]!.matchAll(/`([a-z0-9-]+)`/g)].map(([, room]) => room!))
  const rooms = readdirSync(join(root, 'tools/src'), { withFileTypes: true }).filter(entry => entry.isDirectory())
  expect(named.sort()).toEqual(rooms.map(({ name }) => name).sort())
})

test('the commands of the pages are scripts that exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { [name: string]: string }
  }
  const ofPnpm = ['install']
  const commands = pages.flatMap(page =>
    [...readFileSync(page, 'utf8').matchAll(/(?:^|`)(?:npx -y pnpm@12|pnpm) (?:-s )?([a-z][a-z:-]*)/gm)].map(
      match => match[1]!,
    ),
  )
  expect(commands).toEqual(expect.arrayContaining(['start', 'test', 'odradek', 'bench:txn', 'machine-docs']))
  expect(commands.filter(command => !(command in scripts) && !ofPnpm.includes(command))).toEqual([])
})

/** Command lines of `odradek` on a page: those of blocks, and those in the text; `topic list|describe` is two. */
function commandLines(text: string): string[] {
  const inText = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(match => match[1]!)
  const lines = [...blocks(text, 'sh').flatMap(block => block.split('\n')), ...inText]
  return lines.flatMap(line => {
    const [, said] = /^(?:npx -y pnpm@12 -s )?odradek ([^#]+)/.exec(line) ?? []
    if (said === undefined || /^(\.\.\.|help )/.test(said)) return []
    const [noun, verbs = '', ...rest] = said.trim().split(/\s+/)
    return verbs.split('|').map(verb => [noun, verb, ...rest].filter(word => word !== '').join(' '))
  })
}

test('what is said of `odradek` anywhere is a command of it, with flags that it takes', async () => {
  // Decisions tell how it was.
  const said = pages
    .filter(page => !page.includes('decisions'))
    .flatMap(page => commandLines(readFileSync(page, 'utf8')))
  expect(said).toContain('load e2e -b ADDR')
  expect(said).toContain('actor trace --dir DIR')
  expect(said).toContain('simulate --scenario transactions --seeds 1..20 --json')
  for (const line of said) {
    const words = line.split(' ')
    const path = words.slice(0, words.findIndex(word => word.startsWith('-')) >>> 0)
    const terminal = capturedTerminal()
    expect(await runCommand([...path.slice(0, 2), '--help'], terminal), line).toBe(0)
    for (const flag of words.filter(word => /^-./.test(word)))
      expect(terminal.out, `${line}: ${flag}`).toMatch(new RegExp(`(^|[ ,])${flag}[ ,]`, 'm'))
  }
})

test('the codes of errors that the pages name are those of the table', () => {
  const codes = (text: string) => new Set(text.match(/\bODK_[A-Z]+(?:_[A-Z]+)*\b(?!_)/g))
  const known = codes(readFileSync(join(root, 'packages/shared/ERRORS.md'), 'utf8'))
  expect(known.size).toBeGreaterThan(40)
  const named = pages.flatMap(page => [...codes(readFileSync(page, 'utf8'))].map(code => ({ page, code })))
  expect(named.filter(({ code }) => !known.has(code))).toEqual([])
})

test('the links of every page lead to files that exist', () => {
  let links = 0
  for (const page of pages) {
    const text = readFileSync(page, 'utf8')
    for (const [, link] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (link!.includes('://')) continue
      links++
      expect(existsSync(join(dirname(page), link!)), `${page}: ${link}`).toBe(true)
    }
  }
  expect(links).toBeGreaterThan(20)
})
