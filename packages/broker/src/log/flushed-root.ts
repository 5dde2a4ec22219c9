// Brings a segment back to its last flush after power loss. LMDB commits without fsync may reach the disk in any order and in parts; what is
// left is then not a tree any more (measured: of 30 torn files 22 lost flushed data, would not open, or crashed the process). So before the
// first unflushed commit after a flush, the pages of the flushed root that may be written over are saved beside the environment, durably;
// the next flush voids them. When a start finds a save that is not void and the system has been restarted since, it is put back.
//
//   flushed-root           | 'ODKROOT1' | state u32: 0 void, 1 pages | page bytes u32 | pages u32 | CRC-32C u32 | boot id 16 | meta page |
//                          | page number f64 | page | ...                numbers big-endian; the CRC covers everything behind it
//   never-flushed.BOOTID   made before a new environment: there is nothing to come back to. After a power loss only its name counts, and
//                          names reach the disk in order, so a new segment costs no fsync. A flushed-root beside it outranks it.
//                          It gets content with the first commit: empty, it belongs to a segment that was only being made.
//
// A save stays good whatever is appended after it, because the pages it does not hold never change. So a checkpoint can bring it forward in
// the background: note the root, have the system write out the data, then put a new save in the old one's place.
//
// A torn save has no valid CRC: then no unflushed commit followed it, and the environment is whole. The state word alone is written
// when a save is voided.
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32c } from '@odradek/shared/records/crc32c'
import { bootId } from './boot-id.ts'
import { noteFailedFlush } from './failed-flush.ts'
import { dataFile, metaImages, type RootPages, readRootPages } from './lmdb-pages.ts'

const FILE = 'flushed-root'
/** A checkpoint's save on its way; meaningless until renamed. */
const NEXT_FILE = 'flushed-root.next'
const NEVER_FLUSHED = 'never-flushed.'
const MAGIC = Buffer.from('ODKROOT1')
const STATE_AT = 8
const CRC_AT = 20
const BOOT_ID_AT = 24
const HEAD_BYTES = 40
const VOID = 0
const PAGES = 1

/** The save of one segment. Used around its commits, inside the gate. */
export class FlushedRoot {
  readonly #dir: string
  /** Whether a save that is not void is on disk; undefined until looked at. */
  #saved: boolean | undefined
  /** Counts the flushes, so that a checkpoint that began before one does not take it back. */
  #flushes = 0
  #checkpoint: Promise<void> | undefined
  /** Data could not be written out for a checkpoint. Descriptors that are opened later do not hear of it, so no later checkpoint would prove anything. */
  #isDoubtful = false
  readonly #checkpointFailed: (error: unknown) => void

  /** `dir`: the segment's folder. */
  constructor(dir: string, checkpointFailed: (error: unknown) => void = () => {}) {
    this.#dir = dir
    this.#checkpointFailed = checkpointFailed
  }

