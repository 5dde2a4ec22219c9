// The sender in the simulated world, over a cluster that misbehaves: what it promises about order, loss, duplicates and time.

import { defineActor } from '@odradek/shared/actor/actor'
import { simulate } from '@odradek/shared/actor/simulated-host'
import { KafkaError } from '@odradek/shared/base/errors'
import { type SenderAppendResponse, type SenderContract, sender } from '@odradek/shared/contracts/sender.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { describe, expect, test } from 'vitest'
import { FakeCluster } from './fake-cluster.suite.ts'
import { Sender } from './sender.actor.ts'
import type { SenderPolicy } from './sender-policy.ts'

const POLICY: SenderPolicy = {
  idempotent: true,
  transactionalId: null,
  transactionTimeoutMs: 60_000,
  retries: 2 ** 31 - 1,
  retryBackoffMs: 100,
  retryBackoffMaxMs: 1_000,
  requestTimeoutMs: 30_000,
  maxInFlightRequestsPerConnection: 5,
  maxRequestSize: 1_048_576,
  compressionType: 'none',
  metadataMaxAgeMs: 300_000,
}

function batchOf(...values: string[]): { records: Uint8Array; recordCount: number } {
  const builder = new BatchBuilder({ writeLimit: 1_000_000 })
  for (const value of values) builder.tryAppend(1_000, null, Buffer.from(value))
  return { records: builder.close(), recordCount: values.length }
}

/** A world with one sender over a fake cluster. */
async function open({
  seed = 1,
  policy = {},
  cluster = new FakeCluster(),
}: {
  seed?: number
  policy?: Partial<SenderPolicy>
  cluster?: FakeCluster
} = {}) {
  const warnings: { readonly message: string; readonly fields: object }[] = []
  const world = simulate({ seed, log: line => void (line.level === 'warn' && warnings.push(line)) })
  const definition = defineActor<SenderContract, object>({
    kind: 'sender',
    contract: sender,
    start: context => new Sender(context, cluster.open(context), { ...POLICY, ...policy }).handlers(),
  })
  const link = await world.run(async () => {
    const spawned = await world.spawn(definition, {}, { name: 'sender' })
    return world.link(sender, spawned.address)
  })
  const append = (values: string[], { topic = 'orders', partition = 0, acks = -1, deliveryTimeoutMs = 120_000 } = {}) =>
    link.ask('append', { topic, partition, acks, deliveryTimeoutMs, ...batchOf(...values) })
  return { world, cluster, link, append, warnings }
}

const offsets = (responses: readonly SenderAppendResponse[]) => responses.map(({ parts }) => parts[0]!.baseOffset)

test('batches of one turn are in flight together and keep their order', async () => {
  const { world, cluster, append } = await open()
  cluster.create('orders', 1)
  const responses = await world.run(() => Promise.all([['a', 'b'], ['c'], ['d']].map(values => append(values))))
  expect(offsets(responses)).toEqual([0, 2, 3])
  expect(cluster.partition('orders').log).toEqual(['a', 'b', 'c', 'd'])
})

test('partitions of one broker share requests', async () => {
  const { world, cluster, append } = await open()
  cluster.nodes = 1
  cluster.create('orders', 4)
  await world.run(() => Promise.all([0, 1, 2, 3].map(partition => append(['x'], { partition }))))
  expect(cluster.requests).toEqual([{ acks: -1, batches: 4 }])
})

test('batches with different acks never share a request', async () => {
  const { world, cluster, append } = await open({ policy: { idempotent: false } })
  cluster.nodes = 1
  cluster.create('orders', 2)
  const responses = await world.run(() =>
    Promise.all([append(['x'], { acks: 0 }), append(['y'], { partition: 1, acks: 1 })]),
  )
  expect(cluster.requests.map(({ acks }) => acks).sort()).toEqual([0, 1])
  expect(offsets(responses)).toEqual([-1, 0])
})

test('records are compressed as the policy says', async () => {
  const { world, cluster, append } = await open({ policy: { compressionType: 'gzip' } })
  cluster.create('orders', 1)
  const { sentBytes } = await world.run(() =>
    append(Array.from({ length: 100 }, () => 'the same text again and again')),
  )
  expect(cluster.partition('orders').batches).toMatchObject([{ compression: 'gzip', records: 100 }])
  expect(sentBytes).toBeLessThan(600)
})

