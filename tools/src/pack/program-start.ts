// What the packed program runs first: it loads its code through the code cache. Packed as `program-start.cjs`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodeCache } from './code-cache.ts'

new CodeCache(dirname(fileURLToPath(import.meta.url))).load('packed-program.cjs')
