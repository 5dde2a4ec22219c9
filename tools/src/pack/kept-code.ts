// How packed code is loaded where users run it: with what the build kept for this platform.
import { join } from 'node:path'
import { CodeCache, platformName } from './code-cache.ts'
import { keptChunks } from './kept-code.records.ts'

/** What the build keeps for this platform. */
export function keptFile(folder: string): string {
  return join(folder, `${platformName()}.kept`)
}

/** Runs the packed file `name`, and whatever of the pack it asks for. */
export function loadKept(folder: string, name: string): void {
  new CodeCache(folder, keptChunks(keptFile(folder))).load(name)
}
