// What the program runs first, packed as `program-start.cjs`: it loads its code through the code cache, if the pack has it and is fresh.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packedCommands } from '../cli/packed-commands.ts'
import { isPackFresh } from './freshness.ts'
import { loadKept } from './kept-code.ts'

/** Runs the program, if `command` is packed. False: nothing has happened yet, and the plain files must run. */
export function startPacked(command: string): boolean {
  if (!packedCommands.has(command) || !isPackFresh()) return false
  loadKept(dirname(fileURLToPath(import.meta.url)), 'packed-program.cjs')
  return true
}
