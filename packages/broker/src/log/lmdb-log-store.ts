// The partition logs of a directory, as one thread sees them. Folder names are built from validated parts only; the truth about whose log a
// folder holds is its `partition.metadata` (Kafka's file name). Whoever starts the broker holds the directory's lock (directory-lock.ts).
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@odradek/shared/base/limits'
import { DiskSpace, freeBytesAt } from './disk-space.ts'
import { EnvironmentPool } from './lmdb-environment.ts'
import { LmdbSegmentStorage } from './lmdb-segment-storage.ts'
import { LogDirectoryError, LogIdentityError } from './log-errors.ts'
import type { LogGate, LogIdentity, LogNotice, LogStore } from './partition-log.ts'
import { openSegmentedLog } from './segmented-log.ts'

export interface LmdbLogStoreOptions {
  readonly gate: LogGate
  /** Environments open at once in this thread, 3 or 4 file descriptors and up to 0.2 MB each. Default 1024; fewer when descriptors run out. */
  readonly openMax?: number
  /** Bytes of files that may stay mapped in this thread. Default `limits.mappedLogBytesMax`. */
  readonly mappedBytesMax?: number
  /** Address space per environment; must exceed the largest segment with its overhead. Default 8 GiB (the system gives 128 TiB). */
  readonly mapSize?: number
  readonly notice?: LogNotice
}

const GIB = 1024 ** 3
const METADATA_FILE = 'partition.metadata'
const DELETED = '.deleted'
/** File names have 255 bytes at most; id, partition and suffixes need up to 45. */
const TOPIC_SHOWN_MAX = 200

const LEGAL_TOPIC = /^[A-Za-z0-9._-]{1,249}$/
const LEGAL_TOPIC_ID = /^[A-Za-z0-9_-]{22}$/

/** Opens the logs in `dir` (created if missing). Does not lock it. */
export function lmdbLogStore(dir: string, options: LmdbLogStoreOptions): LogStore {
  const {
    gate,
    openMax = 1024,
    mapSize = 8 * GIB,
    mappedBytesMax = limits.mappedLogBytesMax,
    notice = () => {},
  } = options
  mkdirSync(dir, { recursive: true })
  const pool = new EnvironmentPool({ gate, openMax, mapSize, mappedBytesMax, disk: new DiskSpace(freeBytesAt(dir)) })
  return {
    open(identity) {
      const path = join(dir, folderOf(identity))
      const log: LogNotice = (message, fields) =>
        notice(message, { ...fields, topic: identity.topic, partition: identity.partition })
      claimFolder(path, identity)
      return openSegmentedLog(identity, new LmdbSegmentStorage(path, { pool, identity, notice: log }), log)
    },
    list: () => listLogs(dir).map(({ identity }) => identity),
    has: identity => existsSync(join(dir, folderOf(identity), METADATA_FILE)),
    delete(identity) {
      const path = join(dir, folderOf(identity))
      if (!existsSync(path)) return
      for (const segment of readdirSync(path)) pool.release(join(path, segment))
      renameSync(path, path + DELETED)
      rmSync(path + DELETED, { recursive: true, force: true })
    },
    removeStray() {
      const stray = readdirSync(dir).filter(name => name.endsWith(DELETED))
      for (const name of stray) rmSync(join(dir, name), { recursive: true, force: true })
      return stray.length
    },
    close: () => pool.releaseAll(),
  }
}

/** `<topic>-<partition>.<topicId>`. Throws RangeError for parts that must not become a path. */
function folderOf({ topic, topicId, partition }: LogIdentity): string {
  if (!LEGAL_TOPIC.test(topic) || topic === '.' || topic === '..')
    throw new RangeError(`not a legal topic name: ${JSON.stringify(topic)}`)
  if (!LEGAL_TOPIC_ID.test(topicId)) throw new RangeError(`not a topic id: ${JSON.stringify(topicId)}`)
  if (!Number.isInteger(partition) || partition < 0 || partition > 2 ** 31 - 1)
    throw new RangeError(`not a partition: ${partition}`)
  return `${topic.slice(0, TOPIC_SHOWN_MAX)}-${partition}.${topicId}`
}

/** The folders of logs in a broker's directory and whose they are. */
export function listLogs(dir: string): { readonly path: string; readonly identity: LogIdentity }[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.endsWith(DELETED))
    .map(entry => join(dir, entry.name))
    .filter(path => existsSync(join(path, METADATA_FILE)))
    .map(path => ({ path, identity: readMetadata(path) }))
}

function claimFolder(path: string, identity: LogIdentity): void {
  mkdirSync(path, { recursive: true })
  const file = join(path, METADATA_FILE)
  if (existsSync(file)) {
    const stored = readMetadata(path)
    if (stored.topicId === identity.topicId && stored.partition === identity.partition) return
    throw new LogIdentityError(`${path} holds partition ${stored.partition} of ${stored.topicId}`)
  }
  const { topic, topicId, partition } = identity
  const lines = ['version: 0', `topic_id: ${topicId}`, `topic: ${topic}`, `partition: ${partition}`, '']
  writeFileSync(`${file}.tmp`, lines.join('\n'))
  renameSync(`${file}.tmp`, file)
}

/** Whose log the folder holds. Throws LogDirectoryError. */
export function readMetadata(path: string): LogIdentity {
  const file = join(path, METADATA_FILE)
  const entries = new Map(
    readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .filter(line => line.includes(': '))
      .map(line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  )
  const identity = {
    topic: entries.get('topic') ?? '',
    topicId: entries.get('topic_id') ?? '',
    partition: Number(entries.get('partition') ?? Number.NaN),
  }
  try {
    folderOf(identity)
    return identity
  } catch (error) {
    const why = `${file} does not say whose log it is: ${(error as Error).message}`
    throw new LogDirectoryError('UNREADABLE', `${why}; move the folder away, or give the broker a directory of its own`)
  }
}
