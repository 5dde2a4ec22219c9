// Two transactions of a producer under way: deaths of the sender, refusals, close and flush.
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import type { Producer } from './producer.ts'
import { offsetOfGroup as offset, openTransactionalWorld as open } from './producer-world.suite.ts'
import type { Transaction } from './transactions.ts'

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    error => error.code ?? String(error),
  )
const first = (producer: Producer) => async () => {
  await producer.transaction(tx => tx.send('orders', { value: '0', partition: 0 }))
}

/** One that is being committed, with `a`, and one that is open behind it. */
async function oneBehind(producer: Producer) {
  const one = await producer.begin()
  void one.send('orders', { value: 'a', partition: 0 })
  const committed = codeOf(one.commit())
  return { one, committed, two: await producer.begin() }
}

describe.each([1, 2])('with transaction.version %i', version => {
  test('close() with two commits under way: both are done', async () => {
    const { world, producer, transaction } = open(version)
    const codes = await world.run(async () => {
      const { committed: c1, two } = await oneBehind(producer)
      void two.send('orders', { value: 'b', partition: 0 })
      const c2 = codeOf(two.commit())
      await producer.close()
      return Promise.all([c1, c2])
    })
    expect(transaction().committed).toEqual(['a', 'b'])
    expect(codes).toEqual(['done', 'done'])
  })

  test('close() with one commit under way and one open: all settles', async () => {
    const { world, producer, transaction } = open(version)
    const codes = await world.run(async () => {
      const { committed: c1, two } = await oneBehind(producer)
      const s2 = codeOf(two.send('orders', { value: 'b', partition: 0 }))
      const o2 = codeOf(two.sendOffsets(offset(2)))
      await producer.close()
      return Promise.all([c1, s2, o2, codeOf(two.commit())])
    })
    expect(transaction().committed).toEqual(['a'])
    expect(codes.slice(0, 2)).toEqual(['done', 'done'])
    expect(codes[3]).not.toBe('done')
  })

  test('close({ timeoutMs }) with two under way and a coordinator that does not end the first: all settles', async () => {
    const { world, producer, cluster } = open(version)
    await world.run(first(producer))
    cluster.coordinatorErrors.EndTxn = Array.from({ length: 1_000 }, () => errors.COORDINATOR_LOAD_IN_PROGRESS.code)
    const codes = await world.run(async () => {
      const { committed: c1, two } = await oneBehind(producer)
      const s2 = codeOf(two.send('orders', { value: 'b', partition: 0 }))
      const o2 = codeOf(two.sendOffsets(offset(2)))
      const c2 = codeOf(two.commit())
      const three = codeOf(producer.begin())
      await producer.close({ timeoutMs: 10 })
      return Promise.all([c1, s2, o2, c2, three])
    })
    expect(codes).not.toContain('done')
  })

  test.each([['open'], ['committing'], ['aborting']])(
    'the sender dies with two under way, the second %s',
    async how => {
      const { world, producer, cluster, transaction, kill } = open(version)
      await world.run(first(producer))
      cluster.coordinatorErrors.EndTxn = Array.from({ length: 20 }, () => errors.COORDINATOR_LOAD_IN_PROGRESS.code)
      const asked: Promise<string>[] = []
      let two!: Transaction
      await world.run(async () => {
        const begun = await oneBehind(producer)
        asked.push(begun.committed)
        two = begun.two
        asked.push(codeOf(two.send('orders', { value: 'b', partition: 0 })))
        asked.push(codeOf(two.sendOffsets(offset(2))))
        if (how === 'committing') asked.push(codeOf(two.commit()))
        if (how === 'aborting') asked.push(codeOf(two.abort()))
      })
      await world.advance(20)
      await kill()
      cluster.coordinatorErrors.EndTxn = []
      const codes = await world.run(() => Promise.all(asked))
      expect(new Set(codes)).toEqual(new Set(['ODK_SENDER_DIED']))
      const late = two.send('orders', { value: 'late', partition: 0 })
      const lateCode = codeOf(late)
      if (how === 'open') expect(await world.run(() => codeOf(two.abort()))).toBe('ODK_SENDER_DIED')
      expect(await world.run(() => lateCode)).toBe('ODK_TRANSACTION_STATE')
      await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'c', partition: 0 })))
      expect(transaction().committed).toEqual(['0', 'c'])
      expect(transaction().committedOffsets).toEqual([])
    },
  )

  test('what lingers, and what waits for its topic, is not of the transaction after the abort', async () => {
    const { world, producer, cluster, transaction } = open(version, { lingerMs: 1_000 })
    await world.run(first(producer))
    cluster.partition('orders').scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
    await world.run(async () => {
      const { one, committed: failed, two } = await oneBehind(producer)
      const sent = codeOf(two.send('orders', { value: 'lingers', partition: 1 }))
      const waits = codeOf(two.send('later', { value: 'waits' }))
      const direct = codeOf(producer.send('orders', { value: 'direct', partition: 1 }))
      expect(await failed).toBe('ODK_TRANSACTION_ABORTABLE')
      await two.abort()
      world.clock.after(500, () => void cluster.create('later', 1))
      await one.abort()
      expect(new Set(await Promise.all([sent, waits, direct]))).toEqual(new Set(['ODK_TRANSACTION_ABORTABLE']))
      const three = await producer.begin()
      void three.send('orders', { value: 'c', partition: 0 })
      await three.commit()
    })
    await world.advance(70_000)
    expect(transaction().committed).toEqual(['0', 'c'])
  })

  test('await using of both, the first failing', async () => {
    const { world, producer, cluster, transaction } = open(version)
    await world.run(first(producer))
    cluster.partition('orders').scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
    const code = await world.run(() =>
      codeOf(
        (async () => {
          await using one = await producer.begin()
          void one.send('orders', { value: 'a', partition: 0 })
          const committed = one.commit()
          committed.catch(() => {})
          await using two = await producer.begin()
          void two.send('orders', { value: 'b', partition: 0 })
        })(),
      ),
    )
    expect(code).toBe('done')
    await world.run(() => producer.transaction(tx => tx.send('orders', { value: 'c', partition: 0 })))
    expect(transaction().committed).toEqual(['0', 'c'])
  })

  test('flush() while two are under way', async () => {
    const { world, producer, transaction } = open(version, { lingerMs: 10_000 })
    await world.run(async () => {
      const { two } = await oneBehind(producer)
      void two.send('orders', { value: 'b', partition: 0 })
      await producer.flush()
      expect(producer.metrics().batchesInFlight).toBe(0)
      await two.commit()
    })
    expect(transaction().committed).toEqual(['a', 'b'])
  })
})

