// A partition leader as its askers see it: appends, fetches, offsets, deletion, failure. Transactions have a file of their own.
import * as batch from '@odradek/shared/records/record-batch'
import { describe, expect, it } from 'vitest'
import { IDENTITY, LeaderUnderTest, START_MS, startLeader, withLeader } from './partition-leader.suite.ts'

/** Counts the checkpoints of its log from now on. */
function countedCheckpoints({ disk }: LeaderUnderTest): { readonly count: number } {
  const counted = { count: 0 }
  const checkpoint = disk.log.checkpoint.bind(disk.log)
  disk.checkpoint = () => {
    counted.count++
    return checkpoint()
  }
  return counted
}

describe('append', () => {
  it(
    'answers the offset of the first record and makes it visible',
    withLeader(async leader => {
      expect(await leader.append({ records: 3 })).toEqual(['NONE', 0])
      expect(await leader.append({ records: 2 })).toEqual(['NONE', 3])
      const { highWatermark, lastStableOffset, records, abortedTransactions } = await leader.fetch(0)
      expect([highWatermark, lastStableOffset, abortedTransactions]).toEqual([5, 5, null])
      expect([...batch.batchPositions(records)].map(at => batch.baseOffset(records, at))).toEqual([0, 3])
      expect(batch.partitionLeaderEpoch(records, 0)).toBe(3)
      const size = records.length
      const metrics = { BytesIn: size, BytesOut: size, LogEndOffset: 5, Size: size }
      expect((await leader.describe())?.metrics).toEqual(metrics)
    }),
  )

  it(
    'writes what arrives in one turn as one commit, and answers each',
    withLeader(async leader => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => leader.append({ records: 2 })))
      expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => ['NONE', n * 2]))
      expect(leader.disk.log.stats().appends).toBeLessThan(20)
    }),
  )

  it(
    'commits at once when the turn holds more than the bound',
    withLeader(
      async leader => {
        const answers = await Promise.all(Array.from({ length: 7 }, () => leader.append()))
        expect(answers.map(([, offset]) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6])
        const queues = (await leader.describe())?.queues
        expect(queues?.find(({ name }) => name === 'staged appends')).toMatchObject({ size: 0, high: 2, max: 2 })
      },
      { limits: { groupCommitEntriesMax: 2 } },
    ),
  )

  it(
    'refuses acks that Kafka does not have, and takes the three that it has',
    withLeader(async leader => {
      expect(await leader.append({}, { acks: 2 })).toEqual(['INVALID_REQUIRED_ACKS', -1])
      expect((await leader.describe())?.metrics).toEqual({ FailedProduceRequests: 1 })
      for (const acks of [0, 1, -1]) expect((await leader.append({}, { acks }))[0]).toBe('NONE')
    }),
  )

  it(
    'refuses askers that believe in another leader epoch',
    withLeader(async leader => {
      expect(await leader.append({}, { currentLeaderEpoch: 2 })).toEqual(['FENCED_LEADER_EPOCH', -1])
      expect(await leader.append({}, { currentLeaderEpoch: 4 })).toEqual(['UNKNOWN_LEADER_EPOCH', -1])
      expect(await leader.append({}, { currentLeaderEpoch: 3 })).toEqual(['NONE', 0])
    }),
  )

  it(
    'appends at the end that the sender expects, and nothing where the log ends elsewhere, whether committed or only gathered',
    withLeader(async leader => {
      const both = [0, 0].map(expectedOffset =>
        leader.append({ records: 2 }, { origin: 'coordinator', expectedOffset }),
      )
      expect(await Promise.all(both)).toEqual([
        ['NONE', 0],
        ['OFFSET_OUT_OF_RANGE', -1],
      ])
      expect(await leader.append({}, { origin: 'coordinator', expectedOffset: 3 })).toEqual(['OFFSET_OUT_OF_RANGE', -1])
      expect(await leader.append({}, { origin: 'coordinator', expectedOffset: 2 })).toEqual(['NONE', 2])
      expect((await leader.describeLog()).logEndOffset).toBe(3)
    }),
  )

  it(
    'names the records that are why a batch was refused (KIP-467), and the batch of a neighbour is not hurt',
    withLeader(
      async leader => {
        const [bad, good] = await Promise.all([
          leader.appendFully({ records: 2 }),
          leader.appendFully({ records: 2, key: new Uint8Array([1]) }),
        ])
        expect(bad).toMatchObject({
          errorCode: 87,
          baseOffset: -1,
          recordErrors: [{ batchIndex: 0 }, { batchIndex: 1 }],
        })
        expect(good).toMatchObject({ errorCode: 0, baseOffset: 0, recordErrors: [] })
      },
      { configs: { 'cleanup.policy': 'compact' } },
    ),
  )

  it(
    'answers the time that it stamped, also to a repeat',
    withLeader(
      async leader => {
        const shape = { producerId: 1, producerEpoch: 0, baseSequence: 0 }
        const first = await leader.appendFully(shape)
        expect(first.logAppendTimeMs).toBe(Math.floor(first.logAppendTimeMs))
        expect(first.logAppendTimeMs).toBeGreaterThanOrEqual(START_MS)
        await leader.pass(5)
        expect(await leader.appendFully(shape)).toEqual(first)
      },
      { configs: { 'message.timestamp.type': 'LogAppendTime' } },
    ),
  )
})

