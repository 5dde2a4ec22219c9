// LMDB environments of one thread: the only file that calls lmdb. Every call runs inside the gate, synchronously; environments open at first use
// and close when too many are open (the longest unused ones), or too much of them is mapped. What is safe with lmdb-js and what is not is written
// in decision records.
import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import type { Database, RootDatabase, TransactionFlags } from 'lmdb'
import type { DiskSpace } from './disk-space.ts'
import { hasBeenCommitted } from './flushed-root.ts'
import { LARGE_BYTES_MIN, LargeValues, type ValueReader } from './large-values.ts'
import { loadLmdb } from './lmdb-library.ts'
import { checkFile, dataFile } from './lmdb-pages.ts'
import { isShortOfDescriptors, LogIOError } from './log-errors.ts'
import { MappedBytes, type MappedShare, mappedByReading } from './mapped-bytes.ts'
import type { LogGate } from './partition-log.ts'
import { PAGE_BYTES } from './tree-page.ts'

/** transactionSync flags: synchronous commit, with and without fsync (lmdb-js types only know the combinations it names). */
const COMMIT_DURABLE = 2 as TransactionFlags
const COMMIT_UNFLUSHED = 0x10002 as TransactionFlags

export type Key = number | readonly (string | number)[]

interface EnvironmentOptions {
  readonly mapSize: number
  readonly readOnly: boolean
  readonly mapped: MappedShare
}

/** One open environment. Valid within the `use` call that handed it out. */
export class Environment {
  readonly #root: RootDatabase<Buffer, never>
  readonly #batches: Database<Buffer, any>
  readonly #meta: Database<Buffer, any>
  readonly #large: LargeValues | undefined
  /** Of the value that was read last. */
  #lastBytes = 0
  readonly mapped: MappedShare
  /** The pool's count of uses at the last one. */
  usedAt = 0