const from = Number(process.env.SEED ?? 1)
const SEEDS = Number(process.env.SEEDS ?? 40)
test.each([1, 2])(
  'commits are true, whole and in order, and every call settles, through deaths and refusals, version %i',
  async version => {
    for (let seed = from; seed < from + SEEDS; seed++) {
      const memory = seed % 3 === 0 ? { bufferMemory: 500, batchSize: 100 } : {}
      const { world, producer, cluster, transaction, kill } = open(
        version,
        { deliveryTimeoutMs: 3_600_000, lingerMs: seed % 2 === 0 ? 0 : 3, ...memory },
        { seed },
      )
      Object.assign(cluster.faults, { loseRequest: 0.05, loseReply: 0.05, notLeader: 0.05, delayMs: 3 })
      const { random } = world
      const groups: { values: string[]; offset: number | null; fate: string }[] = []
      let isOver = false
      const pending = new Set<string>()
      const watch = <T>(what: string, promise: Promise<T>) => {
        pending.add(what)
        promise.then(
          () => pending.delete(what),
          () => pending.delete(what),
        )
        return promise
      }
      const pause = (ms: number) => new Promise<void>(resolve => world.clock.after(random.int(ms), resolve))
      const work = async () => {
        let unended: { tx: Transaction; commit: Promise<string> }[] = []
        for (let n = 0; n < 30; n++) {
          const tx: Transaction = await watch(`begin ${n}`, producer.begin()).catch(async () => {
            for (const { tx, commit } of unended) {
              const code = await commit
              if (code === 'ODK_TRANSACTION_ABORTABLE') await watch(`abort ${n}`, tx.abort()).catch(() => {})
            }
            unended = []
            for (;;) {
              try {
                return await watch(`begin again ${n}`, producer.begin())
              } catch (error) {
                if ((error as any).code === 'ODK_TRANSACTION_STATE') throw error
                await pause(50)
              }
            }
          })
          const chance = random.int(12)
          if (chance === 0)
            cluster.partition('orders', random.int(2)).scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
          if (chance === 1) cluster.refuse('TxnOffsetCommit', errors.ILLEGAL_GENERATION.code)
          if (chance === 2) cluster.refuse('EndTxn', errors.COORDINATOR_LOAD_IN_PROGRESS.code)
          if (chance === 3) cluster.refuse('EndTxn', errors.CONCURRENT_TRANSACTIONS.code)
          const values = Array.from({ length: random.int(6) }, (_, i) => `${n}.${i}`)
          const group = { values, offset: random.int(2) === 0 ? n : null, fate: 'open' }
          groups.push(group)
          for (const value of values) {
            const partition = random.int(2)
            watch(
              `send ${value}`,
              random.int(2) === 0
                ? tx.send('orders', { value, partition })
                : producer.send('orders', { value, partition }),
            ).catch(() => {})
            if (random.int(4) === 0) await pause(3)
          }
          if (group.offset !== null) watch(`offsets ${n}`, tx.sendOffsets(offset(n))).catch(() => {})
          if (random.int(3) === 0) await pause(10)
          if (random.int(5) === 0) {
            group.fate = 'ODK_TRANSACTION_ABORTED'
            await watch(`abort of ${n}`, tx.abort()).catch(() => {})
            continue
          }
          const commit = codeOf(watch(`commit ${n}`, tx.commit())).then(code => (group.fate = code))
          unended.push({ tx, commit })
          if (unended.length > 2) unended.shift()
        }
        for (const { tx, commit } of unended)
          if ((await commit) === 'ODK_TRANSACTION_ABORTABLE') await tx.abort().catch(() => {})
      }
      const failure: { error?: unknown } = {}
      const done = work().then(
        () => {
          isOver = true
        },
        error => {
          failure.error = error
          isOver = true
        },
      )
      for (let step = 0; step < 400 && !isOver; step++) {
        await world.advance(random.int(60))
        if (seed % 4 !== 0 && random.int(25) === 0) await kill()
      }
      await world.advance(200_000)
      await done
      expect({ seed, pending: [...pending], ...failure }).toEqual({ seed, pending: [] })
      const at = new Map(transaction().committed.map((value, index) => [value, index]))
      expect({ seed, n: at.size }).toEqual({ seed, n: transaction().committed.length })
      let last = -1
      for (const [n, { values, fate, offset }] of groups.entries()) {
        const found = values.filter(value => at.has(value)).length
        const told = { seed, n, fate, found }
        if (fate === 'done') expect(told).toEqual({ ...told, found: values.length })
        else if (fate === 'ODK_TRANSACTION_ABORTABLE' || fate === 'ODK_TRANSACTION_ABORTED')
          expect(told).toEqual({ ...told, found: 0 })
        else expect([0, values.length], JSON.stringify(told)).toContain(found)
        const offsets = offset === null ? 0 : transaction().committedOffsets.filter(o => o === `in-0@${n}`).length
        if (offset !== null && fate === 'done') expect(offsets, JSON.stringify(told)).toBeGreaterThan(0)
        if (offset !== null && fate.startsWith('ODK_TRANSACTION_ABORT'))
          expect({ ...told, offsets }).toEqual({ ...told, offsets: 0 })
        if (found > 0) {
          const places = values.map(value => at.get(value)!)
          expect(Math.min(...places)).toBeGreaterThan(last)
          last = Math.max(...places)
        }
      }
      await world.run(() => producer.close())
    }
  },
  120_000,
)