describe('idempotent producers', () => {
  const by = (baseSequence: number, records = 1) => ({ producerId: 9, producerEpoch: 0, baseSequence, records })

  it(
    'get the old offset for a repeat of each of the last five batches, in the same turn and after a restart',
    withLeader(async leader => {
      const both = await Promise.all([leader.append(by(0, 2)), leader.append(by(0, 2))])
      expect(both).toEqual([
        ['NONE', 0],
        ['NONE', 0],
      ])
      for (let n = 1; n < 6; n++) await leader.append(by(n * 2, 2))
      const restarted = await leader.restarted()
      for (let n = 1; n < 6; n++) expect(await restarted.append(by(n * 2, 2))).toEqual(['NONE', n * 2])
      expect(await restarted.append(by(0, 2))).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER', -1])
      expect(await restarted.append(by(12, 1))).toEqual(['NONE', 12])
      expect((await restarted.describeLog()).logEndOffset).toBe(13)
    }),
  )

  it(
    'go on over the wrap of the sequence',
    withLeader(async leader => {
      expect(await leader.append(by(2 ** 31 - 2, 4))).toEqual(['NONE', 0])
      expect(await leader.append(by(2 ** 31 - 2, 4))).toEqual(['NONE', 0])
      expect(await leader.append(by(2))).toEqual(['NONE', 4])
    }),
  )

  it(
    'expire after producer.id.expiration.ms, counted from their last append and not from old timestamps',
    withLeader(
      async leader => {
        await leader.append({ ...by(0), timestamp: 1_000 })
        await leader.pass(55_000)
        expect(await leader.append(by(5))).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER', -1])
        await leader.pass(20_000)
        expect(await leader.append(by(5))).toEqual(['NONE', 1])
      },
      { configs: { 'producer.id.expiration.ms': '60000', 'producer.id.expiration.check.interval.ms': '10000' } },
    ),
  )

  it(
    'are shown by describeProducers',
    withLeader(async leader => {
      await leader.append(by(0, 3))
      const { producers } = await leader.link.ask('describeProducers', {})
      expect(producers).toMatchObject([{ producerId: 9, lastSequence: 2, currentTxnStartOffset: -1 }])
    }),
  )
})

