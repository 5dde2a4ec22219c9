// A transaction that is begun while the one before it is being committed: it follows without a pause, in order, or never happens.
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { offsetOfGroup as offset, openTransactionalWorld as open } from './producer-world.suite.ts'
import type { Transaction } from './transactions.ts'

describe.each([1, 2])('with transaction.version %i', version => {
  test('follows the one that is being committed, offsets included, in order', async () => {
    const { world, producer, transaction } = open(version)
    const done: number[] = []
    await world.run(async () => {
      const commits: Promise<unknown>[] = []
      for (const n of [1, 2, 3, 4, 5]) {
        const each = await producer.begin()
        void each.send('orders', { value: `${n}`, partition: 0 })
        void each.sendOffsets(offset(n))
        commits.push(each.commit().then(() => done.push(n)))
      }
      await Promise.all(commits)
    })
    expect(transaction().committed).toEqual(['1', '2', '3', '4', '5'])
    expect(transaction().committedOffsets).toEqual([1, 2, 3, 4, 5].map(n => `in-0@${n}`))
    expect(done).toEqual([1, 2, 3, 4, 5])
  })

  test('begins before the commit is done, a third does not, and an open one is followed by none', async () => {
    const { world, producer, cluster } = open(version)
    cluster.faults.delayMs = 5
    const log: string[] = []
    await world.run(async () => {
      const first = await producer.begin()
      void first.send('orders', { value: 'a', partition: 0 })
      await expect(producer.begin()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
      const firstDone = first.commit().then(() => log.push('first committed'))
      const second = await producer.begin()
      log.push('second begun')
      await expect(producer.begin()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
      void second.send('orders', { value: 'b', partition: 0 })
      const secondDone = second.commit().then(() => log.push('second committed'))
      const third = await producer.begin()
      log.push('third begun')
      await third.commit()
      await Promise.all([firstDone, secondDone])
    })
    expect(log).toEqual(['second begun', 'first committed', 'third begun', 'second committed'])
  })

  test('what is sent directly belongs to the one that is open', async () => {
    const { world, producer, transaction } = open(version)
    await world.run(async () => {
      const first = await producer.begin()
      void producer.send('orders', { value: 'a', partition: 0 })
      const committed = first.commit()
      const second = await producer.begin()
      const undone = producer.send('orders', { value: 'b', partition: 0 })
      undone.catch(() => {})
      await committed
      await second.abort()
      await expect(undone).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTED' })
    })
    expect(transaction().committed).toEqual(['a'])
  })

  test.each([
    ['open', async () => {}],
    ['on its way, too', async (second: Transaction) => void second.commit().catch(() => {})],
  ])(
    'never happens when that one fails, while it is %s; the producer goes on after the abort',
    async (_, meanwhile) => {
      const { world, producer, cluster, transaction } = open(version)
      await world.run(async () => {
        await producer.transaction(tx => tx.send('orders', { value: 'a', partition: 0 }))
        cluster.partition('orders').scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
        const first = await producer.begin()
        void first.send('orders', { value: 'b', partition: 0 })
        const failed = first.commit()
        failed.catch(() => {})
        const second = await producer.begin()
        const sent = second.send('orders', { value: 'c', partition: 1 })
        const offsets = second.sendOffsets(offset(7))
        await meanwhile(second)
        await expect(failed).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE' })
        await expect(producer.begin()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
        await expect(second.send('orders', { value: 'd' })).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE' })
        await expect(second.commit()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE' })
        await second.abort()
        await first.abort()
        await expect(sent).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE' })
        await expect(offsets).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE' })
        await producer.transaction(tx => tx.send('orders', { value: 'e', partition: 0 }))
      })
      expect(transaction().committed).toEqual(['a', 'e'])
      expect(transaction().committedOffsets).toEqual([])
    },
  )

  test('never happens when the commit before it is refused in this thread already', async () => {
    const { world, producer, transaction } = open(version)
    await world.run(async () => {
      const first = await producer.begin()
      first.send('orders', 5 as never).catch(() => {})
      const failed = first.commit()
      failed.catch(() => {})
      await expect(producer.begin()).rejects.toMatchObject({ code: 'ODK_TRANSACTION_STATE' })
      await expect(failed).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE' })
      await first.abort()
      await producer.transaction(tx => tx.send('orders', { value: 'a' }))
    })
    expect(transaction().committed).toEqual(['a'])
  })

  test('is undone alone, and only when the one before has ended', async () => {
    const { world, producer, cluster, transaction } = open(version)
    cluster.faults.delayMs = 5
    const log: string[] = []
    await world.run(async () => {
      const first = await producer.begin()
      void first.send('orders', { value: 'a', partition: 0 })
      const committed = first.commit().then(() => log.push('committed'))
      {
        await using second = await producer.begin()
        void second.send('orders', { value: 'b', partition: 0 })
      }
      log.push('undone')
      await committed
      await producer.transaction(tx => tx.send('orders', { value: 'c', partition: 0 }))
    })
    expect(log).toEqual(['committed', 'undone'])
    expect(transaction().committed).toEqual(['a', 'c'])
  })

  test('ends with its producer when that is fenced', async () => {
    const { world, producer, cluster, transaction } = open(version)
    await world.run(async () => {
      await producer.transaction(tx => tx.send('orders', { value: 'a', partition: 0 }))
      const first = await producer.begin()
      void first.send('orders', { value: 'b', partition: 0 })
      cluster.coordinatorErrors.EndTxn = [errors.PRODUCER_FENCED.code]
      const failed = first.commit()
      failed.catch(() => {})
      const second = await producer.begin()
      const sent = second.send('orders', { value: 'c', partition: 0 })
      await expect(failed).rejects.toMatchObject({ code: 'ODK_PRODUCER_FENCED', fatal: true })
      await expect(second.commit()).rejects.toMatchObject({ code: 'ODK_PRODUCER_FENCED', fatal: true })
      await expect(sent).rejects.toMatchObject({ code: 'ODK_PRODUCER_FENCED' })
      await expect(producer.begin()).rejects.toMatchObject({ code: 'ODK_PRODUCER_FENCED' })
    })
    expect(transaction().committed).toEqual(['a'])
  })

  test('what its delivery.timeout.ms is runs while it waits for its turn', async () => {
    const { world, producer, cluster } = open(version, { deliveryTimeoutMs: 300, requestTimeoutMs: 100, lingerMs: 0 })
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'a', partition: 0 })))
    const busy = Array.from({ length: 8 }, () => errors.COORDINATOR_LOAD_IN_PROGRESS.code)
    await world.run(async () => {
      const first = await producer.begin()
      void first.send('orders', { value: 'b', partition: 0 })
      cluster.coordinatorErrors.EndTxn = busy
      const committed = first.commit()
      const second = await producer.begin()
      const sent = second.send('orders', { value: 'c', partition: 0 })
      sent.catch(() => {})
      await committed
      await expect(sent).rejects.toMatchObject({ code: 'ODK_DELIVERY_TIMEOUT' })
      await second.abort()
    })
  })

  test('waits a moment where the markers of the one before come after its answer, which is shorter than to be put off', async () => {
    const { world, producer, cluster } = open(version)
    cluster.faults.markersMs = 4
    const took: number[] = []
    await world.run(async () => {
      for (let n = 0; n < 60; n++) {
        const begun = world.clock.monotonic()
        const each = await producer.begin()
        void each.send('orders', { value: `${n}`, partition: 0 })
        void each.commit()
        took.push(world.clock.monotonic() - begun)
      }
      await producer.close()
    })
    const mean = (from: number, to: number) => took.slice(from, to).reduce((sum, ms) => sum + ms, 0) / (to - from)
    // Each begins when the one before the last has ended, so this is what a transaction takes.
    expect(mean(2, 6)).toBeGreaterThan(15)
    expect(mean(40, 60)).toBeLessThan(12)
  })

  test('offsets that were refused for the moment wait for the records for a minute: brokers may refuse what comes together', async () => {
    const { world, producer, cluster } = open(version)
    cluster.faults.delayMs = 5
    /** Mean milliseconds of a transaction: one way there and back more, when the offsets wait. */
    const some = async () => {
      const begun = world.clock.monotonic()
      for (let n = 0; n < 60; n++) {
        const each = await producer.begin()
        void each.sendOffsets(offset(n))
        void each.send('orders', { value: `${n}`, partition: 0 })
        await each.commit()
      }
      return (world.clock.monotonic() - begun) / 60
    }
    await world.run(async () => {
      await producer.partitionsFor('orders')
      const together = await some()
      cluster.coordinatorErrors.TxnOffsetCommit = [errors.COORDINATOR_LOAD_IN_PROGRESS.code]
      await producer.transaction(each => each.sendOffsets(offset(1)))
      const apart = await some()
      expect(apart).toBeGreaterThan(together + 2)
      await new Promise<void>(resolve => world.clock.after(60_000, resolve))
      expect(await some()).toBeLessThan(apart - 2)
    })
  })

  test('offsets that wait for records do not wait for ever where records keep coming', async () => {
    const { world, producer, cluster, transaction } = open(version)
    cluster.faults.delayMs = 5
    await world.run(async () => {
      await producer.partitionsFor('orders')
      cluster.coordinatorErrors.TxnOffsetCommit = [errors.COORDINATOR_LOAD_IN_PROGRESS.code]
      await producer.transaction(each => each.sendOffsets(offset(1)))
      const each = await producer.begin()
      let isSent = false
      const sent = each.sendOffsets(offset(2)).then(() => {
        isSent = true
      })
      const begun = world.clock.monotonic()
      for (let n = 0; !isSent; n++) {
        void each.send('orders', { value: `${n}`, partition: 0 })
        await new Promise<void>(resolve => world.clock.after(1, resolve))
        expect(world.clock.monotonic() - begun).toBeLessThan(1_000)
      }
      await sent
      await each.commit()
    })
    expect(transaction().committedOffsets).toEqual(['in-0@1', 'in-0@2'])
  })

  test('whatever is lost on the way, what a commit says is true, in order, with some undone (40 seeds)', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { world, producer, cluster, transaction } = open(version, { deliveryTimeoutMs: 3_600_000 }, { seed })
      Object.assign(cluster.faults, { loseRequest: 0.1, loseReply: 0.1, notLeader: 0.1, delayMs: 3 })
      const expected: string[] = []
      await world.run(async () => {
        let asked: { readonly tx: Transaction; readonly commit: Promise<boolean> }[] = []
        const undoFailed = async () => {
          for (const { tx, commit } of asked) if (!(await commit)) await tx.abort()
          asked = []
        }
        for (let n = 0; n < 15; n++) {
          const tx = await producer.begin().catch(async () => {
            await undoFailed()
            return producer.begin()
          })
          if (world.random.int(4) === 0)
            cluster.partition('orders').scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
          const values = Array.from({ length: world.random.int(4) }, (_, i) => `${n}.${i}`)
          for (const value of values) void tx.send('orders', { value, partition: 0 })
          if (world.random.int(3) === 0)
            await new Promise<void>(resolve => world.clock.after(world.random.int(20), resolve))
          if (world.random.int(4) === 0) {
            await tx.abort()
            continue
          }
          const note = () => {
            expected.push(...values)
            return true
          }
          asked.push({ tx, commit: tx.commit().then(note, () => false) })
        }
        await undoFailed()
      })
      expect({ seed, committed: transaction().committed }).toEqual({ seed, committed: expected })
      await world.run(() => producer.close())
    }
  })
})