describe('trouble', () => {
  test('a topic that is created late is produced to as soon as it is there', async () => {
    const { world, cluster, append } = await open()
    const response = world.run(() => append(['a']))
    world.clock.after(500, () => void cluster.create('orders', 1))
    expect((await response).parts).toMatchObject([{ baseOffset: 0, error: null }])
    expect(cluster.refreshes).toBeGreaterThan(1)
    expect(cluster.refreshes).toBeLessThan(12)
  })

  test('a partition without a leader waits, the others go on', async () => {
    const { world, cluster, append } = await open()
    cluster.create('orders', 2)
    cluster.leaderless.add('orders-0')
    const waiting = append(['a'])
    await world.run(() => append(['b'], { partition: 1 }))
    expect(cluster.partition('orders', 0).log).toEqual([])
    cluster.leaderless.clear()
    await world.run(() => waiting)
    expect(cluster.partition('orders', 0).log).toEqual(['a'])
  })

  test.each([-5, 5])(
    'a wall clock that jumps by %d hours neither ends nor prolongs the wait for an answer',
    async hours => {
      const { world, cluster, append } = await open()
      world.clock.after(100, () => world.jumpWallClock(hours * 3_600_000))
      world.clock.after(500, () => void cluster.create('orders', 1))
      const { parts } = await world.run(() => append(['a'], { deliveryTimeoutMs: 2_000 }))
      expect(parts).toMatchObject([{ baseOffset: 0, error: null }])
      cluster.faults.loseReply = 1
      world.clock.after(100, () => world.jumpWallClock(-hours * 3_600_000))
      const began = world.elapsedMs
      const late = await world.run(() => append(['b'], { deliveryTimeoutMs: 2_000 }))
      expect(late.parts).toMatchObject([{ error: { code: 'ODK_DELIVERY_TIMEOUT' } }])
      expect(world.elapsedMs - began).toBeLessThan(3_000)
    },
  )

  test('a batch that is not acknowledged within deliveryTimeoutMs fails, says whether it was sent, and does not block what follows', async () => {
    const { world, cluster, append } = await open()
    cluster.create('orders', 1)
    cluster.faults.loseReply = 1
    const first = world.run(() => append(['a'], { deliveryTimeoutMs: 2_000 }))
    expect((await first).parts).toMatchObject([{ baseOffset: -1, error: { code: 'ODK_DELIVERY_TIMEOUT' } }])
    expect((await first).parts[0]!.error!.message).toMatch(/perhaps taken/)
    cluster.faults.loseReply = 0
    expect((await world.run(() => append(['b']))).parts).toMatchObject([{ baseOffset: 1, error: null }])
    expect(cluster.partition('orders').log).toEqual(['a', 'b'])
  })

  test('a batch that is not acknowledged in time says why its last attempt failed, and the log is told of the first one', async () => {
    const { world, cluster, append, warnings } = await open()
    cluster.create('orders', 1)
    cluster.errorMessage = 'no log in /data/orders-0'
    cluster.partition('orders').scripted.push(...Array(100).fill(errors.KAFKA_STORAGE_ERROR.code))
    const { parts } = await world.run(() => append(['a'], { deliveryTimeoutMs: 2_000 }))
    expect(parts[0]!.error!.code).toBe('ODK_DELIVERY_TIMEOUT')
    expect(parts[0]!.error!.message).toMatch(
      /; the last attempt failed: KAFKA_STORAGE_ERROR \(no log in \/data\/orders-0\)\)$/,
    )
    expect(warnings.map(({ fields }) => fields)).toMatchObject([
      { topic: 'orders', partition: 0, error: 'KAFKA_STORAGE_ERROR (no log in /data/orders-0)' },
    ])
  })

  test('a single record that the topic does not take is too large, by its size', async () => {
    const { world, cluster, append } = await open()
    cluster.create('orders', 1)
    cluster.partition('orders').maxBatchBytes = 100
    const { parts } = await world.run(() => append(['x'.repeat(500)]))
    expect(parts).toMatchObject([{ baseOffset: -1, error: { code: 'ODK_RECORD_TOO_LARGE' } }])
    expect(parts[0]!.error!.message).toMatch(/^orders-0: MESSAGE_TOO_LARGE: .*\(its batch has 5\d\d bytes\)$/)
  })

  test('a batch that the leader refuses fails with its words, and the next is not held up by the hole', async () => {
    const { world, cluster, append } = await open()
    cluster.create('orders', 1)
    cluster.partition('orders').scripted.push(errors.INVALID_RECORD.code)
    const [refused, next] = await world.run(() => Promise.all([append(['bad']), append(['good'])]))
    expect(refused!.parts[0]!.error).toMatchObject({
      code: 'ODK_BROKER_ERROR',
      detail: { kafkaCode: errors.INVALID_RECORD.code },
    })
    expect(next!.parts).toMatchObject([{ baseOffset: 0, error: null }])
  })

  test('a batch that is too large is split until it fits; its parts are answered together, in order', async () => {
    const { world, cluster, append } = await open()
    const [partition] = cluster.create('orders', 1)
    partition!.maxBatchBytes = 140
    const values = Array.from({ length: 8 }, (_, n) => `value-${n}`.padEnd(20, '.'))
    const [split, next] = await world.run(() => Promise.all([append(values), append(['z'])]))
    expect(partition!.log).toEqual([...values, 'z'])
    expect(split!.parts.length).toBeGreaterThan(1)
    expect(split!.parts.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(8)
    expect(split!.parts.map(({ baseOffset }) => baseOffset)).toEqual(
      split!.parts.map((_, i) => (8 / split!.parts.length) * i),
    )
    expect(next!.parts).toMatchObject([{ baseOffset: 8 }])
  })

  test('a leader that lost its producer state is met with a new epoch, not with a loss', async () => {
    const { world, cluster, append } = await open()
    const [partition] = cluster.create('orders', 1)
    await world.run(() => append(['a']))
    const [state] = partition!.producers.values()
    state!.lastSequence = 500
    await world.run(() => Promise.all([append(['b']), append(['c'])]))
    expect(partition!.log).toEqual(['a', 'b', 'c'])
    expect([...partition!.producers.values()]).toMatchObject([{ epoch: 1, lastSequence: 1 }])
  })

  test('a producer id that is refused for now is asked for again, for good fails everything', async () => {
    const { world, cluster, append } = await open()
    cluster.create('orders', 1)
    cluster.producerIdErrors.push(errors.COORDINATOR_LOAD_IN_PROGRESS.code, errors.COORDINATOR_NOT_AVAILABLE.code)
    expect((await world.run(() => append(['a']))).parts).toMatchObject([{ error: null }])

    const denied = new FakeCluster()
    denied.create('orders', 1)
    denied.producerIdErrors.push(errors.CLUSTER_AUTHORIZATION_FAILED.code)
    const other = await open({ cluster: denied })
    const response = await other.world.run(() => other.append(['a']))
    expect(response.parts[0]!.error).toMatchObject({
      detail: { fatal: true, kafkaCode: errors.CLUSTER_AUTHORIZATION_FAILED.code },
    })
  })
})

