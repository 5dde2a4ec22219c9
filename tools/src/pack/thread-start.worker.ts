// What packed threads run first: it loads their code through the code cache. Packed as `thread-start.cjs`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodeCache } from './code-cache.ts'

new CodeCache(dirname(fileURLToPath(import.meta.url))).load('packed-thread.cjs')
