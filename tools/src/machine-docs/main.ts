#!/usr/bin/env node
// `pnpm machine-docs`: writes the state tables and diagrams of every machine into the README of its package. `--check` only says which are old.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { documentedReadmes } from './documented-machines.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const old = (await documentedReadmes(root)).filter(({ text, current }) => text !== current)
const isCheck = process.argv.includes('--check')
for (const { path, current } of old) {
  if (!isCheck) writeFileSync(path, current)
  console.log(`${isCheck ? 'old' : 'written'}: ${relative(root, path)}`)
}
if (isCheck && old.length > 0) process.exitCode = 1
