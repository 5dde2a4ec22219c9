// Each law is broken on purpose in a small checkout and must be named; a lawful one must pass.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCheckout } from './checkout.ts'
import { applyLaws } from './laws.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidy-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text.startsWith('//') || text.startsWith('{') ? text : `// Opening.\n${text}`)
}

/** `law path` of every finding. */
function broken(): string[] {
  return applyLaws(readCheckout(root)).map(finding => `${finding.law} ${finding.path}`)
}

const door = 'packages/shared/src/index.ts'

test('a lawful house has no findings', () => {
  write('packages/shared/src/base/a.ts', 'export const a = 1\n')
  write(door, "export { a } from './base/a.ts'\n")
  expect(broken()).toEqual([])
})

test('a package may not import upward', () => {
  write('packages/broker/src/index.ts', 'export const b = 1\n')
  write(door, "import { b } from '@odradek/broker'\nexport const c = b\n")
  expect(broken()).toEqual([`direction ${door}`])
})

test('a lower layer may not import a higher one', () => {
  write('packages/shared/src/client/c.ts', 'export const c = 1\n')
  write('packages/shared/src/base/a.ts', "import { c } from '../client/c.ts'\nexport const a = c\n")
  write(door, "export { a } from './base/a.ts'\n")
  expect(broken()).toEqual(['layer packages/shared/src/base/a.ts'])
})

test('a cycle of value imports is found, a cycle through types is not', () => {
  write('packages/shared/src/base/a.ts', "import { b } from './b.ts'\nexport const a = () => b\n")
  write('packages/shared/src/base/b.ts', "import { a } from './a.ts'\nexport const b = () => a\n")
  write(door, "export { a } from './base/a.ts'\n")
  expect(broken()).toEqual(['cycle packages/shared/src/base/b.ts'])
  write('packages/shared/src/base/b.ts', "import type { a } from './a.ts'\nexport const b = (x: typeof a) => x\n")
  expect(broken()).toEqual([])
})

test.each([
  ['x.machine.ts', "import { readFileSync } from 'node:fs'\n", 'machine-promise'],
  ['x.rules.ts', "import { readFileSync } from 'node:fs'\n", 'rules-promise'],
  ['x.contract.ts', "import { readFileSync } from './fs.ts'\n", 'contract-promise'],
  ['x.actor.ts', "import { readFileSync } from 'node:fs'\n", 'actor-promise'],
])('%s keeps its promise', (name, text, law) => {
  write('packages/shared/src/contracts/fs.ts', 'export const readFileSync = 1\n')
  write(`packages/shared/src/contracts/${name}`, `${text}export const x = readFileSync\n`)
  write(door, `export { x } from './contracts/${name}'\nexport { readFileSync } from './contracts/fs.ts'\n`)
  expect(broken()).toEqual([`${law} packages/shared/src/contracts/${name}`])
})

test('lmdb is for the log room only', () => {
  write(door, "import { open } from 'lmdb'\nexport const x = open\n")
  expect(broken()).toEqual([`library ${door}`])
})

test.each(['Date.now()', 'Math.random()', 'setTimeout(f, 1)', 'performance.now()', 'new Date()'])(
  '%s belongs to base and actor',
  call => {
    write(door, `declare const f: () => void\nexport const x = () => ${call}\n`)
    expect(broken()).toEqual([`platform-time ${door}`])
  },
)

test('import() goes through loading where a thread may run it', () => {
  write(door, "export const x = () => import('node:fs')\n")
  write('tools/src/main.ts', "await import('node:fs')\n")
  expect(broken()).toEqual([`loading ${door}`])
  write(
    door,
    "declare const loading: <T>(load: () => T) => T\nexport const x = () => loading(() => import('node:fs'))\n",
  )
  expect(broken()).toEqual([])
})

test('a long function and a long file are found, and the ratchet excuses only what it names', () => {
  const body = 'let n = 0\n'.repeat(1) + 'n++\n'.repeat(75)
  write(door, `export function long() {\n${body}return n\n}\n`)
  expect(broken()).toEqual([`size ${door}`])
  write('tools/src/tidy/ratchet.json', JSON.stringify({ [`${door}#long`]: 79 }))
  expect(broken()).toEqual([])
  write('tools/src/tidy/ratchet.json', JSON.stringify({ [`${door}#long`]: 120 }))
  expect(broken()).toEqual([`ratchet ${door}`])
  write(door, 'export const x = 1\n'.replace('x', 'long') + '// more\n'.repeat(600))
  expect(broken()).toContain(`size ${door}`)
})

test('dead files and dead exports are found', () => {
  write('packages/shared/src/base/a.ts', 'export const a = 1\nexport const unused = 2\n')
  write('packages/shared/src/base/lost.ts', 'const a = 1\nconsole.log(a)\n')
  write(door, "export { a } from './base/a.ts'\n")
  expect(broken()).toEqual(['dead-file packages/shared/src/base/lost.ts', 'dead-export packages/shared/src/base/a.ts'])
})

test('names that say nothing, unknown kinds, missing openings and unfinished marks are found', () => {
  write('packages/shared/src/base/utils.ts', 'export const a = 1\n')
  write('packages/shared/src/base/b.service.ts', `export const b = 1 // ${'TO'}${'DO'} later\n`)
  writeFileSync(join(root, 'packages/shared/src/base/c.ts'), 'export const c = 1\n')
  write(
    door,
    "export { a } from './base/utils.ts'\nexport { b } from './base/b.service.ts'\nexport { c } from './base/c.ts'\n",
  )
  expect(broken().sort()).toEqual([
    'name packages/shared/src/base/b.service.ts',
    'name packages/shared/src/base/utils.ts',
    'opening packages/shared/src/base/c.ts',
    'unfinished packages/shared/src/base/b.service.ts',
  ])
})
