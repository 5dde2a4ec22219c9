// Measurements that need a process of their own: `node main.js NAME ARGS` prints one line of JSON and ends when its standard input does.

import { readAdminOptions } from '@odradek/shared/client/admin/admin-options'
import { openClusterDoor } from '@odradek/shared/client/open-door'
import { openClusterLink } from '@odradek/shared/client/open-link'
import { type Broker, createAdmin, createProducer } from '../../index.ts'
import { benchBroker } from '../bench-broker.ts'

type Figures = { readonly [figure: string]: number }

const probes: { readonly [name: string]: (...args: readonly string[]) => Promise<Figures> } = {
  bare: async () => {
    await settled()
    return { rss: process.memoryUsage.rss() }
  },
  start: async dir => {
    const first = await timed(() => benchBroker(dir === undefined ? { storage: 'memory' } : { dir }))
    const second = await timed(() => benchBroker({ storage: 'memory' }))
    return { firstMs: first.ms, firstCpuMs: first.cpuMs, secondMs: second.ms, secondCpuMs: second.cpuMs }
  },
  idle: async () => {
    await benchBroker({ storage: 'memory', topics: { idle: 4 } })
    await settled()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    await pause(5_000)
    const { user, system } = process.cpuUsage(cpu)
    return {
      rss: process.memoryUsage.rss(),
      cpuPercent: (user + system) / 10 / (performance.now() - startedAt),
    }
  },
  fill: async (dir, bytes) => {
    const broker = await benchBroker({ dir: dir!, listen: false, topics: { bench: 8 } })
    return fill(broker, Number(bytes))
  },
  reopen: async dir => {
    const startedAt = performance.now()
    const broker = await benchBroker({ dir: dir!, listen: false })
    const startMs = performance.now() - startedAt
    const producer = createProducer({ bootstrapServers: broker, lingerMs: 0 })
    await producer.send('bench', { value: 'first', partition: 0 })
    return { startMs, firstAckMs: performance.now() - startedAt }
  },
  partitions: async (dir, count) => {
    const broker = await benchBroker({ dir: dir!, listen: false })
    const admin = createAdmin({ bootstrapServers: broker })
    const startedAt = performance.now()
    await admin.topics.create({ name: 'many', partitions: Number(count) })
    const createMs = performance.now() - startedAt
    const producer = createProducer({ bootstrapServers: broker })
    const sentAt = performance.now()
    await producer.send(
      'many',
      Array.from({ length: Number(count) }, (_, partition) => ({ value: 'x', partition })),
    )
    const firstAckMs = performance.now() - sentAt
    const { threads } = await broker.health()
    return { createMs, firstAckMs, threads, rss: process.memoryUsage.rss() }
  },
  'fill-ids': async (dir, count) => initialise(await benchBroker({ dir: dir!, listen: false }), Number(count)),
  'load-ids': async dir => {
    const startedAt = performance.now()
    const broker = await benchBroker({ dir: dir!, listen: false })
    const startMs = performance.now() - startedAt
    const admin = createAdmin({ bootstrapServers: broker })
    // Every coordinator answers, so every one has read its log.
    await admin.transactions.list({ pattern: 'none' })
    const loadedMs = performance.now() - startedAt
    return { startMs, loadedMs, ids: (await admin.transactions.list()).length }
  },
}

const INITIALISED_TOGETHER = 500

/** Gives so many transactional ids their producer ids. */
async function initialise(broker: Broker, count: number): Promise<Figures> {
  const door = openClusterDoor('bench', readAdminOptions({ bootstrapServers: broker }))
  const link = await openClusterLink(door.host, door.link)
  const options = { deadlineMs: 30_000 }
  let next = 0
  const initialiser = async () => {
    for (let index = next++; index < count; index = next++) {
      const transactionalId = `id-${index}`
      const producer = { producerId: -1, producerEpoch: -1, enable2Pc: false, keepPreparedTxn: false }
      const request = { transactionalId, transactionTimeoutMs: 60_000, ...producer }
      const endpoint = await link.coordinator('transaction', transactionalId, options)
      const { errorCode } = await link.request(endpoint, 'InitProducerId', request, options)
      if (errorCode !== 0) throw new Error(`InitProducerId of ${transactionalId} was refused with ${errorCode}`)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: INITIALISED_TOGETHER }, initialiser))
  return { idsPerSecond: count / ((performance.now() - startedAt) / 1_000) }
}

/** Writes until so many bytes are acknowledged, says so, and goes on writing until it is killed. */
async function fill(broker: Broker, bytes: number): Promise<Figures> {
  const producer = createProducer({ bootstrapServers: broker, batchSize: 65_536 })
  const value = Buffer.alloc(1_000, 'x')
  const records = Array.from({ length: 500 }, (_, index) => ({ value, partition: index % 8 }))
  let acknowledged = 0
  const writer = async () => {
    for (;;) {
      await producer.send('bench', records)
      acknowledged += records.length * value.length
    }
  }
  const writers = Promise.race(Array.from({ length: 16 }, writer))
  while (acknowledged < bytes) await Promise.race([pause(10), writers])
  return { bytes: acknowledged }
}

/** Wall time, and CPU of all threads: the second also says something on a busy machine. */
async function timed(work: () => Promise<unknown>): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1_000 }
}

async function settled(): Promise<void> {
  await pause(1_000)
  globalThis.gc?.()
  await pause(200)
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

const [name, ...args] = process.argv.slice(2)
console.log(JSON.stringify(await probes[name!]!(...args)))
process.stdin.resume().on('end', () => process.exit(0))
