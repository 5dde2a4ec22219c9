// What the packed program runs first: it loads its code through the code cache. Packed as `program-start.cjs`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadKept } from './kept-code.ts'

loadKept(dirname(fileURLToPath(import.meta.url)), 'packed-program.cjs')
