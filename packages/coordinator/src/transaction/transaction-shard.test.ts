// The transaction shard over a log that outlives it: what survives a reload, what happens when epochs run out, and what waits for the log.
import { limits } from '@odradek/shared/base/limits'
import { type ErrorName, errorOf } from '@odradek/shared/protocol/error-codes'
import { afterEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../runtime/fake-clock.suite.ts'
import { LeaderDouble } from '../runtime/leader-double.suite.ts'
import { settle, shardContext } from '../runtime/shard-context.suite.ts'
import { ShardRunner } from '../runtime/shard-runner.ts'
import { assertTransactionInvariants } from './transaction.machine.ts'
import { decodeTransactionRecord, encodeTransactionRecord, type TransactionMetadata } from './transaction.records.ts'
import { transactionSettings } from './transaction-settings.ts'
import {
  type MarkerOrder,
  type TransactionNotice,
  type TransactionReply,
  type TransactionShard,
  transactionShard,
} from './transaction-shard.ts'

const bugs: unknown[] = []
afterEach(() => expect(bugs.splice(0)).toEqual([]))

const ID = 'shop'
const LAST_EPOCH = 32_766
const partitions = [{ topic: 'orders', partitions: [0, 1] }]

class Coordinator {
  readonly clock = new FakeClock()
  readonly leader: LeaderDouble
  readonly orders: MarkerOrder[] = []
  readonly notices: TransactionNotice[] = []
  readonly runner: ShardRunner<TransactionShard>

  private constructor(leader: LeaderDouble) {
    this.leader = leader
    this.runner = new ShardRunner<TransactionShard>({
      definition: transactionShard(transactionSettings({})),
      name: '__transaction_state-0',
      maxBatchBytes: 1_048_588,
      hands: { notify: notice => this.notices.push(notice), writeMarkers: order => this.orders.push(order) },
      context: shardContext(this.clock, reason => bugs.push(reason)),
    })
  }

  /** Over what an earlier one has left. */
  static async over(leader = new LeaderDouble()): Promise<Coordinator> {
    const coordinator = new Coordinator(leader)
    coordinator.runner.lead(leader.link())
    await settle()
    return coordinator
  }

  init(freshProducerId = -1, expected: [number, number] | null = null) {
    return said(
      this.runner.submit('initProducerId', {
        transactionalId: ID,
        timeoutMs: 60_000,
        expected: expected && { producerId: expected[0], producerEpoch: expected[1] },
        freshProducerId,
      }),
    )
  }

  add(producerId: number, producerEpoch: number) {
    const asked = { transactionalId: ID, producerId, producerEpoch, partitions, clientTransactionVersion: 2 }
    return said(this.runner.submit('addPartitions', asked))
  }

  end(producerId: number, producerEpoch: number, committed = true, freshProducerId = -1) {
    const asked = { transactionalId: ID, producerId, producerEpoch, committed, freshProducerId }
    return said(this.runner.submit('endTxn', { ...asked, clientTransactionVersion: 2 }))
  }

  /** The markers of the last order are written, and that is noted. */
  async written(): Promise<void> {
    const noted = this.runner.submit('markersWritten', this.orders.at(-1)!)
    this.clock.advance(limits.shardPatienceMs + 1)
    await noted
    await settle()
  }

  get metadata(): TransactionMetadata {
    return this.runner.state.get(ID)!.metadata
  }

  /** Checks what the machine's header promises of the state as it is. */
  check(): void {
    const { status, producerId, startMs, partitions } = this.metadata
    const count = partitions.reduce((sum, topic) => sum + topic.partitions.length, 0)
    const markerOrders = status.startsWith('Prepare') ? 1 : 0
    assertTransactionInvariants(status, { producerId, startMs, partitions: count, markerOrders })
  }
}

/** A reply in one line; `open` while there is none. */
async function said(asked: Promise<TransactionReply>): Promise<string> {
  await settle()
  const reply = await Promise.race([asked, Promise.resolve(null)])
  if (reply === null) return 'open'
  if (reply.kind === 'refused') return errorOf(reply.errorCode).name satisfies ErrorName
  return reply.kind === 'done' || reply.kind === 'ending'
    ? `${reply.kind} ${reply.producerId}.${reply.producerEpoch}`
    : reply.kind
}

/** A coordinator whose log says that the id has this producer, in no transaction. */
async function withProducer(producerId: number, producerEpoch: number): Promise<Coordinator> {
  const leader = new LeaderDouble()
  const first = await Coordinator.over(leader)
  await first.init(producerId)
  const { metadata } = first
  const stored = encodeTransactionRecord({ transactionalId: ID, metadata: { ...metadata, producerEpoch } })
  expect(decodeTransactionRecord(stored.key, stored.value)?.metadata).toEqual({ ...metadata, producerEpoch })
  // A log in which the epoch has grown: the last record counts.
  first.runner.state.set(ID, { metadata: { ...metadata, producerEpoch: producerEpoch - 1 }, lastProducerEpoch: -1 })
  await first.init()
  return Coordinator.over(leader)
}

describe('what others can see of a transaction', () => {
  test('waits for the log: no answer and no marker before the record is committed', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    coordinator.leader.holding = true
    const ending = coordinator.end(5, 0)
    expect([await ending, coordinator.orders]).toEqual(['open', []])
    coordinator.leader.commit()
    await settle()
    expect(coordinator.orders).toMatchObject([{ producerId: 5, producerEpoch: 1, committed: true, partitions }])
  })

  test('is not changed by an end that the log refused', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    coordinator.leader.refuseWith = 56
    expect(await coordinator.end(5, 0)).toBe('COORDINATOR_NOT_AVAILABLE')
    coordinator.leader.refuseWith = 0
    await settle()
    expect([coordinator.metadata.status, coordinator.orders]).toEqual(['Ongoing', []])
    expect(await coordinator.end(5, 0)).toBe('ending 5.1')
  })
})

