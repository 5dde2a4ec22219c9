// The producer as users hold it, in the simulated world: its sender runs on another lane, over a cluster that misbehaves when told to.
import { KafkaError } from '@odradek/shared/base/errors'
import { json, string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { PartialSendError } from './acknowledgement.ts'
import { openWorld as open } from './producer-world.suite.ts'

const values = (count: number, prefix = 'v') => Array.from({ length: count }, (_, n) => ({ value: `${prefix}${n}` }))

describe('send', () => {
  test('resolves with where the record is', async () => {
    const { world, producer, log } = open()
    const orders = topic('orders', { key: string(), value: json<{ id: number }>() })
    const first = await world.run(() => producer.send(orders, { key: 'a', value: { id: 1 }, timestamp: 77 }))
    expect(first).toEqual({ topic: 'orders', partition: 0, offset: 0n, timestamp: 77 })
    expect(await world.run(() => producer.send(orders, { key: 'b', value: null }))).toMatchObject({ offset: 1n })
    expect(log()).toEqual(['{"id":1}', ''])
  })

  test('records sent in one turn share a batch, and their promises settle each with its own offset', async () => {
    const { world, producer, cluster } = open()
    const acknowledged = await world.run(() => Promise.all(values(5).map(record => producer.send('orders', record))))
    expect(acknowledged.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n])
    expect(cluster.partition('orders').batches).toMatchObject([{ records: 5 }])
  })

  test('an array resolves with all its places, made on demand', async () => {
    const { world, producer } = open({}, { partitions: 4 })
    const records = Array.from({ length: 300 }, (_, n) => ({ key: `k${n % 17}`, value: `v${n}` }))
    const acknowledged = await world.run(() => producer.send('orders', records))
    expect(acknowledged.length).toBe(300)
    expect([...acknowledged]).toEqual(acknowledged.toArray())
    expect(acknowledged.at(-1)).toEqual(acknowledged.toArray()[299])
    expect(acknowledged.at(300)).toBeUndefined()
    const seen = new Set(acknowledged.toArray().map(({ partition, offset }) => `${partition}@${offset}`))
    expect(seen.size).toBe(300)
  })

  test('an empty array resolves with nothing', async () => {
    const { world, producer } = open()
    expect((await world.run(() => producer.send('orders', []))).length).toBe(0)
  })

  test('with lingerMs a batch waits that long, and no longer', async () => {
    const { world, producer, cluster } = open({ lingerMs: 50 })
    await world.run(() => producer.send('orders', { value: 'warm-up' }))
    const sent = [producer.send('orders', { value: 'a' })]
    await world.advance(30)
    sent.push(producer.send('orders', { value: 'b' }))
    await world.advance(19)
    expect(cluster.partition('orders').log).toEqual(['warm-up'])
    await world.advance(5)
    expect(cluster.partition('orders').log).toEqual(['warm-up', 'a', 'b'])
    await world.run(() => Promise.all(sent))
  })

  test('with lingerMs 0 no timer is waited for', async () => {
    const { world, producer, cluster } = open({ lingerMs: 0 })
    cluster.faults.delayMs = 0
    await world.run(() => producer.send('orders', { value: 'warm-up' }))
    const before = world.elapsedMs
    await world.run(() => producer.send('orders', { value: 'a' }))
    expect(world.elapsedMs - before).toBeLessThan(1)
  })

  test('a full batch does not linger', async () => {
    const { world, producer, cluster } = open({ lingerMs: 10_000, batchSize: 200 })
    await world.run(() => producer.flush())
    const sent = producer.send('orders', values(20))
    await world.advance(50)
    expect(cluster.partition('orders').log.length).toBeGreaterThan(10)
    await world.run(() => sent)
    expect(cluster.partition('orders').log.length).toBe(20)
  })

  test('headers keep order and duplicates; timestamps and partitions are obeyed', async () => {
    const { world, producer, log } = open({}, { partitions: 3 })
    const headers = [
      ['a', '1'],
      ['a', new Uint8Array([2])],
      ['b', null],
    ] as const
    const placed = await world.run(() => producer.send('orders', { value: 'x', partition: 2, headers }))
    expect(placed.partition).toBe(2)
    expect(log(2)).toEqual(['x'])
  })
})

