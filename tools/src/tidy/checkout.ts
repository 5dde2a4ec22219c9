// Reads a checkout for tidy: every source file of packages/ and tools/, and the ratchet.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ratchet } from './shape.rules.ts'
import { readSourceFile, type SourceFile } from './source-file.ts'

const SKIPPED = new Set(['node_modules', 'dist', 'fixtures', '.git', 'coverage'])

export interface Checkout {
  readonly files: readonly SourceFile[]
  readonly ratchet: Ratchet
}

/** Parses all sources below `root`. */
export function readCheckout(root: string): Checkout {
  const paths = ['packages', 'tools']
    .filter(dir => existsSync(join(root, dir)))
    .flatMap(dir => [...sourcePaths(root, dir)])
  if (existsSync(join(root, 'vitest.config.ts'))) paths.push('vitest.config.ts')
  const ratchet = join(root, 'tools/src/tidy/ratchet.json')
  return {
    files: paths.map(path => readSourceFile(root, path)),
    ratchet: existsSync(ratchet) ? (JSON.parse(readFileSync(ratchet, 'utf8')) as Ratchet) : {},
  }
}

function* sourcePaths(root: string, dir: string): Generator<string> {
  for (const entry of readdirSync(join(root, dir), { withFileTypes: true })) {
    const path = `${dir}/${entry.name}`
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* sourcePaths(root, path)
    else if (entry.isFile() && /(?<!\.d)\.c?ts$/.test(entry.name)) yield path
  }
}
