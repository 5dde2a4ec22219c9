// Transactions at one partition: what is decided when, what read_committed sees, and that nothing late can touch what comes after.
import * as batch from '@odradek/shared/records/record-batch'
import { describe, expect, it } from 'vitest'
import { LeaderUnderTest, START_MS, withLeader } from './partition-leader.suite.ts'

const by = (producerId: number, baseSequence: number, producerEpoch = 0) => ({
  producerId,
  producerEpoch,
  baseSequence,
  transactional: true,
})

async function stable(leader: LeaderUnderTest): Promise<[number, number]> {
  const { highWatermark, lastStableOffset } = await leader.describeLog()
  return [highWatermark, lastStableOffset]
}

describe('a transaction', () => {
  it(
    'holds the LSO until its marker, which takes an offset of its own',
    withLeader(async leader => {
      await leader.append()
      expect(await leader.begin(by(1, 0))).toEqual(['NONE', 1])
      expect(await leader.append(by(1, 1))).toEqual(['NONE', 2])
      expect(await leader.append()).toEqual(['NONE', 3])
      expect(await stable(leader)).toEqual([4, 1])
      expect(await leader.readAll(1)).toEqual([0])
      expect([await leader.listOffsets(-1), await leader.listOffsets(-1, 1)]).toEqual([4, 1])
      expect(await leader.marker(1, true)).toBe('NONE')
      expect(await stable(leader)).toEqual([5, 5])
      expect(await leader.readAll(1)).toEqual([0, 1, 2, 3, 4])
    }),
  )

  it(
    'that was aborted is in the list of every fetch that overlaps it, and of no other',
    withLeader(async leader => {
      await leader.append()
      await leader.begin(by(1, 0))
      await leader.begin(by(2, 0))
      await leader.marker(2, false)
      await leader.append(by(1, 1))
      await leader.marker(1, false)
      await leader.append()
      const aborted = async (from: number) => (await leader.fetch(from, { isolationLevel: 1 })).abortedTransactions
      const both = [
        { producerId: 1, firstOffset: 1 },
        { producerId: 2, firstOffset: 2 },
      ]
      expect(await aborted(0)).toEqual(both)
      expect(await aborted(3)).toEqual(both)
      expect(await aborted(4)).toEqual([both[0]])
      expect(await aborted(6)).toEqual([])
      expect((await leader.fetch(0)).abortedTransactions).toBeNull()
    }),
  )

  it(
    'wakes a read_committed reader when it is decided, not when it grows',
    withLeader(async (leader, world) => {
      await leader.begin(by(1, 0))
      const before = world.elapsedMs
      const waiting = leader.fetch(0, { isolationLevel: 1, maxWaitMs: 60_000 })
      const impatient = await leader.fetch(0, { isolationLevel: 1, maxWaitMs: 100 })
      expect(impatient.records).toHaveLength(0)
      await leader.append(by(1, 1))
      await leader.marker(1, true)
      expect([...batch.batchPositions((await waiting).records)]).toHaveLength(3)
      expect(world.elapsedMs - before).toBeLessThan(1_000)
    }),
  )

  it(
    'is still open after a restart of the leader, and its end is the same',
    withLeader(async leader => {
      await leader.begin(by(1, 0))
      await leader.append()
      const restarted = await leader.restarted()
      expect(await stable(restarted)).toEqual([2, 0])
      expect(await restarted.append(by(1, 1))).toEqual(['NONE', 2])
      expect(await restarted.marker(1, false)).toBe('NONE')
      expect(await stable(restarted)).toEqual([4, 4])
      const { abortedTransactions } = await restarted.fetch(0, { isolationLevel: 1 })
      expect(abortedTransactions).toEqual([{ producerId: 1, firstOffset: 0 }])
    }),
  )

  it(
    'begins only with a guard, and a guard is worth one beginning',
    withLeader(async leader => {
      expect(await leader.append(by(1, 0))).toEqual(['INVALID_TXN_STATE', -1])
      const verification = await leader.verify(1)
      expect(await leader.append(by(1, 0), { verification: { token: 1 } })).toEqual(['INVALID_TXN_STATE', -1])
      expect(await leader.append(by(1, 0), { verification })).toEqual(['NONE', 0])
      expect(await leader.verify(1, 1)).toBeUndefined()
      expect(await leader.append(by(1, 1))).toEqual(['NONE', 1])
      await leader.marker(1, true)
      expect(await leader.append(by(1, 2), { verification })).toEqual(['INVALID_TXN_STATE', -1])
    }),
  )

  it(
    'a produce that arrives after the abort marker is refused, and the LSO moves on',
    withLeader(async leader => {
      const verification = await leader.verify(1)
      await leader.marker(1, false, { producerEpoch: 1, transactionVersion: 2 })
      expect(await leader.append(by(1, 0), { verification })).toEqual(['INVALID_TXN_STATE', -1])
      const later = await leader.verify(1, 0)
      expect(await leader.append(by(1, 0), { verification: later })).toEqual(['INVALID_PRODUCER_EPOCH', -1])
      expect(await stable(leader)).toEqual([1, 1])
    }),
  )

  it(
    'of a client of transaction.version 2 begins without a guard, and not after the marker that raised its epoch',
    withLeader(async leader => {
      expect(await leader.append(by(1, 0), { verification: 'added' })).toEqual(['NONE', 0])
      await leader.marker(1, false, { producerEpoch: 1, transactionVersion: 2 })
      expect(await leader.append(by(1, 1), { verification: 'added' })).toEqual(['INVALID_PRODUCER_EPOCH', -1])
      // The partition never saw the producer: its marker is what is known of it.
      await leader.marker(2, false, { producerEpoch: 1, transactionVersion: 2 })
      expect(await leader.append(by(2, 0), { verification: 'added' })).toEqual(['INVALID_PRODUCER_EPOCH', -1])
      expect(await leader.append(by(2, 0, 1), { verification: 'added' })).toEqual(['NONE', 3])
    }),
  )

  it(
    'a guard asked for in the turn of a marker is not voided by it',
    withLeader(async leader => {
      await leader.begin(by(1, 0))
      const [ended, verification] = await Promise.all([
        leader.marker(1, true, { producerEpoch: 1, transactionVersion: 2 }),
        leader.verify(1, 0, 1),
      ])
      expect(ended).toBe('NONE')
      expect(await leader.append(by(1, 0, 1), { verification })).toEqual(['NONE', 2])
    }),
  )

  it(
    'needs no guards where verification is switched off',
    withLeader(
      async leader => {
        expect(await leader.verify(1)).toBeUndefined()
        expect(await leader.append(by(1, 0))).toEqual(['NONE', 0])
      },
      { configs: { 'transaction.partition.verification.enable': 'false' } },
    ),
  )
})

