// The segments of one log as folders: made, found, put in place of one another, and removed so that a crash at any moment leaves either.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rewriteAfterFailedFlush } from './failed-flush.ts'
import { restoreFlushedRoot } from './flushed-root.ts'
import type { EnvironmentPool } from './lmdb-environment.ts'
import { LmdbSegment, type SegmentContext } from './lmdb-segment.ts'
import { LogIOError } from './log-errors.ts'
import { segmentFolder, segmentOfFolder } from './log-keys.records.ts'
import type { LogIdentity } from './partition-log.ts'
import type { Segment, SegmentCommit, SegmentName, SegmentStorage } from './segment.ts'
import { bySegmentName, segmentKey } from './segments.rules.ts'

const REPLACEMENT = '.replacement'
const DELETED = '.deleted'

/** The segments of one log: folders in the log's folder, created with the first one. */
export class LmdbSegmentStorage implements SegmentStorage {
  readonly keepsBytes = false
  readonly #dir: string
  readonly #context: SegmentContext

  constructor(dir: string, context: SegmentContext) {
    this.#dir = dir
    this.#context = context
    this.#settle()
  }

  list(): SegmentName[] {
    return segmentsIn(this.#dir)
  }

  open(name: SegmentName): Segment {
    return new LmdbSegment(join(this.#dir, segmentFolder(name)), name, this.#context)
  }

  create(name: SegmentName, first: SegmentCommit): Segment {
    return this.#createAs(segmentFolder(name), name, first)
  }

  replace(name: SegmentName, first: SegmentCommit): Segment {
    const folder = segmentFolder(name)
    this.#createAs(folder + REPLACEMENT, name, { ...first, durable: true }).release()
    this.remove(name)
    renameSync(join(this.#dir, folder + REPLACEMENT), join(this.#dir, folder))
    return this.open(name)
  }

  remove(name: SegmentName): void {
    const path = join(this.#dir, segmentFolder(name))
    this.#context.pool.release(path)
    renameSync(path, path + DELETED)
    rmSync(path + DELETED, { recursive: true, force: true })
  }

  #createAs(folder: string, name: SegmentName, first: SegmentCommit): Segment {
    const path = join(this.#dir, folder)
    const segment = new LmdbSegment(path, name, this.#context)
    try {
      rmSync(path, { recursive: true, force: true })
      mkdirSync(path, { recursive: true })
      segment.commit(first)
      return segment
    } catch (error) {
      this.#context.pool.release(path)
      rmSync(path, { recursive: true, force: true })
      throw error instanceof LogIOError ? error : new LogIOError('creating a segment', path, error)
    }
  }

  #restore(path: string): void {
    this.#rewrite(path)
    const restoration = restoreFlushedRoot(path)
    if (restoration === 'kept') return
    this.#context.notice?.('the system stopped before a flush: a segment is back at its last one', {
      path,
      restoration,
    })
  }

  #rewrite(path: string): void {
    // The environment must not be open while its file is written.
    this.#context.pool.release(path)
    try {
      if (rewriteAfterFailedFlush(path))
        this.#context.notice?.('a flush had failed: the segment was written anew', { path })
    } catch (error) {
      throw new LogIOError('writing anew after a failed flush', path, error)
    }
  }

  /** Finishes what a crash interrupted: a replacement takes its place once the old one is gone, deletions end. */
  #settle(): void {
    for (const name of readdirSync(this.#dir)) {
      const path = join(this.#dir, name)
      if (name.endsWith(DELETED)) rmSync(path, { recursive: true, force: true })
      if (segmentOfFolder(name) !== undefined) this.#restore(path)
      if (!name.endsWith(REPLACEMENT)) continue
      const place = path.slice(0, -REPLACEMENT.length)
      if (existsSync(place)) rmSync(path, { recursive: true, force: true })
      else renameSync(path, place)
    }
  }
}

/** By their folders, in the order of {@link bySegmentName}. */
export function segmentsIn(dir: string): SegmentName[] {
  return readdirSync(dir)
    .map(segmentOfFolder)
    .filter(name => name !== undefined)
    .sort(bySegmentName)
}

/**
 * Handles on the segments of a log's folder that change nothing: for tools, with a read-only pool. Folders that are not part of the log any more, or
 * not yet (a start would remove them), are left out when the active segment can say so.
 */
export function segmentsForReading(
  dir: string,
  context: { readonly pool: EnvironmentPool; readonly identity: LogIdentity },
): Segment[] {
  const segments = segmentsIn(dir).map(name => new LmdbSegment(join(dir, segmentFolder(name)), name, context))
  const active = segments.at(-1)
  const listed = active === undefined ? undefined : sealedOf(active)
  if (listed === undefined) return segments
  const known = new Set([...listed, active!].map(segmentKey))
  return segments.filter(segment => known.has(segmentKey(segment)))
}

function sealedOf(active: Segment): readonly SegmentName[] | undefined {
  try {
    return active.load()?.sealed
  } catch {
    // Whoever reads the segment next is told why it cannot be read.
    return undefined
  }
}