describe('fetch', () => {
  it(
    'answers at once with what there is when it has enough, and whole batches only',
    withLeader(async leader => {
      await leader.append({ records: 2 })
      await leader.append({ records: 2 })
      const { records } = await leader.fetch(1, { partitionMaxBytes: 1 })
      expect(batch.baseOffset(records, 0)).toBe(0)
      expect(batch.batchSizeInBytes(records, 0)).toBe(records.length)
      expect((await leader.fetch(0, { partitionMaxBytes: 1, minOneBatch: false })).records).toHaveLength(0)
    }),
  )

  it(
    'says whether there is more behind what it returns, and does not wait when there is',
    withLeader(async (leader, world) => {
      for (let n = 0; n < 3; n++) await leader.append()
      const { length: size } = (await leader.fetch(0, { partitionMaxBytes: 1 })).records
      const moreAfter = async (partitionMaxBytes: number) =>
        (await leader.fetch(0, { partitionMaxBytes, minBytes: 2 ** 20, maxWaitMs: 10_000 })).more
      expect([await moreAfter(1), await moreAfter(2 * size)]).toEqual([true, true])
      expect(world.elapsedMs).toBeLessThan(1_000)
      expect((await leader.fetch(0)).more).toBe(false)
      expect((await leader.fetch(3, { maxWaitMs: 0 })).more).toBe(false)
    }),
  )

  it(
    'waits for minBytes and is woken by the commit that brings them',
    withLeader(async (leader, world) => {
      await leader.append()
      const size = (await leader.fetch(0)).records.length
      const before = world.elapsedMs
      const waiting = leader.fetch(0, { minBytes: size * 3, maxWaitMs: 10_000 })
      await leader.append()
      await leader.append()
      expect((await waiting).records).toHaveLength(size * 3)
      expect(world.elapsedMs - before).toBeLessThan(10_000)
    }),
  )

  it(
    'answers with what there is after maxWaitMs',
    withLeader(async (leader, world) => {
      const before = world.elapsedMs
      expect((await leader.fetch(0, { maxWaitMs: 500 })).records).toHaveLength(0)
      expect(world.elapsedMs - before).toBeGreaterThanOrEqual(500)
    }),
  )

  it(
    'does not wait when the bound of parked fetches is reached',
    withLeader(
      async (leader, world) => {
        const waiting = leader.fetch(0, { maxWaitMs: 60_000 })
        const before = world.elapsedMs
        expect((await leader.fetch(0, { maxWaitMs: 60_000 })).records).toHaveLength(0)
        expect(world.elapsedMs - before).toBeLessThan(1_000)
        await leader.append()
        expect((await waiting).records.length).toBeGreaterThan(0)
      },
      { limits: { parkedFetchesMax: 1 } },
    ),
  )

  it(
    'of an asker that has gone is forgotten',
    withLeader(async (leader, world) => {
      const other = new LeaderUnderTest(world, leader.spawned)
      const lost = other.fetch(0, { maxWaitMs: 600_000 }).catch(() => 'gone')
      await leader.parked(1)
      other.link.close()
      expect(await lost).toBe('gone')
      await leader.parked(0)
    }),
  )

  it(
    'outside the log is OFFSET_OUT_OF_RANGE, at its end it waits',
    withLeader(async leader => {
      await leader.append()
      expect((await leader.fetch(2)).errorCode).toBe(1)
      expect((await leader.fetch(1)).errorCode).toBe(0)
    }),
  )

  it(
    'tells a reader of an older epoch where its log parts from ours (KIP-595)',
    withLeader(async (leader, world) => {
      await leader.append({ records: 5 })
      await leader.spawned.close()
      const newer = await startLeader(world, { leaderEpoch: 7 })
      await newer.append()
      expect((await newer.fetch(8, { lastFetchedEpoch: 3 })).errorCode).toBe(1)
      expect((await newer.fetch(6, { lastFetchedEpoch: 3 })).divergingEpoch).toEqual({ epoch: 3, endOffset: 5 })
      expect((await newer.fetch(5, { lastFetchedEpoch: 3 })).divergingEpoch).toBeUndefined()
      const end = await newer.link.ask('offsetForLeaderEpoch', { currentLeaderEpoch: 7, leaderEpoch: 3 })
      expect(end).toEqual({ errorCode: 0, leaderEpoch: 3, endOffset: 5 })
    }),
  )

  it(
    'by watchers: each commit is one news with its bytes',
    withLeader(async leader => {
      const news: number[] = []
      leader.link.on('advanced', ({ highWatermark, bytes }) => news.push(highWatermark, Math.sign(bytes)))
      leader.link.tell('watch', {})
      await leader.append()
      await leader.pass(10)
      leader.link.tell('unwatch', {})
      await leader.append()
      await leader.pass(10)
      expect(news).toEqual([1, 1])
    }),
  )
})

