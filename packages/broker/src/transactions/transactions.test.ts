// Transactions through the door of a whole broker: what is promised (PROMISES 3-5), case by case, over both transaction versions.
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { type ClientVersion, type ProducerNow, patiently, TransactionHouse } from './transaction-house.suite.ts'

const ID = 'shop'
const failed = ({ error }: { error: string }) => error as never

/** Begins a transaction with one value on partition 0, as a client of that version does. */
async function begin(house: TransactionHouse, producer: ProducerNow, value: string, version: ClientVersion = 2) {
  if (version === 1) expect(await house.add(ID, producer, [0])).toBe('NONE')
  return house.produce(ID, producer, { partition: 0, baseSequence: 0, value }, version)
}

describe.each([1, 2] as const)('a transaction of a client of transaction.version %i', version => {
  /** A commit that finds its transaction aborted by the timeout. Only the newer protocol tells that from a successor's fence. */
  const tooLate = version === 2 ? 'INVALID_TXN_STATE' : 'PRODUCER_FENCED'

  test('is seen when it is committed, at once, and never when it is aborted', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version })
      expect(await begin(house, producer, 'kept', version)).toBe('NONE')
      expect(await house.readCommitted(0)).toEqual({ values: [], hidden: 1 })
      const ended = await house.end(ID, producer, true, version)
      expect(ended.error).toBe('NONE')
      expect(await house.readCommitted(0)).toEqual({ values: ['kept'], hidden: 0 })
      const next = version === 2 ? ended : await house.init(ID, { version })
      expect(await begin(house, next, 'dropped', version)).toBe('NONE')
      expect((await house.end(ID, next, false, version)).error).toBe('NONE')
      expect(await house.readCommitted(0)).toEqual({ values: ['kept'], hidden: 0 })
    }))

  test('carries offsets, which count if and only if it is committed, and are unstable meanwhile', () =>
    TransactionHouse.tell(async house => {
      let producer: ProducerNow = await house.init(ID, { version })
      expect(await house.commitOffset(ID, producer, 5, { version })).toBe('NONE')
      expect(await house.committedOffset(ID)).toBe('UNSTABLE_OFFSET_COMMIT')
      const aborted = await house.end(ID, producer, false, version)
      expect(aborted.error).toBe('NONE')
      expect(await house.committedOffset(ID)).toBe(-1)
      if (version === 2) producer = aborted
      expect(await house.commitOffset(ID, producer, 7, { version })).toBe('NONE')
      expect((await house.end(ID, producer, true, version)).error).toBe('NONE')
      expect(await house.committedOffset(ID)).toBe(7)
    }))

  test('over 50 partitions is one', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version })
      const partitions = Array.from({ length: 50 }, (_, partition) => partition)
      if (version === 1) expect(await house.add(ID, producer, partitions, 'wide')).toBe('NONE')
      const produced = partitions.map(partition => {
        const batch = { partition, baseSequence: 0, value: `${partition}`, topic: 'wide' }
        return house.produce(ID, producer, batch, version)
      })
      expect(new Set(await Promise.all(produced))).toEqual(new Set(['NONE']))
      expect((await house.end(ID, producer, true, version)).error).toBe('NONE')
      for (const partition of partitions)
        expect(await house.readCommitted(partition, 'wide')).toEqual({ values: [`${partition}`], hidden: 0 })
    }))

  test('EndTxn retried across a coordinator restart is answered as the first was', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version })
      await begin(house, producer, 'kept', version)
      const first = await house.end(ID, producer, true, version)
      await house.killCoordinators()
      const again = await patiently(house, () => house.end(ID, producer, true, version), failed)
      expect(again).toEqual(first)
      expect((await house.readCommitted(0)).values).toEqual(['kept'])
    }))

  test('whose coordinator dies while markers are owed is completed by the next one, unasked', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version })
      await begin(house, producer, 'kept', version)
      await house.kill('orders-0')
      const ending = house.end(ID, producer, true, version)
      for (;;) {
        const known = await house.describe(ID)
        if (typeof known !== 'string' && known.state !== 'Ongoing') break
      }
      await house.killCoordinators()
      await ending
      await house.sleep(5_000)
      expect(await house.readCommitted(0)).toEqual({ values: ['kept'], hidden: 0 })
      expect(await patiently(house, () => house.end(ID, producer, true, version), failed)).toMatchObject({
        error: 'NONE',
      })
    }))

  test('that outlives its timeout is aborted, and its producer can neither produce nor commit', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version, timeoutMs: 2_000 })
      await begin(house, producer, 'late', version)
      await house.sleep(4_000)
      expect(await house.readCommitted(0)).toEqual({ values: [], hidden: 0 })
      const batch = { partition: 0, baseSequence: 1, value: 'later' }
      expect(await house.produce(ID, producer, batch, version)).toBe('INVALID_PRODUCER_EPOCH')
      expect((await house.end(ID, producer, true, version)).error).toBe(tooLate)
    }))

  test('a commit that races the abort of the timeout: one of them wins, and readers see what the answer says', () =>
    Promise.all(
      Array.from({ length: 20 }, (_, seed) =>
        TransactionHouse.tell(
          async house => {
            const producer = await house.init(ID, { version, timeoutMs: 2_000 })
            await begin(house, producer, 'raced', version)
            const sweep = 1_000 * Math.ceil(house.world.elapsedMs / 1_000 + 2)
            await house.sleep(sweep - house.world.elapsedMs - 10 + seed)
            const { error } = await house.end(ID, producer, true, version)
            expect(['NONE', tooLate]).toContain(error)
            await house.sleep(2_000)
            const values = error === 'NONE' ? ['raced'] : []
            expect(await house.readCommitted(0)).toEqual({ values, hidden: 0 })
          },
          { seed },
        ),
      ),
    ).then(() => undefined))

  test('two producers with one transactional id: the older is fenced, and what it left open is undone', () =>
    TransactionHouse.tell(async house => {
      const older = await house.init(ID, { version })
      await begin(house, older, 'zombie', version)
      const newer = await house.init(ID, { version })
      expect(newer.error).toBe('NONE')
      expect(newer.producerId).toBe(older.producerId)
      expect(newer.producerEpoch).toBeGreaterThan(older.producerEpoch)
      expect((await house.end(ID, older, true, version)).error).toBe('PRODUCER_FENCED')
      expect((await house.end(ID, older, false, version)).error).toBe('PRODUCER_FENCED')
      expect(await house.add(ID, older, [0])).toBe('PRODUCER_FENCED')
      const zombie = { partition: 0, baseSequence: 1, value: 'zombie' }
      expect(await house.produce(ID, older, zombie, version)).toBe('INVALID_PRODUCER_EPOCH')
      expect(await house.commitOffset(ID, older, 3, { version })).toBe(
        version === 1 ? 'PRODUCER_FENCED' : 'INVALID_PRODUCER_EPOCH',
      )
      expect(await begin(house, newer, 'kept', version)).toBe('NONE')
      expect((await house.end(ID, newer, true, version)).error).toBe('NONE')
      expect(await house.readCommitted(0)).toEqual({ values: ['kept'], hidden: 0 })
    }))

  test('a produce that arrives after the abort marker is refused, and holds nobody up', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version })
      await begin(house, producer, 'aborted', version)
      await house.end(ID, producer, false, version)
      const late = { partition: 0, baseSequence: 1, value: 'late' }
      const refusal = version === 1 ? 'INVALID_TXN_STATE' : 'INVALID_PRODUCER_EPOCH'
      expect(await house.produce(ID, producer, late, version)).toBe(refusal)
      expect(await house.readCommitted(0)).toEqual({ values: [], hidden: 0 })
    }))

  test('InitProducerId retried because its reply was lost is answered as the first was', () =>
    TransactionHouse.tell(async house => {
      const expected = await house.init(ID, { version })
      const first = await house.init(ID, { version, expected })
      expect(first.producerEpoch).toBe(expected.producerEpoch + 1)
      expect(await house.init(ID, { version, expected })).toEqual(first)
      await house.init(ID, { version })
      expect((await house.init(ID, { version, expected })).error).toBe('PRODUCER_FENCED')
    }))
})

