// One broker per directory: a lock file that names its holder, and a meta.properties that says whose logs these are (Kafka's file and keys).
// Taken once per broker, by the thread that starts it; leaders' threads open their stores under it.
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { bootId } from './boot-id.ts'
import { LogDirectoryError } from './log-errors.ts'

const LOCK_FILE = '.lock'
const META_FILE = 'meta.properties'
const META_VERSION = '1'
/** Written by Apache Kafka (KIP-858) and not by us. */
const KAFKAS_OWN = 'directory.id'
/** Lock files of holders that are gone are replaced; more rivals than this are not expected at one start. */
const TRIES_MAX = 5

export interface DirectoryIdentity {
  readonly clusterId: string
  readonly nodeId: number
}

export interface DirectoryLock {
  /** Lets the next one in. Idempotent. */
  release(): void
}

/** Who holds a lock. A process id alone is not enough: containers give every broker the same one. */
interface Holder {
  readonly pid: number
  /** Start of the process in clock ticks since the start of the system; '' where the platform does not say. */
  readonly started: string
  readonly bootId: string
}

/** Takes the directory (created if missing) for this process. Throws LogDirectoryError LOCKED with the holder's pid. */
export function lockDirectory(dir: string): DirectoryLock {
  makeDirectory(resolve(dir))
  const path = join(dir, LOCK_FILE)
  const me: Holder = { pid: process.pid, started: startOf(process.pid), bootId: bootId() }
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(me))
  try {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (linked(draft, path)) return { release: () => releaseLock(path, me) }
      const holder = readHolder(path)
      if (holder !== undefined && isAlive(holder)) throw lockedBy(dir, holder.pid)
      rmSync(path, { force: true })
    }
    throw new LogDirectoryError('LOCKED', `${dir} is being locked by others over and over`)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The pid of the live process that holds the directory, for tools that only read. */
export function lockHolder(dir: string): number | undefined {
  const holder = readHolder(join(dir, LOCK_FILE))
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined
}

/** With its parents, one by one: Node 20's own way never ends where a parent takes no children, as in /proc. */
function makeDirectory(dir: string): void {
  if (isDirectory(dir)) return
  if (!existsSync(dirname(dir))) makeDirectory(dirname(dir))
  try {
    mkdirSync(dir)
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isDirectory(dir)) throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function lockedBy(dir: string, pid: number): LogDirectoryError {
  const who = pid === process.pid ? 'another broker in this process' : `process ${pid}`
  return new LogDirectoryError('LOCKED', `${dir} is in use by ${who}; give each broker a directory of its own`, pid)
}

/** A link appears whole or not at all, unlike a file that is written after it was created. */
function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new LogDirectoryError('UNREADABLE', `cannot lock ${path}: ${(error as Error).message}`)
  }
}

function releaseLock(path: string, me: Holder): void {
  const holder = readHolder(path)
  if (holder?.pid === me.pid && holder.started === me.started) rmSync(path, { force: true })
}

function readHolder(path: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8'))
    return Number.isInteger(holder.pid) ? holder : undefined
  } catch {
    return undefined
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.bootId !== bootId()) return false
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return startOf(holder.pid) === holder.started
}

/** Field 22 of /proc/PID/stat; the name before it may hold spaces and parentheses. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/**
 * Reads whose directory this is, or writes `identity` into a new one. Returns what is stored: a broker keeps the cluster id of its data.
 * Throws LogDirectoryError FOREIGN for another node id, UNSUPPORTED_FORMAT for another version.
 */
export function claimDirectory(dir: string, identity: DirectoryIdentity): DirectoryIdentity {
  const stored = readMetaProperties(dir)
  if (stored === undefined) {
    const lines = [`version=${META_VERSION}`, `cluster.id=${identity.clusterId}`, `node.id=${identity.nodeId}`, '']
    const path = join(dir, META_FILE)
    writeFileSync(`${path}.tmp`, lines.join('\n'))
    renameSync(`${path}.tmp`, path)
    return identity
  }
  if (stored.nodeId !== identity.nodeId) {
    throw new LogDirectoryError('FOREIGN', `${dir} belongs to node ${stored.nodeId}, not to node ${identity.nodeId}`)
  }
  return stored
}

/** Undefined when the directory was never claimed. */
export function readMetaProperties(dir: string): DirectoryIdentity | undefined {
  const path = join(dir, META_FILE)
  if (!existsSync(path)) return undefined
  const lines = readFileSync(path, 'utf8').split(/\r?\n/)
  const entries = new Map(
    lines
      .filter(line => line.includes('=') && !line.startsWith('#'))
      .map(line => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]),
  )
  if (entries.get('version') !== META_VERSION) {
    const found = entries.get('version') ?? 'none'
    throw new LogDirectoryError(
      'UNSUPPORTED_FORMAT',
      `${path} has version ${found}, version ${META_VERSION} is understood`,
    )
  }
  if (entries.has(KAFKAS_OWN)) {
    const why = `${path} has a ${KAFKAS_OWN}: this is a log directory of Apache Kafka, whose logs are of another form`
    throw new LogDirectoryError('FOREIGN', `${why}; give the broker a directory of its own`)
  }
  const clusterId = entries.get('cluster.id') ?? ''
  const nodeId = Number(entries.get('node.id'))
  if (clusterId === '' || !Number.isInteger(nodeId)) {
    throw new LogDirectoryError('UNREADABLE', `${path} has no valid cluster.id or node.id`)
  }
  return { clusterId, nodeId }
}
