// `program-start` for the build: when the program ends it keeps the bytecode of all that it ran. Packed as `program-recorder.cjs`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodeCache } from './code-cache.ts'

const cache = new CodeCache(dirname(fileURLToPath(import.meta.url)))
process.on('exit', () => cache.keep())
cache.load('packed-program.cjs')