test('a broker that starts anew ends what was left open, though nobody asks for its coordinator', () =>
  TransactionHouse.tell(async house => {
    const producer = await house.init(ID, { timeoutMs: 2_000 })
    await begin(house, producer, 'left')
    await house.kill('broker')
    await house.sleep(10_000)
    expect(await house.coordinators()).toHaveLength(1)
    expect(await house.readCommitted(0)).toEqual({ values: [], hidden: 0 })
  }))

describe('with transaction.version 2', () => {
  test('every end raises the epoch, so a delayed EndTxn never touches the next transaction', () =>
    TransactionHouse.tell(async house => {
      const first = await house.init(ID)
      await begin(house, first, 'one')
      const second = await house.end(ID, first, true)
      expect(second).toMatchObject({ producerId: first.producerId, producerEpoch: first.producerEpoch + 1 })
      await begin(house, second, 'two')
      expect((await house.end(ID, first, true)).error).toBe('PRODUCER_FENCED')
      expect((await house.end(ID, first, false)).error).toBe('PRODUCER_FENCED')
      expect(await house.readCommitted(0)).toMatchObject({ values: ['one'], hidden: 1 })
      expect((await house.end(ID, second, true)).error).toBe('NONE')
      expect((await house.readCommitted(0)).values).toEqual(['one', 'two'])
    }))

  test('a producer that one of transaction.version 1 has fenced does not take that one’s end for its own', () =>
    TransactionHouse.tell(async house => {
      const zombie = await house.init(ID)
      const older = await house.init(ID, { version: 1 })
      expect(older.producerEpoch).toBe(zombie.producerEpoch + 1)
      await begin(house, older, 'kept', 1)
      expect((await house.end(ID, older, true, 1)).error).toBe('NONE')
      expect((await house.end(ID, zombie, true)).error).toBe('PRODUCER_FENCED')
    }))

  test('a producer whose transaction the timeout has aborted aborts it as well, and goes on', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { timeoutMs: 2_000 })
      await begin(house, producer, 'late')
      await house.sleep(4_000)
      const aborted = await house.end(ID, producer, false)
      expect(aborted).toMatchObject({ error: 'NONE', producerEpoch: producer.producerEpoch + 1 })
      expect(await begin(house, aborted, 'next')).toBe('NONE')
      expect((await house.end(ID, producer, false)).error).toBe('PRODUCER_FENCED')
      expect((await house.end(ID, aborted, true)).error).toBe('NONE')
      expect(await house.readCommitted(0)).toEqual({ values: ['next'], hidden: 0 })
    }))

  test('an abort of nothing raises the epoch, a commit of nothing is refused', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID)
      expect((await house.end(ID, producer, true)).error).toBe('INVALID_TXN_STATE')
      const aborted = await house.end(ID, producer, false)
      expect(aborted).toMatchObject({ error: 'NONE', producerEpoch: producer.producerEpoch + 1 })
      expect(await house.end(ID, producer, false)).toEqual(aborted)
      expect((await house.end(ID, producer, true)).error).toBe('INVALID_TXN_STATE')
    }))

  test('a partition that a produce adds is ended with the others', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID)
      await begin(house, producer, 'a')
      await house.produce(ID, producer, { partition: 2, baseSequence: 0, value: 'b' })
      expect(await house.describe(ID)).toMatchObject({ state: 'Ongoing', topics: [{ partitions: [0, 2] }] })
      await house.end(ID, producer, true)
      expect([await house.readCommitted(0), await house.readCommitted(2)]).toEqual([
        { values: ['a'], hidden: 0 },
        { values: ['b'], hidden: 0 },
      ])
      expect(await house.describe(ID)).toMatchObject({ state: 'CompleteCommit', topics: [] })
    }))
})