describe('markers that are owed', () => {
  test('are ordered again after a reload, and their late answer for another end changes nothing', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    await coordinator.end(5, 0)
    const next = await Coordinator.over(coordinator.leader)
    expect(next.orders).toEqual(coordinator.orders)
    next.check()
    await next.runner.submit('markersWritten', { ...next.orders[0]!, producerEpoch: 0 })
    expect(next.metadata.status).toBe('PrepareCommit')
    await next.written()
    expect(next.metadata).toMatchObject({ status: 'CompleteCommit', partitions: [], producerEpoch: 1 })
    next.check()
    await next.runner.submit('markersWritten', next.orders[0]!)
    expect(next.metadata.status).toBe('CompleteCommit')
    expect((await Coordinator.over(coordinator.leader)).orders).toEqual([])
  })

  test('are noted with the beginning of the next transaction, in one append', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    await coordinator.end(5, 0)
    const { appends } = coordinator.leader
    void coordinator.runner.submit('markersWritten', coordinator.orders[0]!)
    await settle()
    expect(coordinator.leader.appends).toBe(appends)
    expect(await coordinator.add(5, 1)).toBe('done 5.1')
    expect(coordinator.leader.appends).toBe(appends + 1)
    expect((await Coordinator.over(coordinator.leader)).metadata).toMatchObject({ status: 'Ongoing', producerEpoch: 1 })
  })

  test('are paid again when the note was lost with its coordinator', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    await coordinator.end(5, 0)
    void coordinator.runner.submit('markersWritten', coordinator.orders[0]!)
    await settle()
    expect(coordinator.metadata.status).toBe('CompleteCommit')
    const next = await Coordinator.over(coordinator.leader)
    expect(next.metadata.status).toBe('PrepareCommit')
    expect(next.orders).toEqual(coordinator.orders)
    expect(await next.add(5, 1)).toBe('parked')
    await next.written()
    expect(await next.add(5, 1)).toBe('done 5.1')
  })

  test('are noted when their coordinator closes', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    await coordinator.end(5, 0)
    void coordinator.runner.submit('markersWritten', coordinator.orders[0]!)
    await coordinator.runner.close()
    expect((await Coordinator.over(coordinator.leader)).metadata.status).toBe('CompleteCommit')
  })
})