describe('what is refused', () => {
  test.each([
    ['a record without value', { key: 'k' }, 'ODK_RECORD_INVALID'],
    ['a partition that is not there', { value: 'x', partition: 9 }, 'ODK_PARTITION_INVALID'],
    ['a value larger than maxRequestSize', { value: 'x'.repeat(2_000_000) }, 'ODK_RECORD_TOO_LARGE'],
    [
      'headers larger than maxRequestSize',
      { value: 'x', headers: { h: 'x'.repeat(2_000_000) } },
      'ODK_RECORD_TOO_LARGE',
    ],
    ['a value that its codec does not take', { value: 5 }, 'ODK_ENCODE_FAILED'],
    ['a header that is no text', { value: 'x', headers: { h: 5 } }, 'ODK_RECORD_INVALID'],
    ['headers that are no pairs', { value: 'x', headers: [1] }, 'ODK_RECORD_INVALID'],
    ['headers that are text', { value: 'x', headers: 'h' }, 'ODK_RECORD_INVALID'],
    ['no record', null, 'ODK_RECORD_INVALID'],
    ['a value in place of a record', 'x', 'ODK_RECORD_INVALID'],
    ['a partition that is no number', { value: 'x', partition: '1' }, 'ODK_PARTITION_INVALID'],
    ['a timestamp that is a Date', { value: 'x', timestamp: new Date(0) }, 'ODK_RECORD_INVALID'],
    ['a timestamp before 1970', { value: 'x', timestamp: -1 }, 'ODK_RECORD_INVALID'],
  ])('%s', async (_, record, code) => {
    const { world, producer } = open()
    await world.run(() => producer.send('orders', { value: 'warm-up' }))
    await expect(world.run(() => producer.send('orders', record as never))).rejects.toMatchObject({ code })
    await expect(world.run(() => producer.send('orders', [{ value: 'ok' }, record as never]))).rejects.toMatchObject({
      code,
    })
    expect(() => producer.enqueue('orders', record as never)).toThrow(expect.objectContaining({ code }))
  })

  test('what is no topic', async () => {
    const { producer } = open()
    for (const topic of [undefined, null, 5, {}]) {
      await expect(producer.send(topic as never, { value: 'x' })).rejects.toMatchObject({ code: 'ODK_TOPIC_INVALID' })
    }
  })

  test('a bad record in an array leaves the good ones before it sent, and says which is which', async () => {
    const { world, producer, log } = open()
    const failure = await world.run(() =>
      producer
        .send('orders', [{ value: 'a' }, { value: 'b', partition: 7 }, { value: 'c' }])
        .catch((thrown: unknown) => thrown),
    )
    expect(failure).toBeInstanceOf(PartialSendError)
    expect((failure as PartialSendError).results).toMatchObject([
      { offset: 0n },
      { code: 'ODK_PARTITION_INVALID' },
      { code: 'ODK_PARTITION_INVALID' },
    ])
    expect(log()).toEqual(['a'])
  })

  test('an option that a call does not take, by its name', async () => {
    const { world, producer } = open()
    await world.run(() => producer.send('orders', { value: 'x' }, { acks: 'all' }))
    const unknown = (message: string) => ({ code: 'ODK_OPTION_UNKNOWN', message })
    const wrong: [() => Promise<unknown>, string][] = [
      [() => producer.send('orders', { value: 'x' }, { partiton: 3 } as never), 'send: unknown option partiton'],
      [() => producer.send('orders', [], { ack: 1 } as never), 'send: unknown option ack; did you mean acks?'],
      [() => producer.flush({ timeoutMs: 5 } as never), 'flush: unknown option timeoutMs'],
      [
        () => producer.partitionsFor('orders', { sginal: 1 } as never),
        'partitionsFor: unknown option sginal; did you mean signal?',
      ],
      [() => producer.close({ timeout: 5 } as never), 'close: unknown option timeout; did you mean timeoutMs?'],
    ]
    for (const [call, message] of wrong) await expect(call()).rejects.toMatchObject(unknown(message))
    await expect(producer.send('orders', { value: 'x' }, 3 as never)).rejects.toMatchObject({
      code: 'ODK_OPTION_INVALID',
      message: 'send takes an object of options, got 3',
    })
  })

  test.each([
    ['a number', () => 5],
    ['nothing', () => undefined],
    ['a promise', async () => Buffer.from('x')],
    ['text', () => 'x'],
  ])('a record whose codec gives %s instead of bytes; others go on', async (_, encode) => {
    const { world, producer, log } = open()
    const odd = topic('orders', { value: { encode: encode as never, decode: bytes => bytes } })
    const failed = {
      code: 'ODK_ENCODE_FAILED',
      message: expect.stringContaining('encode must return a Uint8Array, got '),
    }
    await world.run(async () => {
      await producer.send('orders', { value: 'before' })
      await expect(producer.send(odd, { value: 1 as never })).rejects.toMatchObject(failed)
      await expect(producer.send(odd, [{ value: 1 as never }])).rejects.toMatchObject({ code: failed.code })
      await producer.send('orders', { value: 'after' })
    })
    expect(log()).toEqual(['before', 'after'])
  })

  test('a send to a closed producer', async () => {
    const { world, producer } = open()
    await world.run(() => producer.close())
    await expect(producer.send('orders', { value: 'x' })).rejects.toMatchObject({ code: 'ODK_PRODUCER_CLOSED' })
    expect(() => producer.enqueue('orders', { value: 'x' })).toThrow('closed')
  })
})