/** The leader of partition 0 does nothing for that long. */
async function pauseLeader(house: TransactionHouse, ms: number): Promise<void> {
  const leader = (await house.world.actors()).find(({ address }) => address.name === 'orders-0')!
  house.world.pause(leader.address.lane, ms)
}

describe('a request that meets a transaction which is being ended', () => {
  test.each(['AddPartitionsToTxn', 'InitProducerId'])('waits for its end: %s sees no CONCURRENT_TRANSACTIONS', api =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version: 1 })
      await begin(house, producer, 'one', 1)
      await pauseLeader(house, 500)
      const ending = house.end(ID, producer, true, 1).then(failed)
      for (;;) {
        const known = await house.describe(ID)
        if (typeof known !== 'string' && known.state === 'PrepareCommit') break
      }
      const met = api === 'InitProducerId' ? house.init(ID).then(failed) : house.add(ID, producer, [1])
      expect(await Promise.all([ending, met])).toEqual(['NONE', 'NONE'])
    }),
  )

  test('is answered CONCURRENT_TRANSACTIONS when the end takes long, and its EndTxn NONE, because it is decided', () =>
    TransactionHouse.tell(async house => {
      const producer = await house.init(ID, { version: 1 })
      await begin(house, producer, 'one', 1)
      await pauseLeader(house, 20_000)
      const [ended, taken] = await Promise.all([house.end(ID, producer, true, 1), house.init(ID, { version: 1 })])
      expect([ended.error, taken.error]).toEqual(['NONE', 'CONCURRENT_TRANSACTIONS'])
      await house.sleep(30_000)
      expect(await house.readCommitted(0)).toEqual({ values: ['one'], hidden: 0 })
    }))
})

