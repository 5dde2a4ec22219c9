#!/usr/bin/env node
// `pnpm reference`: writes the reference pages that come from tables in the code (configs). `reference.test.ts` says when one is old.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { referencePages } from './reference-pages.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
for (const { path, text } of referencePages()) writeFileSync(join(root, path), text)