describe('when the epoch runs out', () => {
  test('the end moves on to a new producer id, which its repetitions are told, also after a restart', async () => {
    const coordinator = await withProducer(5, LAST_EPOCH)
    expect(coordinator.metadata.producerEpoch).toBe(LAST_EPOCH)
    await coordinator.add(5, LAST_EPOCH)
    expect(await coordinator.end(5, LAST_EPOCH)).toBe('wantsFresh')
    expect(coordinator.metadata.status).toBe('Ongoing')
    expect(await coordinator.end(5, LAST_EPOCH, true, 9)).toBe('ending 9.0')
    expect(coordinator.orders).toMatchObject([{ producerId: 5, producerEpoch: LAST_EPOCH + 1 }])
    expect(await coordinator.end(5, LAST_EPOCH)).toBe('parked')
    const next = await Coordinator.over(coordinator.leader)
    await next.written()
    expect(await next.end(5, LAST_EPOCH)).toBe('done 9.0')
    expect(await next.end(5, LAST_EPOCH, false)).toBe('INVALID_TXN_STATE')
    expect(await next.add(9, 0)).toBe('done 9.0')
    expect(await next.end(5, LAST_EPOCH)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  test('a producer that is fenced at its last epoch cannot pass for one that ended', async () => {
    const coordinator = await withProducer(5, LAST_EPOCH)
    await coordinator.add(5, LAST_EPOCH)
    expect(await coordinator.init(9)).toBe('parked')
    await coordinator.written()
    expect(coordinator.metadata).toMatchObject({
      status: 'CompleteAbort',
      producerId: 5,
      producerEpoch: LAST_EPOCH + 1,
    })
    expect(await coordinator.end(5, LAST_EPOCH, false)).toBe('PRODUCER_FENCED')
    expect(await coordinator.init()).toBe('wantsFresh')
    expect(await coordinator.init(9)).toBe('done 9.0')
  })
})

describe('the sweep', () => {
  test('aborts what is open for longer than its timeout, as its producer would; an abort that comes too late goes on from there', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    coordinator.clock.advance(59_000)
    await settle()
    expect(coordinator.orders).toEqual([])
    coordinator.clock.advance(11_000)
    await settle()
    expect(coordinator.orders).toMatchObject([{ committed: false, producerEpoch: 1, transactionVersion: 2 }])
    expect(await coordinator.end(5, 0)).toBe('INVALID_TXN_STATE')
    await coordinator.written()
    expect(await coordinator.end(5, 0)).toBe('INVALID_TXN_STATE')
    expect(await coordinator.end(5, 0, false)).toBe('done 5.1')
    expect(await coordinator.add(5, 1)).toBe('done 5.1')
    expect(await coordinator.end(5, 0, false)).toBe('PRODUCER_FENCED')
  })

  test('what it has aborted is of no use to its producer once there is a successor', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    await coordinator.add(5, 0)
    coordinator.clock.advance(70_000)
    await settle()
    await coordinator.written()
    expect(await coordinator.init()).toBe('done 5.2')
    expect(await coordinator.end(5, 0, false)).toBe('PRODUCER_FENCED')
    expect(await coordinator.end(5, 1, false)).toBe('PRODUCER_FENCED')
  })

  test('forgets an id for good: its record is a tombstone', async () => {
    const coordinator = await Coordinator.over()
    await coordinator.init(5)
    coordinator.clock.advance(8 * 24 * 3_600_000)
    await settle()
    expect(coordinator.runner.state.size).toBe(0)
    expect((await Coordinator.over(coordinator.leader)).runner.state.size).toBe(0)
    expect(await coordinator.end(5, 0)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })
})

test('a producer that was fenced cannot abort what its successor has begun', async () => {
  const coordinator = await Coordinator.over()
  await coordinator.init(5)
  await coordinator.init()
  await coordinator.add(5, 1)
  expect(await coordinator.init(-1, [5, 0])).toBe('PRODUCER_FENCED')
  expect(coordinator.metadata.status).toBe('Ongoing')
})
