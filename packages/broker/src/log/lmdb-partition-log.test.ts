// The LMDB log: the common suite, also with a single open environment, and what only files can suffer.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeCompactionModel } from './compaction-model.suite.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { identity } from './log-fixtures.suite.ts'
import { describeLogModel } from './log-model.suite.ts'
import { describePartitionLog } from './partition-log.suite.ts'
import { openGate } from './partition-log.ts'

function harness(openMax: number, mappedBytesMax?: number) {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-log-'))
  const options = { gate: openGate, openMax, ...(mappedBytesMax === undefined ? {} : { mappedBytesMax }) }
  let store = lmdbLogStore(dir, options)
  return {
    open: () => store.open(identity),
    stop: () => {
      store.close()
      store = lmdbLogStore(dir, options)
    },
    dispose: () => {
      store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

describePartitionLog('LMDB partition log', () => harness(128))
describePartitionLog('LMDB partition log with one environment open at a time', () => harness(1))
describePartitionLog('LMDB partition log whose environments close whenever a value was read', () => harness(128, 1))
describeLogModel('LMDB partition log in random histories', () => harness(2), 20)
describeLogModel('LMDB partition log in random histories, of which 4 KiB stay mapped', () => harness(128, 4096), 20)
describeCompactionModel('LMDB partition log', () => harness(8), 12)
describeCompactionModel('LMDB partition log, of which 4 KiB stay mapped', () => harness(128, 4096), 12)