describe('failures', () => {
  test('reach every promise of the batch, and the callbacks, as one KafkaError', async () => {
    const { world, producer, cluster } = open()
    await world.run(() => producer.send('orders', { value: 'warm-up' }))
    cluster.partition('orders').scripted.push(errors.TOPIC_AUTHORIZATION_FAILED.code)
    const called: unknown[] = []
    const outcomes = await world.run(async () => {
      producer.enqueue('orders', { value: 'c' }, (error, acknowledgement) =>
        called.push([error?.kafkaName, acknowledgement]),
      )
      return Promise.allSettled([producer.send('orders', { value: 'a' }), producer.send('orders', { value: 'b' })])
    })
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { kafkaName: 'TOPIC_AUTHORIZATION_FAILED', retriable: false },
      })
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(KafkaError)
    }
    expect(called).toEqual([['TOPIC_AUTHORIZATION_FAILED', null]])
  })

  test('a topic that does not appear within maxBlockMs fails what waits for it', async () => {
    const { world, producer } = open({ maxBlockMs: 2_000 }, { partitions: 0 })
    const waiting = [producer.send('orders', { value: 'a' }), producer.send('orders', values(3))]
    const outcomes = await world.run(() => Promise.allSettled(waiting))
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ODK_METADATA_TIMEOUT' } })
    expect(world.elapsedMs).toBeLessThan(2_500)
  })

  test('sends that wait for a topic keep their order', async () => {
    const { world, producer, cluster } = open({}, { partitions: 0 })
    const waiting = [
      producer.send('orders', { value: 'a' }),
      producer.send('orders', [{ value: 'b' }, { value: 'c' }]),
      producer.send('orders', { value: 'd' }),
    ]
    world.clock.after(700, () => void cluster.create('orders', 1))
    await world.run(() => Promise.all<unknown>(waiting))
    expect(cluster.partition('orders').log).toEqual(['a', 'b', 'c', 'd'])
  })

  test('when the sender dies, what it had fails, and the next incarnation goes on', async () => {
    const { world, producer, cluster, log } = open()
    await world.run(() => producer.send('orders', { value: 'a' }))
    cluster.faults.loseReply = 1
    const lost = producer.send('orders', { value: 'b' })
    await world.advance(50)
    cluster.faults.loseReply = 0
    const [actor] = (await world.run(() => world.actors())).filter(({ address }) => address.kind === 'sender')
    world.kill(actor!.address)
    await expect(world.run(() => lost)).rejects.toMatchObject({ code: 'ODK_SENDER_DIED' })
    await world.run(() => producer.send('orders', { value: 'c' }))
    expect(log()).toEqual(['a', 'b', 'c'])
  })
})

