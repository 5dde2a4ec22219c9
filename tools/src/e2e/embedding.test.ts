// What an embedded broker does for tests and study: it begins anew, holds one of its actors up, and places actors as it is told.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { threadBudget } from '@odradek/shared/actor/placement.rules'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { type Broker, createAdmin, createBroker, createConsumer, createProducer, joinBroker } from '../index.ts'
import { BecomingTrue } from './becoming-true.ts'

let dir = ''
let broker: Broker
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-reset-'))
})
afterEach(async () => {
  await broker.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Names of topics by way of the network door. */
async function topics(): Promise<string[]> {
  await using admin = createAdmin({ bootstrapServers: broker.bootstrapServers })
  return (await admin.topics.list()).map(({ name }) => name).sort()
}

/** Folders of logs, but that of the metadata: its id is always the same. */
function storedLogs(): string[] {
  return readdirSync(dir).filter(name => /-\d+\.[\w-]{22}$/.test(name) && !name.startsWith('__cluster_metadata'))
}

async function values(topic: string, groupId: string): Promise<string[]> {
  await using consumer = createConsumer({ bootstrapServers: broker, groupId, autoOffsetReset: 'earliest' })
  const read: string[] = []
  for await (const { value } of consumer.stream(topic)) {
    read.push(String(value))
    if (read.at(-1) === 'last') break
  }
  await consumer.commit()
  return read
}

describe.each([
  ['in memory', () => ({ storage: 'memory' as const })],
  ['on disk', () => ({ dir })],
])('a reset of a broker %s', (_, storage) => {
  beforeEach(async () => {
    broker = await createBroker({ ...storage(), topics: { orders: 2 } })
  })

  it('leaves the topics of its options, empty, and nothing else: no topic, no offset, no transaction', async () => {
    const { bootstrapServers, clusterId } = broker
    await using producer = createProducer({ bootstrapServers: broker, transactionalId: 'a-writer' })
    await producer.transaction(async tx => void (await tx.send('orders', [{ value: 'first' }, { value: 'last' }])))
    await using admin = createAdmin({ bootstrapServers: broker })
    await admin.topics.create({ name: 'more', partitions: 3 })
    expect(await values('orders', 'readers')).toContain('first')
    const stored = storedLogs()
    expect(stored.some(name => name.startsWith('__consumer_offsets-'))).toBe(broker.dir !== null)
    await broker.reset()
    for (const log of stored) expect(storedLogs()).not.toContain(log)
    expect(await topics()).toEqual(['orders'])
    expect(await admin.groups.list()).toEqual([])
    expect({ bootstrapServers: broker.bootstrapServers, clusterId: broker.clusterId }).toEqual({
      bootstrapServers,
      clusterId,
    })
    expect(await broker.health()).toMatchObject({ ok: true })
  })

  it('lets clients that stay open go on: no producer id of before is given to another', async () => {
    await using old = createProducer({ bootstrapServers: broker })
    await old.send('orders', { value: 'before', partition: 0 })
    await broker.reset()
    await using young = createProducer({ bootstrapServers: broker })
    await young.send('orders', { value: 'young', partition: 0 })
    await old.send('orders', { value: 'old', partition: 0 })
    await old.send('orders', { value: 'last', partition: 0 })
    expect(await values('orders', 'readers')).toEqual(['young', 'old', 'last'])
  })

  it('may come many times, and several at once', async () => {
    for (let round = 0; round < 5; round++) {
      await using producer = createProducer({ bootstrapServers: broker })
      await producer.send('orders', { value: 'last', partition: 1 })
      expect(await values('orders', 'readers')).toEqual(['last'])
      await Promise.all([broker.reset(), broker.reset()])
    }
    expect(await topics()).toEqual(['orders'])
  })
})

describe('a broker', () => {
  it('holds up what is asked of a paused leader, and nothing else, until it is resumed', async () => {
    broker = await createBroker({ storage: 'memory', topics: { orders: 2 } })
    await using producer = createProducer({ bootstrapServers: broker })
    await producer.send(
      'orders',
      [0, 1].map(partition => ({ value: 'first', partition })),
    )
    await broker.pause('orders-0')
    let isAcknowledged = false
    const held = producer.send('orders', { value: 'held', partition: 0 }).then(acknowledgement => {
      isAcknowledged = true
      return acknowledgement
    })
    expect(await producer.send('orders', { value: 'free', partition: 1 })).toMatchObject({ offset: 1n })
    const paused = (await broker.actors()).filter(({ state }) => state === 'Paused')
    expect(paused.map(({ address }) => address.name)).toEqual(['orders-0'])
    expect(isAcknowledged).toBe(false)
    await broker.resume('orders-0')
    expect(await held).toMatchObject({ partition: 0, offset: 1n })
    await expect(broker.pause('orders-9')).rejects.toMatchObject({ code: 'ODK_NO_SUCH_ACTOR' })
  })

  it('runs a transactional sender on the thread of its coordinator, unless its placement names another', async () => {
    const threads: (number | null | undefined)[][] = []
    for (const placement of [
      undefined,
      ({ kind }: { readonly kind: string }) => (kind === 'sender' ? 'apart' : undefined),
    ]) {
      broker = await createBroker({
        storage: 'memory',
        listen: false,
        threads: 4,
        topics: { orders: 1 },
        ...(placement && { placement }),
      })
      await using producer = createProducer({ bootstrapServers: broker, transactionalId: 'a-writer' })
      await producer.transaction(async tx => void (await tx.send('orders', { value: 'one' })))
      const actors = await broker.actors()
      const threadOf = (is: (address: { readonly kind: string; readonly name: string }) => boolean) =>
        actors.find(({ address }) => is(address))?.thread
      threads.push([
        threadOf(({ kind }) => kind === 'sender'),
        threadOf(({ name }) => name.startsWith('transaction-coordinator-')),
      ])
      if (placement === undefined) await broker.close()
    }
    const [together, apart] = threads as [number[], number[]]
    expect(together[0]).toBe(together[1])
    expect(apart[0]).not.toBe(apart[1])
  })

  it('has its sockets and all leaders on the one thread of a machine of two cores', async () => {
    broker = await createBroker({ storage: 'memory', threads: threadBudget(2), topics: { t: 3 } })
    await using producer = createProducer({ bootstrapServers: broker.bootstrapServers })
    await Promise.all([0, 1, 2].map(partition => producer.send('t', { value: 'x', partition })))
    const actors = await broker.actors()
    const threadsOf = (kind: string) =>
      new Set(actors.filter(({ address }) => address.kind === kind).map(({ thread }) => thread))
    expect(actors.filter(({ address }) => address.kind === 'partition-leader').length).toBeGreaterThan(3)
    expect(threadsOf('partition-leader')).toEqual(threadsOf('listener'))
  })

  it('puts actors on the threads that its placement names', async () => {
    const placement = ({ kind }: { readonly kind: string }) => (kind === 'partition-leader' ? 'leaders' : undefined)
    broker = await createBroker({ storage: 'memory', threads: 4, topics: { orders: 3 }, placement })
    await using producer = createProducer({ bootstrapServers: broker })
    await producer.send(
      'orders',
      [0, 1, 2].map(partition => ({ value: 'one', partition })),
    )
    const actors = await broker.actors()
    const threadsOf = (kind: string) =>
      new Set(
        actors
          .filter(({ address }) => address.kind === kind && !address.name.startsWith('__'))
          .map(({ thread }) => thread),
      )
    expect(threadsOf('partition-leader').size).toBe(1)
    for (const kind of ['broker', 'sender'])
      expect(threadsOf('partition-leader')).not.toContain([...threadsOf(kind)][0])
  })
})

test.each([
  ['it', () => broker],
  ['its door', () => joinBroker(broker.door())],
])('clients of a broker that was closed say so, used before or not, which came by %s', async (_, open) => {
  broker = await createBroker({ listen: false, storage: 'memory', topics: { orders: 1 } })
  const cluster = { bootstrapServers: open() }
  const used = createProducer(cluster)
  await used.send('orders', { value: 'x' })
  const reading = createConsumer(cluster)
  await reading.assign([{ topic: 'orders', partition: 0 }])
  const [admin, fresh] = [createAdmin(cluster), createProducer(cluster)]
  const transactional = createProducer({ ...cluster, transactionalId: 't' })
  const busy = createProducer({ ...cluster, transactionalId: 'busy' })
  const transaction = await busy.begin()
  await transaction.send('orders', { value: 'x' })
  const late = createConsumer(cluster)
  await broker.close()
  const calls: (() => Promise<unknown>)[] = [
    () => used.send('orders', { value: 'x' }),
    () => fresh.send('orders', { value: 'x' }),
    () => transactional.begin(),
    () => transaction.sendOffsets({ groupId: 'g', offsets: [{ topic: 'orders', partition: 0, offset: 1n }] }),
    () => transaction.commit(),
    () => reading.poll(0),
    () => late.assign([{ topic: 'orders', partition: 0 }]),
    () => admin.topics.list(),
  ]
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ODK_BROKER_CLOSED', fatal: true })
  for (const client of [used, fresh, transactional, busy, reading, late, admin]) await client.close()
})

describe('topics that grow', () => {
  it.each(['classic', 'consumer'] as const)(
    'are known at once to members of the %s protocol, however long they may keep metadata',
    async groupProtocol => {
      broker = await createBroker({
        storage: 'memory',
        listen: false,
        topics: { orders: 2 },
        config: { groupInitialRebalanceDelayMs: 0 },
      })
      const options = { bootstrapServers: broker, groupId: 'readers', groupProtocol }
      const assigned = new BecomingTrue(60_000, () => `assigned: ${members.map(member => member.assignment().length)}`)
      const members = ['a', 'b'].map(clientId =>
        createConsumer({ ...options, clientId, onAssigned: () => assigned.changed() }),
      )
      const sharing = (partitions: number) => () =>
        members.every(member => member.assignment().length === partitions / members.length)
      try {
        for (const member of members) await member.subscribe('orders')
        await assigned.until('each has one of two', sharing(2))
        await using admin = createAdmin({ bootstrapServers: broker })
        await admin.topics.addPartitions({ name: 'orders', count: 6 })
        await assigned.until('each has three of six', sharing(6))
      } finally {
        for (const member of members) await member.close()
      }
    },
  )
})