  constructor(path: string, options: EnvironmentOptions) {
    this.mapped = options.mapped
    const { open, bufferToKeyValue } = loadLmdb()
    this.#root = open<Buffer, never>({
      path,
      mapSize: options.mapSize,
      readOnly: options.readOnly,
      encoding: 'binary',
      noSubdir: false,
      overlappingSync: false,
      pageSize: PAGE_BYTES,
      maxDbs: 2,
      maxReaders: 16,
    })
    // Within a transaction, so that creating the two databases costs no fsync each.
    const openDatabases = () => [
      this.#root.openDB({ name: 'batches', encoding: 'binary' }),
      this.#root.openDB({ name: 'meta', encoding: 'binary' }),
    ]
    const databases = options.readOnly ? openDatabases() : this.#root.transactionSync(openDatabases, COMMIT_UNFLUSHED)
    this.#batches = databases[0]!
    this.#meta = databases[1]!
    // What another process writes may move under our hands.
    if (!options.readOnly) this.#large = new LargeValues(path, key => bufferToKeyValue(key) as number)
  }

  /** All or nothing. */
  commit(write: (batches: Database<Buffer, any>, meta: Database<Buffer, any>) => void, durable: boolean): void {
    this.#root.transactionSync(() => write(this.#batches, this.#meta), durable ? COMMIT_DURABLE : COMMIT_UNFLUSHED)
  }

  /** So many bytes of batches are committed, behind all others. */
  appended(bytes: number): void {
    this.#large?.wrote(bytes)
  }

  /** Batches are about to be removed or shortened. */
  cut(): void {
    this.#large?.forget()
  }

  /** The stored value: borrowed, overwritten by the next call, unless it stands where the reader wanted it. Null: the reader does not want it. Throws LogIOError. */
  batchesAt(key: number): Uint8Array | undefined
  batchesAt(key: number, reader: ValueReader | undefined): Uint8Array | null | undefined
  batchesAt(key: number, reader?: ValueReader): Uint8Array | null | undefined {
    // A large value follows large ones as a rule; what stands behind it in the file comes with it, whatever its size.
    const large = this.#lastBytes >= LARGE_BYTES_MIN ? this.#large?.at(key, reader) : undefined
    const value = large === undefined ? this.#mappedAt(key) : large
    if (value) this.#lastBytes = value.length
    return value
  }

  #mappedAt(key: number): Uint8Array | undefined {
    const value = this.#batches.getBinaryFast(key)
    if (value === undefined) return undefined
    this.mapped.add(mappedByReading(value.length))
    // lmdb-js hands out its one large buffer with an overridden length; a real view is what the rest of the world understands.
    return value.subarray(0, value.length)
  }

  /** Greatest key at or below `offset`. */
  floorKey(offset: number): number | undefined {
    for (const key of this.#batches.getKeys({ start: offset + 0.5, reverse: true, limit: 1 })) return key
    return undefined
  }

  /** Smallest key at or above `offset`. */
  ceilingKey(offset: number): number | undefined {
    for (const key of this.#batches.getKeys({ start: offset, limit: 1 })) return key
    return undefined
  }

  /** Keys from the last one down to `from`. */
  *keysDownTo(from: number): Generator<number, void, void> {
    yield* this.#batches.getKeys({ start: Number.MAX_SAFE_INTEGER, end: from - 0.5, reverse: true })
  }

  /** An own copy. */
  meta(key: Key): Buffer | undefined {
    return this.#meta.getBinary(key)
  }

  /** All [number, own value] of the meta keys [name, n >= from], ascending. */
  *metaFrom(name: string, from: number): Generator<readonly [number, Buffer], void, void> {
    for (const { key, value } of this.#meta.getRange({ start: [name, from], end: [name, Number.MAX_VALUE] })) {
      yield [key[1] as number, value]
    }
  }

  /** Forgets the read snapshot: the next read sees what other processes committed meanwhile, and old pages may be reused. */
  refresh(): void {
    this.#root.resetReadTxn()
  }

  close(): void {
    // Synchronous in effect: nothing asynchronous is ever pending here.
    void this.#root.close()
    this.#large?.close()
  }
}

export interface EnvironmentPoolOptions {
  readonly gate: LogGate
  /** Under all of them; of no use where nothing is written. */
  readonly disk?: DiskSpace
  /**
   * Environments open at once in this thread: 3 file descriptors (4 when large values are read) and up to 0.2 MB each. Closing is a last resort: allocators keep the 2 MB that an
   * environment reserved and never touched, and the next one that gets them has them cleared, so each of many reopened ones costs 2 MB.
   */
  readonly openMax: number
  /** Bytes that may stay mapped, over all of them: about, and but for what is not worth closing. */
  readonly mappedBytesMax: number
  /** Address space per environment in bytes; costs nothing on disk, must exceed any segment. */
  readonly mapSize: number
  readonly readOnly?: boolean
}

/** The open environments of a thread. */
export class EnvironmentPool {
  readonly #options: EnvironmentPoolOptions
  readonly #open = new Map<string, Environment>()
  #uses = 0
  readonly #mapped: MappedBytes
  /** Uses within one another. */
  #depth = 0

  constructor(options: EnvironmentPoolOptions) {
    this.#options = options
    this.#mapped = new MappedBytes(options.mappedBytesMax)
  }

  /** Runs `fn` inside the gate with the environment at `path`, which must exist unless `create`. Errors of LMDB become LogIOError. */
  use<T>(path: string, operation: string, fn: (environment: Environment) => T): T {
    return this.#options.gate.run(() => {
      const environment = this.#open.get(path) ?? this.#opening(path, operation)
      environment.usedAt = ++this.#uses
      this.#depth++
      try {
        return fn(environment)
      } finally {
        this.#depth--
        if (this.#depth === 0 && this.#mapped.isDue) this.#unmap()
      }
    })
  }

  get gate(): LogGate {
    return this.#options.gate
  }

  /** Before `bytes` of batches are committed in one of them. Throws ENOSPC when there is no room for them. */
  claimSpace(bytes: number): void {
    this.#options.disk?.claim(bytes)
  }

  isOpen(path: string): boolean {
    return this.#open.has(path)
  }

  /** Closes it, if it is open. */
  release(path: string): void {
    const environment = this.#open.get(path)
    if (environment !== undefined) this.#options.gate.run(() => this.#close(path, environment))
  }

  /** From now on it is not closed to unmap it, while it is open. */
  keep(path: string): void {
    const environment = this.#open.get(path)
    if (environment !== undefined) environment.mapped.isKept = true
  }

  releaseAll(): void {
    for (const path of [...this.#open.keys()]) this.release(path)
  }

  #opening(path: string, operation: string): Environment {
    if (this.#open.size >= this.#options.openMax) this.#closeOldest(1)
    try {
      if (!hasDescriptors(path)) this.#closeOldest(Math.ceil(this.#open.size / 4))
      claimDescriptors(path)
      this.#check(path)
      return this.#opened(path)
    } catch (error) {
      throw new LogIOError(`opening for ${operation}`, path, error)
    }
  }

  /** A file without a byte is one that LMDB was about to make, unless something was committed there before. */
  #check(path: string): void {
    const file = dataFile(path)
    const size = statSync(file, { throwIfNoEntry: false })?.size
    if (size) checkFile(file, this.#options.readOnly ?? false)
    else if (hasBeenCommitted(path))
      throw new RangeError(`${file} is ${size === 0 ? 'empty' : 'missing'}, and records were in it`)
  }

  #opened(path: string): Environment {
    const { mapSize, readOnly = false } = this.#options
    const environment = new Environment(path, { mapSize, readOnly, mapped: this.#mapped.opened() })
    this.#open.set(path, environment)
    return environment
  }

  /** Those that were not used for longest. */
  #closeOldest(count: number): void {
    for (let closed = 0; closed < count; closed++) {
      let oldest: [string, Environment] | undefined
      for (const entry of this.#open) if (oldest === undefined || entry[1].usedAt < oldest[1].usedAt) oldest = entry
      if (oldest !== undefined) this.#close(...oldest)
    }
  }

  /** Those of which most is mapped go first. */
  #unmap(): void {
    for (const [path, environment] of [...this.#open].sort((a, b) => b[1].mapped.bytes - a[1].mapped.bytes)) {
      if (!this.#mapped.isTooMuch) break
      environment.mapped.atMost(environmentBytes(path))
      if (this.#mapped.isTooMuch && this.#mapped.isWorthClosing(environment.mapped)) this.#close(path, environment)
    }
    this.#mapped.settled()
  }

  #close(path: string, environment: Environment): void {
    this.#open.delete(path)
    this.#mapped.closed(environment.mapped)
    environment.close()
  }
}

/** Opening an environment takes three descriptors; one more for whoever comes meanwhile. */
const DESCRIPTORS_NEEDED = 4

/** Throws EMFILE or ENFILE when an environment could not be opened: lmdb-js 3.5 crashes the process then, instead of saying so. */
function claimDescriptors(path: string): void {
  if (process.platform === 'win32') return
  const claimed: number[] = []
  try {
    for (let n = 0; n < DESCRIPTORS_NEEDED; n++) claimed.push(openSync(path, 'r'))
  } finally {
    for (const descriptor of claimed) closeSync(descriptor)
  }
}

function hasDescriptors(path: string): boolean {
  try {
    claimDescriptors(path)
    return true
  } catch (error) {
    if (!isShortOfDescriptors(error)) throw error
    return false
  }
}

/** Bytes of the environment's file; 0 when it does not exist. */
export function environmentBytes(path: string): number {
  const file = dataFile(path)
  return existsSync(file) ? statSync(file).size : 0
}
