// What packed threads run first: it loads their code through the code cache. Packed as `thread-start.cjs`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadKept } from './kept-code.ts'

loadKept(dirname(fileURLToPath(import.meta.url)), 'packed-thread.cjs')