describe('listOffsets', () => {
  it(
    'finds offsets by time, inside batches, compressed or not',
    withLeader(async leader => {
      await leader.append({ records: 10, timestamp: START_MS - 1_000 })
      await leader.append({ records: 10, timestamp: START_MS, compression: 'gzip' })
      expect(await leader.listOffsets(START_MS - 995)).toBe(5)
      expect(await leader.listOffsets(START_MS - 500)).toBe(10)
      expect(await leader.listOffsets(START_MS + 9)).toBe(19)
      expect(await leader.listOffsets(START_MS + 10)).toBe(-1)
      expect(await leader.listOffsets(-3)).toBe(19)
      expect([await leader.listOffsets(-2), await leader.listOffsets(-1)]).toEqual([0, 20])
    }),
  )

  it(
    'does not find what DeleteRecords cut away in the middle of a batch',
    withLeader(async leader => {
      await leader.append({ records: 10, timestamp: START_MS + 50 })
      await leader.append({ records: 10, timestamp: START_MS })
      await leader.link.ask('deleteRecords', { offset: 5 })
      expect(await leader.listOffsets(START_MS + 3)).toBe(5)
      expect(await leader.listOffsets(START_MS + 60)).toBe(-1)
      expect(await leader.listOffsets(-2)).toBe(5)
    }),
  )

  it(
    'finds nothing in an empty log',
    withLeader(async leader => {
      expect([await leader.listOffsets(0), await leader.listOffsets(-3)]).toEqual([-1, -1])
    }),
  )
})

describe('deleteRecords', () => {
  const ask = async (leader: LeaderUnderTest, offset: number) => {
    const { errorCode, lowWatermark } = await leader.link.ask('deleteRecords', { offset })
    return [errorCode, lowWatermark]
  }

  it(
    'raises the log start, to the high watermark for -1, and never lowers it',
    withLeader(async leader => {
      await leader.append({ records: 10 })
      expect(await ask(leader, 4)).toEqual([0, 4])
      expect(await ask(leader, 2)).toEqual([0, 4])
      expect((await leader.fetch(3)).errorCode).toBe(1)
      expect(await ask(leader, 11)).toEqual([1, -1])
      expect(await ask(leader, -2)).toEqual([1, -1])
      expect(await ask(leader, -1)).toEqual([0, 10])
    }),
  )

  it(
    'of a topic that is only compacted is POLICY_VIOLATION',
    withLeader(async leader => expect(await ask(leader, -1)).toEqual([44, -1]), {
      configs: { 'cleanup.policy': 'compact' },
    }),
  )
})