describe('when the sender dies while its topic is not known yet', () => {
  const killed = (options: Parameters<typeof open>[0]) => {
    const opened = open(options, { partitions: 0 })
    const { world, cluster } = opened
    return {
      ...opened,
      async kill() {
        await world.advance(100)
        const [actor] = (await world.run(() => world.actors())).filter(({ address }) => address.kind === 'sender')
        world.kill(actor!.address)
        cluster.create('orders', 1)
      },
    }
  }

  test('a send goes on waiting: the next sender tells of the topic', async () => {
    const { world, producer, cluster, kill } = killed({})
    const sent = [producer.send('orders', { value: 'a' }), producer.send('orders', values(2))]
    await kill()
    await world.run(() => Promise.all<unknown>(sent))
    expect(cluster.partition('orders').log).toEqual(['a', ...values(2).map(({ value }) => value)])
  })

  test('a send of a transaction fails with it', async () => {
    const { world, producer, cluster, kill } = killed({ transactionalId: 't' })
    const transaction = await world.run(() => producer.begin())
    const sent = transaction.send('orders', { value: 'of the first' })
    await kill()
    await expect(world.run(() => sent)).rejects.toMatchObject({ code: 'ODK_SENDER_DIED' })
    await world.run(() => transaction.abort().catch(() => undefined))
    await world.run(() => producer.transaction(next => next.send('orders', { value: 'of the next' })))
    expect(cluster.partition('orders').log).toEqual(['of the next'])
  })
})