test.each([
  [{ enable2Pc: true }, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
  [{ enable2Pc: true, keepPreparedTxn: true }, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
  [{ keepPreparedTxn: true }, 'UNSUPPORTED_VERSION'],
  [{ keepPreparedTxn: true, transactionTimeoutMs: 0 }, 'UNSUPPORTED_VERSION'],
  [{ enable2Pc: true, producerEpoch: 3 }, 'INVALID_REQUEST'],
  [{ transactionTimeoutMs: 0 }, 'INVALID_TRANSACTION_TIMEOUT'],
])('InitProducerId with %j is answered as by Kafka without two-phase commit: %s', (asked, error) =>
  TransactionHouse.tell(async house => {
    const plain = { enable2Pc: false, keepPreparedTxn: false, transactionTimeoutMs: 60_000 }
    const request = { transactionalId: ID, producerId: -1, producerEpoch: -1, ...plain, ...asked }
    const response = await house.ask('InitProducerId', request)
    expect([errorOf(response.errorCode).name, response.producerId, response.producerEpoch]).toEqual([error, -1, -1])
    expect(await house.describe(ID)).toBe('TRANSACTIONAL_ID_NOT_FOUND')
  }),
)

test('ids and states are listed by filter; an unknown state is named; an id that nobody uses is forgotten', () =>
  TransactionHouse.tell(
    async house => {
      for (const id of ['a', 'b', 'c']) await house.init(id)
      const producer = await house.init(ID)
      await begin(house, producer, 'open')
      const list = async (
        stateFilters: string[],
        transactionalIdPattern: string | null = null,
        durationFilter = -1,
      ) => {
        const request = { stateFilters, producerIdFilters: [], durationFilter, transactionalIdPattern }
        const { transactionStates, unknownStateFilters } = await house.ask('ListTransactions', request)
        return [transactionStates.map(({ transactionalId }) => transactionalId).sort(), unknownStateFilters]
      }
      expect(await list([])).toEqual([['a', 'b', 'c', ID], []])
      expect(await list(['Ongoing', 'Nowhere'])).toEqual([[ID], ['Nowhere']])
      expect(await list(['Nowhere'])).toEqual([[], ['Nowhere']])
      expect(await list([], '[ab]')).toEqual([['a', 'b'], []])
      expect(await list(['Ongoing'], null, 60_000)).toEqual([[], []])
      await house.sleep(3_000_000)
      expect(await house.describe('a')).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    },
    {
      configs: {
        'transactional.id.expiration.ms': '1000000',
        'transaction.remove.expired.transaction.cleanup.interval.ms': '100000',
      },
    },
  ))