describe('topic metadata', () => {
  test('is told as soon as the topic is usable, and again when it grows', async () => {
    const { world, cluster, link } = await open()
    const told: number[] = []
    link.on('topicMetadata', ({ partitions }) => told.push(partitions.length))
    world.clock.after(300, () => void cluster.create('orders', 2))
    const metadata = await world.run(() => link.ask('metadata', { topic: 'orders', maxBlockMs: 60_000 }))
    expect(metadata.partitions.map(({ partition }) => partition)).toEqual([0, 1])
    cluster.create('orders', 3)
    await world.advance(400_000)
    expect(told.at(-1)).toBe(3)
  })

  test('that a cluster refuses to tell fails at once, with its reason', async () => {
    const { world, cluster, link } = await open()
    cluster.refreshFailure = new KafkaError('ODK_SASL_AUTHENTICATION_FAILED', 'wrong password', { fatal: true })
    const asked = world.run(() => link.ask('metadata', { topic: 'orders', maxBlockMs: 60_000 }))
    await expect(asked).rejects.toMatchObject({
      code: 'ODK_SASL_AUTHENTICATION_FAILED',
      message: expect.stringContaining('wrong password'),
    })
    expect(cluster.refreshes).toBe(1)
  })

  test('that no broker tells within maxBlockMs is an error that says why none did', async () => {
    const { world, cluster, link } = await open()
    cluster.refreshFailure = new KafkaError('ODK_NETWORK_EXCEPTION', 'connect ECONNREFUSED', { retriable: true })
    const asked = world.run(() => link.ask('metadata', { topic: 'orders', maxBlockMs: 5_000 }))
    await expect(asked).rejects.toMatchObject({
      code: 'ODK_METADATA_TIMEOUT',
      message: expect.stringMatching(/maxBlockMs: connect ECONNREFUSED/),
    })
  })

  test('that does not come within maxBlockMs is an error that says so', async () => {
    const { world, link } = await open()
    await expect(world.run(() => link.ask('metadata', { topic: 'none', maxBlockMs: 5_000 }))).rejects.toMatchObject({
      code: 'ODK_METADATA_TIMEOUT',
      message: expect.stringMatching(/maxBlockMs.*UNKNOWN_TOPIC_OR_PARTITION/),
    })
  })
})

test('through lost requests, lost replies and moving leaders, nothing is lost, doubled or reordered (50 seeds)', async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { world, cluster, append } = await open({ seed, policy: { requestTimeoutMs: 500 } })
    cluster.create('orders', 3)
    Object.assign(cluster.faults, { loseRequest: 0.15, loseReply: 0.15, notLeader: 0.1, delayMs: 5 })
    const sent: string[][] = [[], [], []]
    const responses = await world.run(async () => {
      const all: Promise<SenderAppendResponse>[] = []
      for (let n = 0; n < 60; n++) {
        const partition = world.random.int(3)
        const values = Array.from({ length: 1 + world.random.int(3) }, (_, i) => `${n}.${i}`)
        sent[partition]!.push(...values)
        all.push(append(values, { partition, deliveryTimeoutMs: 3_600_000 }))
        if (world.random.int(4) === 0)
          await new Promise<void>(resolve => void world.clock.after(world.random.int(20), resolve))
      }
      return Promise.all(all)
    })
    expect(responses.flatMap(({ parts }) => parts.filter(({ error }) => error !== null))).toEqual([])
    expect(cluster.topics.get('orders')!.map(({ log }) => log)).toEqual(sent)
    await world.close()
  }
})
