// Transactions from the user's side to a fake coordinator, with both protocols: what is committed, what is undone, who is fenced.
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { openTransactionalWorld, openWorld } from './producer-world.suite.ts'
import type { Transaction } from './transactions.ts'

const open = (version: number, options = {}) => openTransactionalWorld(version, options, { partitions: 3 })

describe.each([1, 2])('with transaction.version %i', version => {
  test('what a transaction sent is committed with it, offsets included, again and again', async () => {
    const { world, producer, transaction } = open(version)
    await world.run(async () => {
      for (const n of [1, 2, 3]) {
        await producer.transaction(async tx => {
          await tx.send('orders', [
            { key: 'a', value: `a${n}` },
            { key: 'b', value: `b${n}` },
          ])
          await tx.sendOffsets({ groupId: 'g', offsets: [{ topic: 'in', partition: 0, offset: BigInt(n) }] })
        })
      }
    })
    expect([...transaction().committed].sort()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3'])
    expect(transaction().committedOffsets).toEqual(['in-0@1', 'in-0@2', 'in-0@3'])
    expect(transaction().epoch).toBe(version === 2 ? 3 : 0)
  })

  test('sent offsets are answered with the commit that waits for them, else at once', async () => {
    const { world, producer } = open(version)
    const log: string[] = []
    const offsets = { groupId: 'g', offsets: [{ topic: 'in', partition: 0, offset: 1 }] }
    await world.run(async () => {
      const first = await producer.begin()
      await first.sendOffsets(offsets)
      log.push('offsets of the first')
      await first.commit()
      log.push('first')
      const second = await producer.begin()
      const sent = second
        .sendOffsets(offsets)
        .then(() => log.push(`offsets of the second at ${world.clock.monotonic()}`))
      await second.commit()
      log.push(`second at ${world.clock.monotonic()}`)
      await sent
    })
    const [ofFirst, first, ...ofSecond] = log
    expect([ofFirst, first]).toEqual(['offsets of the first', 'first'])
    expect(new Set(ofSecond.map(line => line.split(' at ')[1])).size).toBe(1)
  })

  test('the partitions of a topic are told outside of a transaction too, a send is refused there', async () => {
    const { world, producer } = open(version)
    expect(await world.run(() => producer.partitionsFor('orders'))).toHaveLength(3)
    await expect(producer.send('orders', { value: 'x' })).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
  })

  test('a commit takes along what was sent without being awaited', async () => {
    const { world, producer, transaction } = open(version)
    await world.run(() => producer.transaction(tx => void tx.send('orders', { value: 'x' })))
    expect(transaction().committed).toEqual(['x'])
  })

  test('what throws is undone, and the next transaction goes on', async () => {
    const { world, producer, transaction } = open(version)
    const doomed = world.run(() =>
      producer.transaction(async tx => {
        await tx.send('orders', { value: 'gone', partition: 0 })
        throw new Error('changed my mind')
      }),
    )
    await expect(doomed).rejects.toThrow('changed my mind')
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'kept', partition: 0 })))
    expect(transaction().committed).toEqual(['kept'])
  })

  test('an abort while its partitions are being added leaves nothing to the next transaction (20 seeds)', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const opened = openWorld({ transactionalId: 'tx', lingerMs: 0 }, { partitions: 1, seed })
      const { world, producer, cluster } = opened
      cluster.transactionVersion = version
      Object.assign(cluster.faults, { delayMs: 10 })
      await world.run(async () => {
        await producer.transaction(tx => tx.send('orders', { value: 'first' }))
        const undone = await producer.begin()
        void undone.send('orders', { value: 'gone' })
        await new Promise<void>(resolve => void world.clock.after(seed / 2, resolve))
        await undone.abort()
        await producer.transaction(tx => tx.send('orders', { value: 'second' }))
        await producer.close()
      })
      expect(cluster.transactions.get('tx')!.committed).toEqual(['first', 'second'])
    }
  })

  test('sends that nobody awaits may be undone without a rejection that nobody handles', async () => {
    const { world, producer, transaction } = open(version)
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    await world.run(async () => {
      const tx = await producer.begin()
      void tx.send('orders', { value: 'gone' })
      await tx.abort()
    })
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
    expect(transaction().committed).toEqual([])
  })

  test('a batch that fails makes the commit fail as abortable; after the abort the sequences begin anew', async () => {
    const { world, producer, cluster, transaction } = open(version)
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'a', partition: 0 })))
    cluster.partition('orders').scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
    const failed = world.run(() =>
      producer.transaction(async tx => {
        await tx.send('orders', { value: 'b', partition: 0 }).catch(() => {})
      }),
    )
    await expect(failed).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE', fatal: false })
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'c', partition: 0 })))
    expect(transaction().committed).toEqual(['a', 'c'])
  })

  test('a commit that comes after the timeout fails as abortable; the producer goes on', async () => {
    const { world, producer, cluster, transaction } = open(version)
    cluster.coordinatorErrors.EndTxn = [errors.INVALID_TXN_STATE.code]
    const late = world.run(() => producer.transaction(tx => tx.send('orders', { value: 'late' })))
    await expect(late).rejects.toMatchObject({
      code: 'ODK_TRANSACTION_ABORTABLE',
      kafkaName: 'INVALID_TXN_STATE',
      fatal: false,
      message: expect.stringContaining('transactionTimeoutMs'),
    })
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'next' })))
    expect(transaction().committed).toEqual(['next'])
  })

  test.each([
    ['a record that is none', (tx: Transaction) => tx.send('orders', 5 as never), 'ODK_RECORD_INVALID'],
    [
      'a value that its codec does not take',
      (tx: Transaction) => tx.send('orders', { value: 5 as never }),
      'ODK_ENCODE_FAILED',
    ],
    [
      'a partition that there is not',
      (tx: Transaction) => tx.send('orders', { value: 'x', partition: 99 }),
      'ODK_PARTITION_INVALID',
    ],
    [
      'a bad record behind a good one',
      (tx: Transaction) => tx.send('orders', [{ value: 'x' }, null as never]),
      'ODK_RECORD_INVALID',
    ],
    [
      'offsets that are none',
      (tx: Transaction) => tx.sendOffsets({ groupId: 'g', offsets: 5 as never }),
      'ODK_OPTION_INVALID',
    ],
  ])('%s makes the commit fail as abortable, also when nobody awaits it', async (_, give, code) => {
    const { world, producer, transaction } = open(version)
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'a' })))
    const failed = world.run(() =>
      producer.transaction(tx => {
        give(tx).catch(() => {})
      }),
    )
    await expect(failed).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE', fatal: false, cause: { code } })
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'c' })))
    expect(transaction().committed).toEqual(['a', 'c'])
  })

  test('what comes while it is being committed is refused, and what its commit says is true (20 seeds)', async () => {
    const late: unknown[] = []
    for (let seed = 1; seed <= 20; seed++) {
      const { world, producer, cluster } = openWorld({ transactionalId: 'tx', lingerMs: 0 }, { seed })
      cluster.transactionVersion = version
      cluster.faults.delayMs = 5
      const verdicts: string[] = []
      await world.run(async () => {
        for (const n of [1, 2, 3]) {
          const ended = producer.transaction(tx => {
            void tx.send('orders', { value: `${n}` })
            const given = { value: 'late' }
            const sent = () => (n === 1 ? tx.send('orders', given) : producer.send('orders', given))
            const send = () => sent().catch(error => late.push(error.code))
            const sendOffsets = () =>
              tx.sendOffsets({ groupId: 'g', offsets: [{ topic: 'in', partition: 0, offset: 1 }] }).catch(() => {})
            world.clock.after(0.5 + world.random.float() * 12, () => void (n === 2 ? sendOffsets() : send()))
          })
          verdicts.push(
            await ended.then(
              () => `${n}`,
              () => 'not committed',
            ),
          )
        }
      })
      const { committed, committedOffsets } = cluster.transactions.get('tx')!
      expect({ seed, verdicts, committed }).toEqual({ seed, verdicts: ['1', '2', '3'], committed: ['1', '2', '3'] })
      expect(committedOffsets).toEqual([])
    }
    expect([...new Set(late)]).toEqual(['ODK_TRANSACTION_STATE'])
  })

  test('leaving its scope while it is being committed waits for that, and undoes it if it fails', async () => {
    const { world, producer, cluster, transaction } = open(version)
    await world.run(async () => {
      {
        await using tx = await producer.begin()
        void tx.send('orders', { value: 'first' })
        void tx.commit()
        await expect(tx.abort()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
      }
      expect(transaction().committed).toEqual(['first'])
      cluster.partition('orders').scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
      {
        await using tx = await producer.begin()
        void tx.send('orders', { value: 'second', partition: 0 })
        tx.commit().catch(() => {})
      }
      await producer.transaction(tx => tx.send('orders', { value: 'third' }))
    })
    expect(transaction().committed).toEqual(['first', 'third'])
  })

  test('an empty transaction asks nothing of the coordinator', async () => {
    const { world, producer, cluster } = open(version)
    await world.run(() => producer.transaction(() => {}))
    expect(cluster.coordinatorRequests).toEqual(['InitProducerId'])
  })

  test('coordinators that move, load or are busy are asked again', async () => {
    const { world, producer, cluster, transaction } = open(version)
    cluster.coordinatorErrors.InitProducerId = [errors.NOT_COORDINATOR.code, errors.CONCURRENT_TRANSACTIONS.code]
    cluster.coordinatorErrors.AddPartitionsToTxn = [errors.CONCURRENT_TRANSACTIONS.code]
    cluster.coordinatorErrors.EndTxn = [errors.COORDINATOR_LOAD_IN_PROGRESS.code]
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'x' })))
    expect(transaction().committed).toEqual(['x'])
  })

  test('the older of two producers with one transactional id is fenced for good, and told so', async () => {
    const old = open(version)
    await old.world.run(() => old.producer.transaction(tx => tx.send('orders', { value: 'old' })))
    const young = openWorld({ transactionalId: 'tx' }, { cluster: old.cluster, world: old.world, partitions: 3 })
    const zombie = await old.world.run(() => old.producer.begin())
    await old.world.run(() => zombie.sendOffsets({ groupId: 'g', offsets: [{ topic: 'in', partition: 0, offset: 1 }] }))
    await old.world.run(() => young.producer.transaction(tx => tx.send('orders', { value: 'young' })))
    await expect(old.world.run(() => zombie.commit())).rejects.toMatchObject({
      code: 'ODK_PRODUCER_FENCED',
      fatal: true,
    })
    await expect(old.world.run(() => old.producer.begin())).rejects.toMatchObject({
      code: 'ODK_PRODUCER_FENCED',
      fatal: true,
    })
    expect(old.transaction().committed).toEqual(['old', 'young'])
  })

  test('through lost requests, lost replies and moved leaders, committed transactions are whole and in order (20 seeds)', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const opened = openWorld(
        { transactionalId: 'tx', lingerMs: 0, deliveryTimeoutMs: 3_600_000 },
        { partitions: 2, seed },
      )
      const { world, producer, cluster } = opened
      cluster.transactionVersion = version
      Object.assign(cluster.faults, { loseRequest: 0.1, loseReply: 0.1, notLeader: 0.1, delayMs: 3 })
      const expected: string[] = []
      await world.run(async () => {
        for (let n = 0; n < 12; n++) {
          const doomed = world.random.int(3) === 0
          const run = producer.transaction(async tx => {
            for (let i = 0; i < 1 + world.random.int(5); i++)
              void tx.send('orders', { value: `${n}.${i}`, partition: 0 }).catch(() => {})
            if (doomed) throw new Error('undo')
          })
          await run.catch((thrown: Error) => expect(thrown.message).toBe('undo'))
          if (!doomed) expected.push(`${n}`)
        }
      })
      const { committed } = cluster.transactions.get('tx')!
      expect([...new Set(committed.map(value => value.split('.')[0]))]).toEqual(expected)
      expect(new Set(committed).size).toBe(committed.length)
      await world.run(() => producer.close())
    }
  })
})

describe('calls at the wrong time', () => {
  test('are refused by name', async () => {
    const { world, producer } = open(2)
    await expect(producer.send('orders', { value: 'x' })).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
    const tx = await world.run(() => producer.begin())
    await expect(producer.begin()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
    await world.run(() => tx.commit())
    await expect(tx.commit()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
    await expect(tx.send('orders', { value: 'x' })).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
  })

  test('a producer without transactionalId has no transactions', async () => {
    await expect(openWorld().producer.begin()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
  })

  test('no coordinator within maxBlockMs is a timeout, and begin may be tried again', async () => {
    const { world, producer, cluster } = open(2, { maxBlockMs: 1_000 })
    cluster.coordinatorErrors.InitProducerId = new Array(100).fill(errors.COORDINATOR_NOT_AVAILABLE.code)
    await expect(world.run(() => producer.begin())).rejects.toMatchObject({ code: 'ODK_TRANSACTION_TIMEOUT' })
    cluster.coordinatorErrors.InitProducerId = []
    const tx = await world.run(() => producer.begin())
    await world.run(() => tx.abort())
  })
})
