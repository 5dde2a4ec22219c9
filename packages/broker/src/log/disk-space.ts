// Room for commits, looked for before LMDB needs it. Where the file system refuses the first byte of a write, LMDB's fork in lmdb-js 3.5 prints what failed into 100 bytes
// that are too few for it, and what lies behind them ends the process soon after (decision 0046). So batches are refused while something is left.
import { statfsSync } from 'node:fs'

/** What stays free for commits without batches, and for what threads and other programs write at the same time. In bytes. */
const RESERVE_BYTES = 2 * 1024 * 1024
/** What a commit writes besides its batches: the pages of the trees. In bytes. */
const COMMIT_BYTES = 64 * 1024
/** A value that is a little larger than a page has two. */
const PAGES_PER_BYTES = 2
/** Of what is free, a thread takes this share at most before it looks again: others do the same. */
const SHARE = 1 / 16
const LOOK_EVERY_BYTES = 16 * 1024 * 1024

/** Says what free bytes there are; a system that does not know says nothing. */
export type FreeBytes = () => number | undefined

/** The disk under the logs of one thread. */
export class DiskSpace {
  readonly #freeBytes: FreeBytes
  /** Bytes that may be written before the next look. */
  #known = 0

  constructor(freeBytes: FreeBytes) {
    this.#freeBytes = freeBytes
  }

  /** Before `bytes` of batches are committed. Throws ENOSPC when the disk is full, or as good as. */
  claim(bytes: number): void {
    const needed = bytes * PAGES_PER_BYTES + COMMIT_BYTES
    if (needed > this.#known) this.#look(needed)
    this.#known -= needed
  }

  #look(needed: number): void {
    const free = this.#freeBytes() ?? Number.POSITIVE_INFINITY
    if (free < needed + RESERVE_BYTES) {
      this.#known = 0
      throw Object.assign(new Error(`no space left on device: ${free} bytes are free, ${RESERVE_BYTES} stay so`), {
        code: 'ENOSPC',
      })
    }
    this.#known = Math.max(needed, Math.min((free - RESERVE_BYTES) * SHARE, LOOK_EVERY_BYTES))
  }
}

/** Of the file system that holds `path`: what may be written without privileges. */
export function freeBytesAt(path: string): FreeBytes {
  return () => {
    try {
      const { bavail, bsize } = statfsSync(path)
      return bavail * bsize
    } catch {
      return undefined
    }
  }
}