describe('back-pressure', () => {
  test('sends wait for room in bufferMemory, then go on in order; memory stays within it', async () => {
    const { world, producer, log } = open({ bufferMemory: 2_000, batchSize: 500, lingerMs: 0 })
    const sent = values(200).map(record => producer.send('orders', record))
    await world.run(() => Promise.all(sent))
    expect(log()).toEqual(values(200).map(({ value }) => value))
    expect(producer.metrics().bufferUsedBytesHigh).toBeLessThanOrEqual(2_000)
    expect(producer.metrics()).toMatchObject({
      bufferUsedBytes: 0,
      waitingSends: 0,
      batchesInFlight: 0,
      recordSendTotal: 200,
    })
  })

  test('an array larger than bufferMemory goes through in pieces', async () => {
    const { world, producer, log } = open({ bufferMemory: 1_000, batchSize: 300 })
    await world.run(() => producer.send('orders', values(500)))
    expect(log()).toEqual(values(500).map(({ value }) => value))
  })

  test('no room within maxBlockMs is an error that names both options', async () => {
    const { world, producer, cluster } = open({ bufferMemory: 500, maxBlockMs: 1_000, lingerMs: 0 })
    await world.run(() => producer.send('orders', { value: 'warm-up' }))
    cluster.leaderless.add('orders-0')
    cluster.partition('orders').scripted.push(errors.NOT_LEADER_OR_FOLLOWER.code)
    const full = producer.send('orders', { value: 'x'.repeat(400) })
    full.catch(() => {})
    await expect(world.run(() => producer.send('orders', { value: 'y'.repeat(300) }))).rejects.toMatchObject({
      code: 'ODK_BUFFER_EXHAUSTED',
      message: expect.stringMatching(/bufferMemory.*maxBlockMs/),
    })
  })

  test('enqueue says when to wait, and writable when to go on', async () => {
    const { world, producer, log } = open({ bufferMemory: 4_000, batchSize: 500 })
    const count = 1_000
    await world.run(async () => {
      for (const record of values(count)) if (!producer.enqueue('orders', record)) await producer.writable()
      await producer.flush()
    })
    expect(log()).toEqual(values(count).map(({ value }) => value))
    expect(producer.metrics().bufferUsedBytesHigh).toBeLessThanOrEqual(4_000)
  })

  test('enqueue says to wait long before the memory is used up, so that caller and sender work at the same time', async () => {
    const { world, producer } = open({ bufferMemory: 64 * 1024 * 1024, batchSize: 65_536 })
    await world.run(() => producer.partitionsFor('orders'))
    const value = 'x'.repeat(10_000)
    let taken = 1
    while (producer.enqueue('orders', { value })) taken++
    expect(taken * value.length).toBeLessThan(8 * 1024 * 1024)
    await world.run(() => producer.writable())
    expect(producer.enqueue('orders', { value })).toBe(true)
  })

  test('a send that waits ends with its signal', async () => {
    const { world, producer } = open({}, { partitions: 0 })
    const controller = new AbortController()
    const waiting = producer.send('orders', { value: 'x' }, { signal: controller.signal })
    world.clock.after(100, () => controller.abort(new Error('enough')))
    await expect(world.run(() => waiting)).rejects.toMatchObject({ code: 'ODK_ABORTED', cause: { message: 'enough' } })
  })

  test('a send that was given up while it waited never goes out, alone or in an array; others keep their order', async () => {
    const { world, producer, cluster, log } = open({}, { partitions: 0 })
    const controller = new AbortController()
    const { signal } = controller
    const kept = producer.send('orders', { value: 'first' })
    const given = [
      producer.send('orders', { value: 'given up' }, { signal }),
      producer.send('orders', [{ value: 'given' }, { value: 'up' }], { signal }),
    ].map(promise => promise.catch(error => error.code))
    const last = producer.send('orders', { value: 'last' })
    controller.abort()
    expect(await Promise.all(given)).toEqual(['ODK_ABORTED', 'ODK_ABORTED'])
    cluster.create('orders', 1)
    await world.run(() => Promise.all([kept, last]))
    expect(log()).toEqual(['first', 'last'])
    expect(producer.metrics().waitingSends).toBe(0)
  })
})

describe('flush and close', () => {
  test('a flush ends the lingering and waits for everything given before', async () => {
    const { world, producer, log } = open({ lingerMs: 100_000 })
    for (const record of values(3)) void producer.send('orders', record)
    await world.run(() => producer.flush())
    expect(log()).toEqual(['v0', 'v1', 'v2'])
    expect(world.elapsedMs).toBeLessThan(1_000)
  })

  test('close sends what lingers, and ends the sender', async () => {
    const { world, producer, log } = open({ lingerMs: 100_000 })
    const sent = producer.send('orders', { value: 'x' })
    await world.run(() => producer.close())
    expect(await sent).toMatchObject({ offset: 0n })
    expect(log()).toEqual(['x'])
    expect((await world.run(() => world.actors())).filter(({ supervisor }) => supervisor === 'Running')).toEqual([])
  })

  test('close with a timeout fails what is not acknowledged by then', async () => {
    const { world, producer, cluster } = open()
    await world.run(() => producer.send('orders', { value: 'a' }))
    cluster.faults.loseRequest = 1
    const stuck = producer.send('orders', { value: 'b' })
    stuck.catch(() => {})
    await world.run(() => producer.close({ timeoutMs: 500 }))
    await expect(stuck).rejects.toMatchObject({ code: 'ODK_PRODUCER_CLOSED' })
    expect(world.elapsedMs).toBeLessThan(1_000)
  })

  test('a closed producer starts no sender again', async () => {
    const { world, producer, cluster } = open()
    cluster.leaderless.add('orders-0')
    const waiting = producer.send('orders', { value: 'x' })
    waiting.catch(() => {})
    await world.run(() => producer.close({ timeoutMs: 100 }))
    await expect(waiting).rejects.toMatchObject({ code: 'ODK_PRODUCER_CLOSED' })
    await world.advance(5_000)
    expect((await world.run(() => world.actors())).filter(({ supervisor }) => supervisor === 'Running')).toEqual([])
  })

  test('a producer that was never used closes at once', async () => {
    const { world, producer } = open()
    await world.run(() => producer.close())
    expect(await world.run(() => world.actors())).toEqual([])
  })
})

