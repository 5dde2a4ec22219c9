// A segment whose fsync failed. The system may have marked pages as written that never reached the disk: the next fsync succeeds and proves
// nothing. What the process reads is still whole, so whoever opens the segment next writes every byte of it once more and flushes that, before
// anything is promised. The note needs no flush of its own: it matters only while the system runs; after that flushed-root brings the segment back.
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { dataFile } from './lmdb-pages.ts'

const NOTE = 'flush-failed'
const CHUNK_BYTES = 1024 * 1024

/** `dir`: the segment's folder. Never throws: a disk that takes nothing may not even take this. */
export function noteFailedFlush(dir: string): void {
  try {
    writeFileSync(join(dir, NOTE), '')
  } catch {
    // This process knows; after its death the tail check is all there is.
  }
}

/** Must be called before the environment in `dir` is opened. True: it was rewritten. Throws what the file system throws: not yet. */
export function rewriteAfterFailedFlush(dir: string): boolean {
  const note = join(dir, NOTE)
  if (!existsSync(note)) return false
  const file = dataFile(dir)
  if (existsSync(file)) rewrite(file)
  rmSync(note)
  return true
}

function rewrite(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const { size } = statSync(file)
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      const length = readSync(descriptor, chunk, 0, Math.min(CHUNK_BYTES, size - at), at)
      writeSync(descriptor, chunk, 0, length, at)
    }
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