  /** Must return before a commit without fsync begins. Throws what the file system throws; nothing has changed then. */
  beforeUnflushed(): void {
    if (this.#isSaved() || bootId() === '') return
    writeDurably(join(this.#dir, FILE), encodeRoot(readRootPages(dataFile(this.#dir))), 0)
    this.#saved = true
  }

  /** Must return before the environment of a new segment is made. */
  beforeFirst(): void {
    if (bootId() === '') return
    writeFileSync(join(this.#dir, NEVER_FLUSHED + bootId()), '')
    this.#saved = true
  }

  /** Must be called when the first commit of a new segment has succeeded, unless that was with fsync. */
  afterFirst(): void {
    if (bootId() !== '') writeFileSync(join(this.#dir, NEVER_FLUSHED + bootId()), 'committed\n')
  }

  /** Must be called when a commit with fsync has succeeded, before anybody hears of it. */
  afterDurable(): void {
    this.#flushes++
    if (!this.#isSaved()) return
    const path = join(this.#dir, FILE)
    if (existsSync(path)) writeDurably(path, Buffer.alloc(4), STATE_AT)
    else {
      writeDurably(path, encodeHead(VOID), 0)
      // The first flush of a segment also makes its names durable.
      syncDirectory(this.#dir)
      syncDirectory(dirname(this.#dir))
    }
    forgetNeverFlushed(this.#dir)
    this.#saved = false
  }

  /**
   * Begins to make durable what is committed now, without waiting; at most one at a time. When it fails, the older save stays good and
   * the next one tries again; not where the data itself was refused: then only a flush through the environment tells, and whoever opens the segment
   * next writes it anew (decision 0032). The promise is for tests.
   */
  checkpoint(): Promise<void> {
    if (this.#checkpoint !== undefined) return this.#checkpoint
    if (this.#isDoubtful || !this.#isSaved() || bootId() === '') return Promise.resolve()
    this.#checkpoint = this.#bringForward()
      .catch(this.#checkpointFailed)
      .finally(() => {
        this.#checkpoint = undefined
      })
    return this.#checkpoint
  }

  /** Notes the root before it first waits. */
  async #bringForward(): Promise<void> {
    const file = dataFile(this.#dir)
    const next = join(this.#dir, NEXT_FILE)
    const { ino } = statSync(file)
    const flushes = this.#flushes
    const save = encodeRoot(readRootPages(file))
    const data = await promises.open(file, 'r')
    try {
      await data.datasync()
    } catch (error) {
      this.#isDoubtful = true
      noteFailedFlush(this.#dir)
      throw error
    } finally {
      await data.close()
    }
    await promises.writeFile(next, save, { flush: true })
    // A flush made the save void, or the segment was replaced: this one is out of date.
    if (this.#flushes === flushes && statSync(file).ino === ino) {
      renameSync(next, join(this.#dir, FILE))
      syncDirectory(this.#dir)
      forgetNeverFlushed(this.#dir)
    } else rmSync(next, { force: true })
  }

  #isSaved(): boolean {
    this.#saved ??= (readSave(this.#dir)?.state ?? VOID) !== VOID
    return this.#saved
  }
}

/** `restored`: back at the last flush. `emptied`: nothing was ever flushed, the environment is gone. `kept`: it is as it was left. */
export type Restoration = 'kept' | 'restored' | 'emptied'

/** Must be called before the environment in `dir` is opened. */
export function restoreFlushedRoot(dir: string): Restoration {
  rmSync(join(dir, NEXT_FILE), { force: true })
  const save = readSave(dir)
  if (save === undefined || save.state === VOID || save.bootId === bootId() || bootId() === '') return 'kept'
  rmSync(join(dir, 'lock.mdb'), { force: true })
  const file = dataFile(dir)
  if (save.root === undefined) rmSync(file, { force: true })
  else writeRoot(file, save.root)
  if (save.root === undefined) rmSync(join(dir, FILE), { force: true })
  else writeDurably(join(dir, FILE), Buffer.alloc(4), STATE_AT)
  forgetNeverFlushed(dir)
  return save.root === undefined ? 'emptied' : 'restored'
}

/** Whether the segment in `dir` has had a commit that nothing explains away: an environment that is not there, or holds nothing, is damage then. */
export function hasBeenCommitted(dir: string): boolean {
  if (existsSync(join(dir, FILE))) return true
  const name = nameOfNeverFlushed(dir)
  return name !== undefined && statSync(join(dir, name)).size > 0
}

/** Makes `root` that of `file`, durably. May be repeated when it was interrupted. */
export function writeRoot(file: string, root: RootPages): void {
  const descriptor = openSync(file, 'r+')
  try {
    for (const { number, bytes } of root.pages) writeSync(descriptor, bytes, 0, bytes.length, number * root.pageBytes)
    fdatasyncSync(descriptor)
    metaImages(root).forEach((image, page) => {
      writeSync(descriptor, image, 0, image.length, page * root.pageBytes)
    })
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function encodeHead(state: number, root?: RootPages): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  MAGIC.copy(head)
  head.writeUInt32BE(state, STATE_AT)
  head.writeUInt32BE(root?.pageBytes ?? 0, 12)
  head.writeUInt32BE(root?.pages.length ?? 0, 16)
  head.write(bootId(), BOOT_ID_AT, 16, 'hex')
  return head
}

function encodeRoot(root: RootPages): Buffer {
  const parts: Uint8Array[] = [encodeHead(PAGES, root), root.meta]
  for (const { number, bytes } of root.pages) {
    const name = Buffer.alloc(8)
    name.writeDoubleBE(number)
    parts.push(name, bytes)
  }
  const save = Buffer.concat(parts)
  save.writeUInt32BE(crc32c(save, CRC_AT + 4), CRC_AT)
  return save
}

interface Save {
  readonly state: number
  readonly bootId: string
  readonly root: RootPages | undefined
}

/** Undefined when there is none, or only a torn one. */
function readSave(dir: string): Save | undefined {
  const path = join(dir, FILE)
  return (existsSync(path) ? decodeSave(readFileSync(path)) : undefined) ?? readNeverFlushed(dir)
}

function readNeverFlushed(dir: string): Save | undefined {
  const name = nameOfNeverFlushed(dir)
  return name === undefined ? undefined : { state: PAGES, bootId: name.slice(NEVER_FLUSHED.length), root: undefined }
}

function nameOfNeverFlushed(dir: string): string | undefined {
  return existsSync(dir) ? readdirSync(dir).find(each => each.startsWith(NEVER_FLUSHED)) : undefined
}

function forgetNeverFlushed(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (name.startsWith(NEVER_FLUSHED)) rmSync(join(dir, name), { force: true })
  }
}

function decodeSave(bytes: Buffer): Save | undefined {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  const state = bytes.readUInt32BE(STATE_AT)
  if (state === VOID) return { state, bootId: '', root: undefined }
  const pageBytes = bytes.readUInt32BE(12)
  const count = bytes.readUInt32BE(16)
  // A shorter save may have been written over a longer one: what follows its end is not part of it.
  const end = HEAD_BYTES + pageBytes + count * (8 + pageBytes)
  if (end > bytes.length || crc32c(bytes, CRC_AT + 4, end) !== bytes.readUInt32BE(CRC_AT)) return undefined
  const pages = Array.from({ length: count }, (_, i) => {
    const at = HEAD_BYTES + pageBytes + i * (8 + pageBytes)
    return { number: bytes.readDoubleBE(at), bytes: bytes.subarray(at + 8, at + 8 + pageBytes) }
  })
  const meta = bytes.subarray(HEAD_BYTES, HEAD_BYTES + pageBytes)
  return { state, bootId: bytes.toString('hex', BOOT_ID_AT, BOOT_ID_AT + 16), root: { pageBytes, meta, pages } }
}

/** New names survive power loss for certain only when their directory is flushed. Windows cannot, and needs it not. */
function syncDirectory(dir: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(dir, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function writeDurably(path: string, bytes: Uint8Array, position: number): void {
  const descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+')
  try {
    writeSync(descriptor, bytes, 0, bytes.length, position)
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