describe('offsets that a group coordinator stages', () => {
  it(
    'are transactional batches without a sequence, fenced by epoch and ended by markers like others',
    withLeader(async leader => {
      const staged = async (producerEpoch: number, baseSequence = -1) => {
        const verification = await leader.verify(1, baseSequence, producerEpoch)
        return leader.append(by(1, baseSequence, producerEpoch), { origin: 'coordinator', verification })
      }
      expect([await staged(0), await staged(0)]).toEqual([
        ['NONE', 0],
        ['NONE', 1],
      ])
      expect(await stable(leader)).toEqual([2, 0])
      expect(await leader.marker(1, true, { producerEpoch: 1, transactionVersion: 2 })).toBe('NONE')
      expect(await staged(0)).toEqual(['INVALID_PRODUCER_EPOCH', -1])
      const restarted = await leader.restarted()
      expect(await stable(restarted)).toEqual([3, 3])
    }),
  )
})

describe('late transactions', () => {
  it(
    'are counted once their coordinator should have ended them',
    withLeader(async leader => {
      await leader.begin(by(1, 0))
      await leader.pass(11 * 60_000)
      expect((await leader.describe())?.metrics.LateTransactions).toBe(0)
      await leader.pass(20 * 60_000)
      expect((await leader.describe())?.metrics.LateTransactions).toBe(1)
    }),
  )
})

