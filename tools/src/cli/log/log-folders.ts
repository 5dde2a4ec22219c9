// Which partition logs a directory names, opened for reading only: a broker's data directory, or one partition's folder in it.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { lockHolder } from '@odradek/broker/log/directory-lock'
import { copyLive } from '@odradek/broker/log/live-copy'
import { EnvironmentPool } from '@odradek/broker/log/lmdb-environment'
import { listLogs, readMetadata } from '@odradek/broker/log/lmdb-log-store'
import { segmentsForReading } from '@odradek/broker/log/lmdb-segment-storage'
import { LogDirectoryError } from '@odradek/broker/log/log-errors'
import { type LogIdentity, openGate } from '@odradek/broker/log/partition-log'
import type { Segment } from '@odradek/broker/log/segment'
import { limits } from '@odradek/shared/base/limits'

const MAP_SIZE = 8 * 1024 ** 3
const OPEN_MAX = 8

/** A log for a tool: nothing is recovered, settled or written. */
export interface ReadableLog {
  readonly path: string
  readonly identity: LogIdentity
  /** Ascending; the last one is active. */
  readonly segments: readonly Segment[]
}

export interface FolderOptions {
  /** Read although a broker may hold the lock, from a copy of each active segment: it is seen as of its last commit, but segments may come and go meanwhile. */
  readonly live: boolean
}

/** All logs below `dir`, by topic and partition, each open until the next is asked for. Throws LogDirectoryError when there are none, or a broker is at work. */
export function* readableLogs(dir: string, { live }: FolderOptions): Generator<ReadableLog, void, void> {
  const root = resolve(dir)
  if (!existsSync(root) || !statSync(root).isDirectory())
    throw new LogDirectoryError('UNREADABLE', `${dir} is not a directory`)
  const holder = lockHolder(root) ?? lockHolder(dirname(root))
  if (holder !== undefined && !live) {
    throw new LogDirectoryError(
      'LOCKED',
      `${dir} is in use by process ${holder}; stop it, or add --live to read beside it`,
      holder,
    )
  }
  const single = existsSync(join(root, 'partition.metadata'))
  const found = single ? [{ path: root, identity: readMetadata(root) }] : listLogs(root)
  if (found.length === 0) throw new LogDirectoryError('UNREADABLE', `${dir} holds no partition logs`)
  const open = live ? openedLive : opened
  for (const log of found.sort((a, b) => byTopic(a.identity, b.identity))) yield* open(log)
}

function byTopic(a: LogIdentity, b: LogIdentity): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

type FoundLog = Pick<ReadableLog, 'path' | 'identity'>

function* opened({ path, identity }: FoundLog): Generator<ReadableLog, void, void> {
  const pool = new EnvironmentPool({
    gate: openGate,
    openMax: OPEN_MAX,
    mapSize: MAP_SIZE,
    mappedBytesMax: limits.mappedLogBytesMax,
    readOnly: true,
  })
  try {
    yield { path, identity, segments: segmentsForReading(path, { pool, identity }) }
  } finally {
    pool.releaseAll()
  }
}

/** From a copy, which takes room for its active segment meanwhile. */
function* openedLive({ path, identity }: FoundLog): Generator<ReadableLog, void, void> {
  const copy = mkdtempSync(join(tmpdir(), 'odradek-live-'))
  try {
    copyLive(path, copy)
    for (const log of opened({ path: copy, identity })) yield { ...log, path }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