describe('time', () => {
  it(
    'retention takes what has outlived retention.ms, without anybody asking',
    withLeader(
      async leader => {
        await leader.append({ records: 4 })
        await leader.pass(70_000)
        await leader.append()
        expect(await leader.describeLog()).toMatchObject({ logStartOffset: 4, logEndOffset: 5 })
      },
      { configs: { 'retention.ms': '60000', 'log.retention.check.interval.ms': '5000' } },
    ),
  )

  it(
    'flush.ms makes appends durable by itself',
    withLeader(
      async leader => {
        await leader.append()
        const { log } = leader.disk
        expect(log.flushedOffset).toBe(0)
        await leader.pass(1_100)
        expect(log.flushedOffset).toBe(1)
      },
      { configs: { 'flush.ms': '1000' } },
    ),
  )

  it.each([-5, 5])('flush.ms and checkpoints do not wait for a wall clock that jumps by %d hours', hours =>
    withLeader(
      async leader => {
        const { log } = leader.disk
        const checkpoints = countedCheckpoints(leader)
        await leader.append()
        leader.world.jumpWallClock(hours * 3_600_000)
        await leader.pass(61_000)
        expect(checkpoints.count).toBeGreaterThan(0)
        await leader.pass(40_000)
        expect(log.flushedOffset).toBe(1)
      },
      { configs: { 'flush.ms': '100000' } },
    )(),
  )

  it(
    'a leader that goes quiet checkpoints its last appends, once, and arms no timer while everything is covered',
    withLeader(
      async leader => {
        const { log } = leader.disk
        const checkpoints = countedCheckpoints(leader)
        await leader.pass(300_000)
        expect(checkpoints.count).toBe(0)
        await leader.append()
        await leader.pass(59_000)
        expect([checkpoints.count, log.checkpointDueMs(0)]).toEqual([0, expect.any(Number)])
        await leader.pass(1_100)
        expect([checkpoints.count, log.checkpointDueMs(0)]).toEqual([1, undefined])
        await leader.pass(300_000)
        expect(checkpoints.count).toBe(1)
        await leader.append()
        await leader.pass(60_100)
        expect(checkpoints.count).toBe(2)
      },
      { configs: { 'log.flush.offset.checkpoint.interval.ms': '60000' } },
    ),
  )

  it(
    'configure is in force when it is answered',
    withLeader(async leader => {
      await leader.link.ask('configure', { configs: { 'max.message.bytes': '70' } })
      expect(await leader.append()).toEqual(['MESSAGE_TOO_LARGE', -1])
    }),
  )
})

describe('failure', () => {
  it(
    'a disk that is full is KAFKA_STORAGE_ERROR for that append; nothing changed, and all is well when it is over',
    withLeader(async leader => {
      const by = (baseSequence: number) => ({ producerId: 1, producerEpoch: 0, baseSequence })
      await leader.append(by(0))
      leader.disk.full = true
      const failed = await Promise.all([leader.append(by(1)), leader.append(by(2)), leader.append(by(1))])
      expect(failed.map(([error]) => error)).toEqual(Array(3).fill('KAFKA_STORAGE_ERROR'))
      expect((await leader.describe())?.state).toBe('Leading.Failing')
      expect(await leader.readAll()).toEqual([0])
      leader.disk.full = false
      expect(await leader.append(by(1))).toEqual(['NONE', 1])
      expect((await leader.describe())?.state).toBe('Leading.Writable')
    }),
  )

  it(
    'a leader whose log has seen a newer epoch is fenced and refuses everything',
    withLeader(async (leader, world) => {
      await leader.append()
      await leader.spawned.close()
      const older = await startLeader(world, { leaderEpoch: 2 })
      expect((await older.describe())?.state).toBe('Fenced')
      expect(await older.append()).toEqual(['NOT_LEADER_OR_FOLLOWER', -1])
      expect((await older.fetch(0)).errorCode).toBe(6)
      expect(await older.marker(1, true)).toBe('NOT_LEADER_OR_FOLLOWER')
    }),
  )

  it(
    'destroy removes the log for good; a new one begins at 0',
    withLeader(async (leader, world) => {
      await leader.append({ records: 4 })
      const waiting = leader.fetch(4, { maxWaitMs: 60_000 })
      expect(await leader.link.ask('destroy', {})).toEqual({ errorCode: 0 })
      expect((await waiting).errorCode).toBe(6)
      expect(await leader.append()).toEqual(['NOT_LEADER_OR_FOLLOWER', -1])
      await leader.spawned.close()
      expect((await (await startLeader(world)).describeLog()).logEndOffset).toBe(0)
    }),
  )

  it(
    'an orderly close leaves a clean log, and answers what it was asked before',
    withLeader(async leader => {
      const answered = leader.append()
      await leader.append()
      await leader.spawned.close()
      expect(await answered).toEqual(['NONE', 0])
      expect(leader.disk.open(IDENTITY).recovered.clean).toBe(true)
    }),
  )
})
