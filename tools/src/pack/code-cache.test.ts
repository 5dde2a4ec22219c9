import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { EOL, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CodeCache } from './code-cache.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odradek-code-'))
  writeFileSync(
    join(folder, 'greeting.cjs'),
    `const name = require('./name.cjs')\nexports.greet = () => 'hello ' + name.of()\n`,
  )
  writeFileSync(join(folder, 'name.cjs'), `exports.of = () => require('node:path').basename(__filename, '.cjs')\n`)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function greeting(cache = new CodeCache(folder)): string {
  return (cache.load('greeting.cjs') as { greet(): string }).greet()
}

function codeFiles(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.code'))
}

test('files run the same without bytecode, and with it', () => {
  const first = new CodeCache(folder)
  expect(greeting(first)).toBe('hello name')
  first.keep()
  expect(codeFiles()).toHaveLength(2)
  expect(greeting()).toBe('hello name')
})

test('files import modules of others, with their bytecode too', async () => {
  writeFileSync(join(folder, 'host.cjs'), `exports.eol = async () => (await importModule('node:os')).EOL\n`)
  const eol = (cache: CodeCache) => (cache.load('host.cjs') as { eol(): Promise<string> }).eol()
  const first = new CodeCache(folder)
  expect(await eol(first)).toBe(EOL)
  first.keep()
  expect(await eol(new CodeCache(folder))).toBe(EOL)
})

test('bytecode that V8 refuses, or that is not there for one file, does no harm', () => {
  const first = new CodeCache(folder)
  greeting(first)
  first.keep()
  const [one, other] = codeFiles()
  writeFileSync(join(folder, one!), 'not bytecode')
  rmSync(join(folder, other!))
  expect(greeting()).toBe('hello name')
})

test('a file runs once, however many ask for it', () => {
  const cache = new CodeCache(folder)
  expect(cache.load('name.cjs')).toBe(cache.load('name.cjs'))
})

test('of several threads the one that compiled most of a file has its bytecode kept', () => {
  const cache = new CodeCache(folder)
  greeting(cache)
  cache.keep()
  const [one, other] = codeFiles()
  writeFileSync(join(folder, one!), Buffer.alloc(1))
  writeFileSync(join(folder, other!), Buffer.alloc(1_000_000))
  cache.keep()
  expect(statSync(join(folder, one!)).size).toBeGreaterThan(100)
  expect(statSync(join(folder, other!)).size).toBe(1_000_000)
})

test('an error says where it happened: lines are those of the file', () => {
  writeFileSync(join(folder, 'broken.cjs'), `\n\nthrow new Error('on the third line')\n`)
  let stack = ''
  try {
    new CodeCache(folder).load('broken.cjs')
  } catch (error) {
    stack = (error as Error).stack!
  }
  expect(stack).toContain('broken.cjs:3:7')
})
