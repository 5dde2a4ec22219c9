// What the leader costs on top of its log, in one run: the bare LMDB log takes the same stamped batches, the committer judges, stamps and
// appends them, the desk serves them back. 64 KiB batches of 100-byte values, 16 to a turn, no fsync. Compare the ratios, not the times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ActorContext } from '@odradek/shared/actor/actor'
import { systemClock } from '@odradek/shared/base/clock'
import { limits } from '@odradek/shared/base/limits'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import * as batch from '@odradek/shared/records/record-batch'
import { afterAll, bench, describe } from 'vitest'
import { lmdbLogStore } from '../log/lmdb-log-store.ts'
import { openGate, type PartitionLog } from '../log/partition-log.ts'
import { judgeAppend } from './append.rules.ts'
import { FetchDesk } from './fetch-desk.ts'
import { GroupCommitter } from './group-committer.ts'
import { parseLeaderConfig } from './leader-config.rules.ts'
import { Leadership } from './leadership.ts'

const BATCHES_PER_TURN = 16
/** Turns per measurement: 1 MiB each, so that a run stays within a segment and the disk is not the subject. */
const turns = { iterations: 150, warmupIterations: 20, time: 0, warmupTime: 0 }

const folder = mkdtempSync(join(tmpdir(), 'odradek-leader-bench-'))
const store = lmdbLogStore(folder, { gate: openGate })
afterAll(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const config = parseLeaderConfig({ 'message.timestamp.after.max.ms': '9223372036854775807' })

function fullBatch(): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: 65_504 })
  const value = new Uint8Array(100)
  while (builder.tryAppend(1_700_000_000_000 + builder.recordCount, null, value));
  return builder.build()
}

const batches = Array.from({ length: BATCHES_PER_TURN }, fullBatch)
const recordsPerTurn = BATCHES_PER_TURN * batch.recordCount(batches[0]!, 0)

let partitions = 0
function openLog(): PartitionLog {
  const { log } = store.open({ topic: 'bench', topicId: 'AbCdEfGhIjKlMnOpQrStUw', partition: partitions++ })
  return log
}

/** A leader's parts without ports: `turn` runs what the turn's end would. */
function openLeader() {
  const deferred: (() => void)[] = []
  const context = {
    clock: systemClock,
    // Every turn appends the same buffers: none may be released.
    limits: { ...limits, transferBytesMin: Number.POSITIVE_INFINITY },
    gate: openGate,
    defer: (work: () => void) => deferred.push(work),
    report() {},
  } as unknown as ActorContext
  const leadership = new Leadership(openLog(), 0, config)
  const committer = new GroupCommitter(leadership, context, { committed() {}, failed() {} })
  const turn = () => {
    for (const work of deferred.splice(0)) work()
  }
  return { leadership, committer, desk: new FetchDesk(leadership, context), turn }
}

const appendRequest = (records: Uint8Array) => {
  // As the client sent it: the leader writes its offset into the same bytes every turn.
  batch.setBaseOffset(records, 0, 0)
  return { records, acks: -1, origin: 'client', currentLeaderEpoch: -1 } as const
}

describe(`append ${BATCHES_PER_TURN} batches of 64 KiB (${recordsPerTurn} records) per turn`, () => {
  const bare = openLog()
  bench(
    'bare LMDB log',
    () => {
      let next = bare.logEndOffset
      const stamped = batches.map(bytes => {
        const baseOffset = next
        batch.setBaseOffset(bytes, 0, baseOffset)
        next += batch.recordCount(bytes, 0)
        return {
          bytes,
          baseOffset,
          lastOffset: next - 1,
          maxTimestamp: batch.maxTimestamp(bytes, 0),
          partitionLeaderEpoch: 0,
        }
      })
      bare.append({ batches: stamped, now: systemClock.now() }, config.log)
    },
    turns,
  )

  const { committer, turn } = openLeader()
  bench(
    'leader: judge, stamp, append, answer',
    async () => {
      const answers = batches.map(records => committer.append(appendRequest(records)))
      turn()
      await Promise.all(answers)
    },
    turns,
  )

  bench(
    'leader: judge alone (CRC, header, every record)',
    () => {
      const now = systemClock.now()
      for (const records of batches) {
        batch.setBaseOffset(records, 0, 0)
        judgeAppend(records, { origin: 'client', config, now, decompressedBytesMax: 2 ** 26, recordErrorsMax: 1 })
      }
    },
    turns,
  )
})

describe('fetch 1 MiB just appended', () => {
  const { committer, desk, leadership, turn } = openLeader()
  for (let n = 0; n < 100; n++) {
    for (const records of batches) void committer.append(appendRequest(records))
    turn()
  }
  const end = leadership.log.logEndOffset
  let offset = 0
  const next = () => {
    offset = offset + recordsPerTurn >= end ? 0 : offset + recordsPerTurn
    return offset
  }
  bench(
    'bare LMDB log',
    () => {
      leadership.log.read(next(), { maxBytes: 2 ** 20, maxOffset: end, minOneBatch: true })
    },
    turns,
  )
  bench(
    'leader',
    () => {
      void desk.fetch(
        {
          currentLeaderEpoch: -1,
          fetchOffset: next(),
          lastFetchedEpoch: -1,
          partitionMaxBytes: 2 ** 20,
          isolationLevel: 0,
          minBytes: 1,
          maxWaitMs: 500,
        },
        { id: 1, sharesThread: false },
      )
    },
    turns,
  )
  bench(
    'the same batches copied from memory (what a tail cache could give at best)',
    () => {
      const answer = new Uint8Array(batches.length * batches[0]!.length)
      let at = 0
      for (const bytes of batches) {
        answer.set(bytes, at)
        at += bytes.length
      }
    },
    turns,
  )
})
