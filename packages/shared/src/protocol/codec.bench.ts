// What a request costs before anybody looks at its records: decode and encode of Produce and Fetch, of a small request each
// way, and of a metadata response with many partitions. Ratios count, not the absolute numbers.

import { bench, describe } from 'vitest'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse, peekRequestHeader } from './frame.ts'
import { produceRequest, produceResponse } from './messages/00-produce.ts'
import { fetchRequest, fetchResponse } from './messages/01-fetch.ts'
import { metadataResponse } from './messages/03-metadata.ts'
import { heartbeatRequest, heartbeatResponse } from './messages/12-heartbeat.ts'
import type { Fields, Message, StructValue } from './schema.ts'

const TOPIC_ID = 'ABEiM0RVZneImaq7zN3u_w'
const envelope = { correlationId: 1, clientId: 'producer-1' }
const records = new Uint8Array(16 * 1024)
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

function benchRequest<F extends Fields>(
  name: string,
  message: Message<F>,
  version: number,
  value: StructValue<F>,
): void {
  const frame = Buffer.concat(encodeRequest(message, version, envelope, value as never)).subarray(4)
  const bytes = Uint8Array.from(frame)
  bench(`${name}: decode`, () => {
    decodeRequest(message, peekRequestHeader(bytes), bytes)
  })
  bench(`${name}: encode`, () => {
    encodeRequest(message, version, envelope, value as never)
  })
}

function benchResponse<F extends Fields>(name: string, message: Message<F>, version: number, value: object): void {
  const bytes = Uint8Array.from(Buffer.concat(encodeResponse(message, version, 1, value as never)).subarray(4))
  bench(`${name}: decode`, () => {
    decodeResponse(message, version, bytes)
  })
  bench(`${name}: encode`, () => {
    encodeResponse(message, version, 1, value as never)
  })
}

const produceOf = (partitions: number) => ({
  transactionalId: null,
  acks: -1,
  timeoutMs: 30_000,
  topicData: [{ name: '', topicId: TOPIC_ID, partitionData: many(partitions, index => ({ index, records })) }],
})

const fetchOf = (partitions: number) => ({
  maxWaitMs: 500,
  minBytes: 1,
  sessionId: 5,
  sessionEpoch: 9,
  topics: [
    {
      topicId: TOPIC_ID,
      partitions: many(partitions, partition => ({ partition, fetchOffset: 1000, partitionMaxBytes: 1 << 20 })),
    },
  ],
})

const fetchedOf = (partitions: number) => ({
  sessionId: 5,
  responses: [
    {
      topicId: TOPIC_ID,
      partitions: many(partitions, partitionIndex => ({
        partitionIndex,
        highWatermark: 1e6,
        lastStableOffset: 1e6,
        records,
      })),
    },
  ],
})

describe('produce v12, 1 partition', () => {
  benchRequest('request', produceRequest, 12, produceOf(1) as never)
  benchResponse('response', produceResponse, 12, {
    responses: [{ name: 'orders', partitionResponses: [{ index: 0, baseOffset: 1e9 }] }],
  })
})

describe('produce v13, 100 partitions', () => {
  benchRequest('request', produceRequest, 13, produceOf(100) as never)
})

describe('fetch v17, 1 partition', () => {
  benchRequest('request', fetchRequest, 17, fetchOf(1) as never)
  benchResponse('response', fetchResponse, 17, fetchedOf(1))
})

describe('fetch v17, 100 partitions', () => {
  benchRequest('request', fetchRequest, 17, fetchOf(100) as never)
  benchResponse('response', fetchResponse, 17, fetchedOf(100))
})

describe('heartbeat v4', () => {
  const memberId = 'consumer-1-ab2c9d1e-7f3b-4c58-9d62-0e1f2a3b4c5d'
  benchRequest('request', heartbeatRequest, 4, {
    groupId: 'billing',
    generationId: 7,
    memberId,
    groupInstanceId: null,
  })
  benchResponse('response', heartbeatResponse, 4, { errorCode: 0 })
})

describe('metadata v13, 1000 partitions', () => {
  benchResponse('response', metadataResponse, 13, {
    brokers: [{ nodeId: 1, host: '127.0.0.1', port: 9092 }],
    topics: [
      {
        name: 'orders',
        topicId: TOPIC_ID,
        partitions: many(1000, partitionIndex => ({ partitionIndex, leaderId: 1, replicaNodes: [1], isrNodes: [1] })),
      },
    ],
  })
})
