import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { EOL, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CodeCache, type KeptChunk } from './code-cache.ts'
import { keptChunks, writeKept } from './kept-code.records.ts'

let folder: string
let kept: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odradek-code-'))
  kept = join(folder, 'all.kept')
  writeFileSync(
    join(folder, 'greeting.cjs'),
    `const name = require('./name.cjs')\nexports.greet = () => 'hello ' + name.of()\n`,
  )
  writeFileSync(join(folder, 'name.cjs'), `exports.of = () => require('node:path').basename(__filename, '.cjs')\n`)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function greeting(cache = new CodeCache(folder, keptChunks(kept))): string {
  return (cache.load('greeting.cjs') as { greet(): string }).greet()
}

/** Runs once, and keeps what was compiled. */
function keep(changed: (name: string, chunk: KeptChunk) => KeptChunk | undefined = (_name, chunk) => chunk): void {
  const cache = new CodeCache(folder, () => undefined)
  greeting(cache)
  keepAll(cache, changed)
}

function keepAll(cache: CodeCache, changed: (name: string, chunk: KeptChunk) => KeptChunk | undefined): void {
  const chunks = new Map<string, KeptChunk>()
  for (const { name, code } of cache.code()) {
    const chunk = changed(name, { code, source: readFileSync(join(folder, name), 'latin1') })
    if (chunk) chunks.set(name, chunk)
  }
  writeKept(kept, chunks)
}

test('files run the same without bytecode, and with it', () => {
  expect(greeting()).toBe('hello name')
  keep()
  expect(greeting()).toBe('hello name')
})

test('files import modules of others, with their bytecode too', async () => {
  writeFileSync(join(folder, 'host.cjs'), `exports.eol = async () => (await importModule('node:os')).EOL\n`)
  const eol = (cache: CodeCache) => (cache.load('host.cjs') as { eol(): Promise<string> }).eol()
  const first = new CodeCache(folder, () => undefined)
  expect(await eol(first)).toBe(EOL)
  keepAll(first, (_name, chunk) => chunk)
  expect(keptChunks(kept)('host.cjs')).toBeDefined()
  expect(await eol(new CodeCache(folder, keptChunks(kept)))).toBe(EOL)
})

test('what was kept is what is read: source and bytecode of each file', () => {
  const seen = new Map<string, KeptChunk>()
  keep((name, chunk) => {
    seen.set(name, chunk)
    return chunk
  })
  const read = keptChunks(kept)
  expect([...seen.keys()]).toEqual(['greeting.cjs', 'name.cjs'])
  for (const [name, { code, source }] of seen) {
    expect(read(name)!.source).toBe(source)
    expect(Buffer.from(read(name)!.code).equals(code)).toBe(true)
  }
  expect(read('other.cjs')).toBeUndefined()
})

test('bytecode that V8 refuses, or that was not kept of one file, does no harm', () => {
  keep((name, chunk) => (name === 'name.cjs' ? undefined : { ...chunk, code: Buffer.from('not bytecode') }))
  expect(greeting()).toBe('hello name')
})

test.each([0, 0.01, 0.1, 0.9])('a file of kept code that was cut off at %s of its length does no harm', part => {
  keep()
  truncateSync(kept, Math.floor(statSync(kept).size * part))
  expect(greeting()).toBe('hello name')
})

test('a file runs once, however many ask for it', () => {
  const cache = new CodeCache(folder, () => undefined)
  expect(cache.load('name.cjs')).toBe(cache.load('name.cjs'))
})

test('an error says where it happened: lines are those of the file', () => {
  writeFileSync(join(folder, 'broken.cjs'), `\n\nthrow new Error('on the third line')\n`)
  let stack = ''
  try {
    new CodeCache(folder, () => undefined).load('broken.cjs')
  } catch (error) {
    stack = (error as Error).stack!
  }
  expect(stack).toContain('broken.cjs:3:7')
})

/** Installs a library by the name of one that is packed; it says its version, and so does what the pack holds of version 1. */
function installLmdb(version: string): void {
  const installed = join(folder, 'node_modules', 'lmdb')
  mkdirSync(join(installed, 'dist'), { recursive: true })
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'lmdb', version, main: 'dist/index.cjs' }))
  writeFileSync(join(installed, 'native.cjs'), `module.exports = 'native part'\n`)
  writeFileSync(join(installed, 'dist', 'index.cjs'), `exports.from = 'installed ${version}'\n`)
  writeFileSync(join(folder, 'lmdb-1.0.0.cjs'), `exports.from = 'packed, with its ' + require('../native.cjs')\n`)
  writeFileSync(join(folder, 'store.cjs'), `exports.from = () => require('lmdb').from\n`)
}

function storeOf(cache: CodeCache): string {
  return (cache.load('store.cjs') as { from(): string }).from()
}

test('a library is taken from the pack, its native parts from where it is installed; without bytecode, and with it', () => {
  installLmdb('1.0.0')
  const first = new CodeCache(folder, () => undefined)
  expect(storeOf(first)).toBe('packed, with its native part')
  expect(storeOf(first)).toBe('packed, with its native part')
  keepAll(first, (_name, chunk) => chunk)
  expect(keptChunks(kept)('lmdb-1.0.0.cjs')).toBeDefined()
  expect(storeOf(new CodeCache(folder, keptChunks(kept)))).toBe('packed, with its native part')
})

test('a library that was upgraded since it was packed is taken as it is installed', () => {
  installLmdb('1.0.1')
  expect(storeOf(new CodeCache(folder, () => undefined))).toBe('installed 1.0.1')
})
