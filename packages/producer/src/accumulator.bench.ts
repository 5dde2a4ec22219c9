// What a record costs in the caller's thread, against the bare copy of its bytes into a buffer. Read the ratios, not the times.
import { seededRandom } from '@odradek/shared/base/random'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { bench, describe } from 'vitest'
import { Accumulator, type AppendContext } from './accumulator.ts'
import { RecordEncoder } from './record-encoder.ts'
import { RecordPlacer } from './record-placer.ts'
import { TopicQueues } from './topic-queues.ts'
import type { WaitingSends } from './waiting-sends.ts'

const RECORDS = 10_000
const BATCH_BYTES = 65_536

function road() {
  const options = {
    batchSize: BATCH_BYTES,
    lingerMs: 5,
    bufferMemory: 1e9,
    partitioner: 'default',
    partitionerIgnoreKeys: false,
    interceptors: [],
    maxRequestSize: 1e6,
  } as const
  const accumulator = new Accumulator(options)
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const clock = { now: () => 1_000, monotonic: () => 1, after: () => ({ cancel() {} }) }
  const encoder = new RecordEncoder(options, { clock, log: silent })
  const placer = new RecordPlacer(options, accumulator, seededRandom(1))
  const queues = new TopicQueues('orders', true, undefined as unknown as WaitingSends)
  const partitions = [0, 1, 2, 3].map(partition => ({ partition, leader: 0, replicas: [], inSyncReplicas: [] }))
  queues.update({ topic: 'orders', errorCode: 0, partitions })
  const context: AppendContext = { acks: -1, now: () => 1 }
  const complete = () => {
    for (let batch = accumulator.takeReady(); batch !== undefined; batch = accumulator.takeReady())
      accumulator.completed(batch)
  }
  return { encoder, placer, queues, context, complete }
}

describe(`${RECORDS} records of 100 bytes`, () => {
  const value = Buffer.alloc(100, 'x')
  const text = 'x'.repeat(100)
  const buffer = Buffer.alloc(BATCH_BYTES)

  bench('bare: copied into a buffer', () => {
    for (let i = 0, at = 0; i < RECORDS; i++) {
      if (at + 108 > BATCH_BYTES) at = 0
      buffer.set(value, at)
      at += 108
    }
  })

  const plain = road()
  const raw = topic('orders')
  bench('encoded, placed, batched: bytes without key', () => {
    for (let i = 0; i < RECORDS; i++)
      plain.placer.place(plain.queues, plain.encoder.encode(raw, { value }), plain.context)
    plain.complete()
  })

  const keyed = road()
  const typed = topic('orders', { key: string(), value: string() })
  const keys = Array.from({ length: 64 }, (_, n) => `customer-${n}`)
  bench('encoded, placed, batched: text with key', () => {
    for (let i = 0; i < RECORDS; i++) {
      keyed.placer.place(keyed.queues, keyed.encoder.encode(typed, { key: keys[i & 63]!, value: text }), keyed.context)
    }
    keyed.complete()
  })
})
