#!/usr/bin/env node
// `pnpm tidy`: reads every source file and prints which law of the house is broken where, with the mend. Exit code 1 when any is.
// `--only DIR` prints findings below DIR only; `--root DIR` checks another checkout.
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readCheckout } from './checkout.ts'
import { printFindings } from './finding.ts'
import { applyLaws } from './laws.ts'

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}

const root = resolve(argument('--root') ?? fileURLToPath(new URL('../../../', import.meta.url)))
const only = argument('--only')
const below = only ? relative(root, resolve(only)) : ''
const checkout = readCheckout(root)
const findings = applyLaws(checkout).filter(finding => finding.path.startsWith(below))
if (findings.length > 0) console.log(printFindings(findings))
console.log(`tidy: ${checkout.files.length} files, ${findings.length} findings`)
process.exitCode = findings.length > 0 ? 1 : 0