describe('markers', () => {
  it(
    'sent again are a success and change nothing that readers see',
    withLeader(async leader => {
      await leader.begin(by(1, 0))
      const end = { producerEpoch: 1, transactionVersion: 2 }
      expect(await leader.marker(1, false, end)).toBe('NONE')
      expect(await leader.marker(1, false, end)).toBe('NONE')
      expect(await Promise.all([leader.marker(1, false, end), leader.marker(1, false, end)])).toEqual(['NONE', 'NONE'])
      expect(await stable(leader)).toEqual([2, 2])
    }),
  )

  it(
    'delayed by a transaction cannot end the next one',
    withLeader(async leader => {
      await leader.begin(by(1, 0))
      await leader.marker(1, true, { producerEpoch: 1, transactionVersion: 2 })
      await leader.begin(by(1, 0, 1))
      expect(await leader.marker(1, false, { producerEpoch: 1, transactionVersion: 2 })).toBe('INVALID_PRODUCER_EPOCH')
      expect(await stable(leader)).toEqual([3, 2])
    }),
  )

  it(
    'of a zombie coordinator are fenced, also after a restart',
    withLeader(async leader => {
      await leader.begin(by(1, 0))
      await leader.marker(1, true, { coordinatorEpoch: 5 })
      const restarted = await leader.restarted()
      expect(await restarted.marker(1, true, { coordinatorEpoch: 4 })).toBe('TRANSACTION_COORDINATOR_FENCED')
    }),
  )

  it(
    'of a coordinator whose log another has claimed are refused, as are its appends; those of clients are not',
    withLeader(async (leader, world) => {
      const successor = new LeaderUnderTest(world, leader.spawned)
      const verification = await leader.verify(1)
      const staged = () => leader.append(by(1, 0), { origin: 'coordinator', verification })
      await leader.link.ask('claim', {})
      expect(await staged()).toEqual(['NONE', 0])
      const { logEndOffset } = await successor.link.ask('claim', {})
      expect(logEndOffset).toBe(1)
      expect(await leader.marker(1, true)).toBe('NOT_LEADER_OR_FOLLOWER')
      expect(await staged()).toEqual(['NOT_LEADER_OR_FOLLOWER', -1])
      expect(await stable(leader)).toEqual([1, 0])
      expect(await leader.append()).toEqual(['NONE', 1])
      expect(await successor.marker(1, true)).toBe('NONE')
      expect(await stable(leader)).toEqual([3, 3])
    }),
  )

  it(
    'that meet a full disk end nothing; sent again they do',
    withLeader(async leader => {
      await leader.begin(by(1, 0))
      leader.disk.full = true
      expect(await leader.marker(1, true)).toBe('KAFKA_STORAGE_ERROR')
      expect(await stable(leader)).toEqual([1, 0])
      leader.disk.full = false
      expect(await leader.marker(1, true)).toBe('NONE')
      expect(await stable(leader)).toEqual([2, 2])
    }),
  )
})

describe('retention', () => {
  it(
    'that passes an open transaction leaves it open, and its marker still ends it',
    withLeader(
      async leader => {
        await leader.begin(by(1, 0))
        await leader.append()
        await leader.link.ask('deleteRecords', { offset: 2 })
        expect(await stable(leader)).toEqual([2, 2])
        expect((await leader.fetch(2, { isolationLevel: 1 })).errorCode).toBe(0)
        const { producers } = await leader.link.ask('describeProducers', {})
        expect(producers).toMatchObject([{ producerId: 1, currentTxnStartOffset: 0 }])
        expect(await leader.marker(1, true)).toBe('NONE')
        expect(await stable(leader)).toEqual([3, 3])
      },
      { configs: { 'segment.bytes': '1000' } },
    ),
  )
})

describe('retention that passes an open transaction', () => {
  const configs = {
    'retention.ms': '60000',
    'log.retention.check.interval.ms': '5000',
    'internal.segment.bytes': '300',
    'cleanup.policy': 'compact,delete',
    'log.cleaner.backoff.ms': '1000',
    'min.cleanable.dirty.ratio': '0',
  }
  const key = new Uint8Array([1])

  for (const committed of [true, false]) {
    it(
      `moves the LSO along with the log start, and the marker (${committed ? 'commit' : 'abort'}) still ends it, also after a restart`,
      withLeader(
        async first => {
          expect(await first.begin({ ...by(1, 0), key })).toEqual(['NONE', 0])
          for (let n = 0; n < 10; n++) await first.append({ key, valueBytes: 100 })
          await first.pass(10_000)
          // Nothing undecided is compacted, however dirty it is.
          expect(await first.readAll()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
          await first.pass(60_000)
          const { logStartOffset, lastStableOffset, logEndOffset } = await first.describeLog()
          expect([logStartOffset, lastStableOffset, logEndOffset]).toEqual([11, 11, 11])
          const leader = await first.restarted()
          expect(await leader.append({ ...by(1, 1), key, timestamp: START_MS + 70_000 })).toEqual(['NONE', 11])
          await leader.append({ key, timestamp: START_MS + 70_000 })
          expect(await stable(leader)).toEqual([13, 11])
          expect(await leader.readAll(1)).toEqual([])
          expect(await leader.marker(1, committed)).toBe('NONE')
          expect(await stable(leader)).toEqual([14, 14])
          const { abortedTransactions } = await leader.fetch(11, { isolationLevel: 1 })
          expect(abortedTransactions).toEqual(committed ? [] : [{ producerId: 1, firstOffset: 0 }])
          expect(await leader.readAll(1)).toEqual([11, 12, 13])
        },
        { configs },
      ),
    )
  }
})
