// `program-start` for the build: when the program ends it keeps the bytecode of all that it ran. Packed as `program-recorder.cjs`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadRecorded } from './recorded-code.ts'

loadRecorded(dirname(fileURLToPath(import.meta.url)), 'packed-program.cjs')
