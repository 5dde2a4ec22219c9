// What the log costs next to bare LMDB, side by side in one run: commits of 64 KiB, 16 KiB and 200 B without fsync, reads of 1 MiB, and
// opening a log after its process died. Watch the ratios; absolute figures are the machine's.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as batch from '@odradek/shared/records/record-batch'
import { open, type TransactionFlags } from 'lmdb'
import { afterAll, bench, describe } from 'vitest'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { appendMany, config, identity, stamped } from './log-fixtures.suite.ts'
import { openGate } from './partition-log.ts'

const UNFLUSHED = 0x10002 as TransactionFlags
const HEADER_AND_FRAMING_BYTES = 72
const COMMITS = 50

/** A bare environment as the log would open it. */
function bareLmdb(path: string) {
  mkdirSync(path, { recursive: true })
  const root = open<Buffer, never>({
    path,
    mapSize: 8 * 1024 ** 3,
    overlappingSync: false,
    maxDbs: 2,
    encoding: 'binary',
  })
  return { root, rows: root.openDB<Buffer, number>({ name: 'rows', encoding: 'binary' }) }
}

/** The callback must return nothing: lmdb-js would wait for a returned promise before it commits. */
function commit(root: ReturnType<typeof bareLmdb>['root'], write: () => unknown): void {
  root.transactionSync(() => {
    write()
  }, UNFLUSHED)
}

const dirs: string[] = []
function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
  dirs.push(dir)
  return dir
}
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
})

for (const bytes of [64 * 1024 - 32, 16 * 1024, 200]) {
  describe(`${COMMITS} commits of ${bytes} bytes`, () => {
    const dir = newDir()
    const { bytes: value } = stamped(0, { valueBytes: bytes - HEADER_AND_FRAMING_BYTES })
    const { root, rows } = bareLmdb(join(dir, 'bare'))
    const { log } = lmdbLogStore(join(dir, 'log'), { gate: openGate }).open(identity)
    let key = 0
    bench('bare LMDB', () => {
      for (let n = 0; n < COMMITS; n++, key++) {
        commit(root, () => rows.put(key, value as Buffer, { append: true } as unknown as number))
      }
    })
    bench('partition log', () => {
      for (let n = 0; n < COMMITS; n++) {
        const baseOffset = log.logEndOffset
        batch.setBaseOffset(value, 0, baseOffset)
        const stampedBatch = {
          bytes: value,
          baseOffset,
          lastOffset: baseOffset,
          maxTimestamp: 1,
          partitionLeaderEpoch: 0,
        }
        log.append({ batches: [stampedBatch], now: 1 }, config)
      }
    })
  })
}

describe('reading 16 values of 64 KiB', () => {
  const dir = newDir()
  const { root, rows } = bareLmdb(join(dir, 'bare'))
  const { log } = lmdbLogStore(join(dir, 'log'), { gate: openGate }).open(identity)
  for (let offset = 0; offset < 64; offset++) {
    const one = stamped(offset, { valueBytes: 64 * 1024 - 32 - HEADER_AND_FRAMING_BYTES })
    commit(root, () => rows.put(offset, one.bytes as Buffer))
    log.append({ batches: [one], now: 1 }, config)
  }
  let at = 0
  bench('bare LMDB, a copy of each', () => {
    for (let n = 0; n < 16; n++) rows.getBinary((at + n) % 64)
    at = (at + 16) % 64
  })
  bench('partition log, one exact buffer', () => {
    at = log.read(at, { maxBytes: 1024 * 1024, maxOffset: 64, minOneBatch: true }).nextOffset % 64
  })
})

describe('opening a log of 100 MB', () => {
  const dir = newDir()
  const store = lmdbLogStore(dir, { gate: openGate })
  const clean = { ...identity, partition: 1 }
  for (const who of [identity, clean]) appendMany(store.open(who).log, 1600, { valueBytes: 64 * 1024 - 100 })
  store.open(clean).log.close({ clean: true })
  for (const [how, who] of [
    ['after a clean close', clean],
    ['after a kill (checks the last 16 MiB)', identity],
  ] as const) {
    bench(how, () => store.open(who).log.close({ clean: false }))
  }
})
