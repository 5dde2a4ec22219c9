import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import { referencePages } from './reference-pages.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test.each(referencePages().map(page => [page.path, page] as const))('%s is current', (path, { text }) => {
  expect(readFileSync(join(root, path), 'utf8'), 'run `pnpm reference`').toBe(text)
})

/** `ODK_...` literals in the sources; a literal that ends with `_` is a prefix that a Kafka error name or a reason follows. */
function codesInSources(): Set<string> {
  const codes = new Set<string>()
  for (const dir of ['packages', 'tools']) {
    for (const entry of readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })) {
      if (!/(^|\/)src\/.*\.ts$/.test(entry) || /\.(test|bench|suite)\./.test(entry) || entry.includes('node_modules'))
        continue
      for (const [code] of readFileSync(join(root, dir, entry), 'utf8').matchAll(/\bODK_[A-Z_]*[A-Z]\b/g))
        codes.add(code)
    }
  }
  return codes
}

test('every error code of the code stands in ERRORS.md, and the reverse', () => {
  const documented = new Set(
    [...readFileSync(join(root, 'packages/shared/ERRORS.md'), 'utf8').matchAll(/^\| `(ODK_[A-Z_]+)`/gm)].map(
      match => match[1]!,
    ),
  )
  const used = codesInSources()
  // Codes made of a Kafka error name are Kafka's, and documented as a whole.
  const own = [...used].filter(code => !(code.slice('ODK_'.length) in errors) || documented.has(code))
  expect([...documented].sort()).toEqual(own.sort())
})