test('interceptors change records and see every outcome; what they throw is ignored', async () => {
  const seen: unknown[] = []
  const { world, producer, log } = open({
    interceptors: [
      {
        onSend: (_, record) => ({ ...record, value: `${record.value}!` }),
        onAcknowledgement: ({ offset }) => seen.push(offset),
      },
      {
        onSend: () => {
          throw new Error('broken')
        },
      },
    ],
  })
  await world.run(() => Promise.all([producer.send('orders', { value: 'a' }), producer.send('orders', values(2))]))
  expect(log()).toEqual(['a!', 'v0!', 'v1!'])
  expect(seen).toEqual([0n, 1n, 2n])
})

test('a partitioner of the user is obeyed, and round-robin spreads evenly', async () => {
  const own = open({ partitioner: ({ value, partitionCount }) => value!.length % partitionCount }, { partitions: 3 })
  await own.world.run(() => own.producer.send('orders', [{ value: 'a' }, { value: 'bb' }, { value: 'ccc' }]))
  expect([0, 1, 2].map(partition => own.log(partition))).toEqual([['ccc'], ['a'], ['bb']])

  const even = open({ partitioner: 'roundRobin' }, { partitions: 3 })
  await even.world.run(() => even.producer.send('orders', values(9)))
  expect([0, 1, 2].map(partition => even.log(partition).length)).toEqual([3, 3, 3])
})

test('partitionsFor tells the partitions and their leaders', async () => {
  const { world, producer } = open({}, { partitions: 2 })
  const partitions = await world.run(() => producer.partitionsFor('orders'))
  expect(partitions).toEqual([
    { partition: 0, leader: 0, replicas: [0], inSyncReplicas: [0] },
    { partition: 1, leader: 1, replicas: [1], inSyncReplicas: [1] },
  ])
})

test('whatever the network does, every acknowledged record is where its acknowledgement says, once and in order (30 seeds)', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { world, producer, cluster, log } = open(
      {
        lingerMs: seed % 3,
        batchSize: 300,
        requestTimeoutMs: 500,
        bufferMemory: 3_000,
        deliveryTimeoutMs: 3_600_000,
        maxBlockMs: 3_600_000,
      },
      { seed, partitions: 3 },
    )
    Object.assign(cluster.faults, { loseRequest: 0.1, loseReply: 0.1, notLeader: 0.1, delayMs: 4 })
    const sent: { key: string; value: string }[] = []
    const acknowledged = await world.run(async () => {
      const all: Promise<unknown>[] = []
      for (let n = 0; n < 120; n++) {
        const records = Array.from({ length: 1 + world.random.int(4) }, (_, i) => ({
          key: `k${world.random.int(7)}`,
          value: `${n}.${i}`,
        }))
        sent.push(...records)
        all.push(
          records.length === 1
            ? producer.send('orders', records[0]!).then(one => [one])
            : producer.send('orders', records).then(many => many.toArray()),
        )
        if (world.random.int(3) === 0)
          await new Promise<void>(resolve => void world.clock.after(world.random.int(10), resolve))
      }
      return (await Promise.all(all)).flat() as { partition: number; offset: bigint }[]
    })
    expect(acknowledged.map(({ partition, offset }) => log(partition)[Number(offset)])).toEqual(
      sent.map(({ value }) => value),
    )
    expect([0, 1, 2].reduce((sum, partition) => sum + log(partition).length, 0)).toBe(sent.length)
    const order = (values: readonly string[]) =>
      values.map(value => Number(value.split('.')[0]) * 10 + Number(value.split('.')[1]))
    for (const partition of [0, 1, 2])
      expect(order(log(partition))).toEqual(order(log(partition)).sort((a, b) => a - b))
    await world.run(() => producer.close())
  }
})
