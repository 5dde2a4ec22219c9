// The producer's options: Java's defaults, Java's names, and what goes together.
import type { InJavasSpelling } from '@odradek/shared/client/java-names'
import { describe, expect, test } from 'vitest'
import { type ProducerOptions, readProducerOptions } from './options.ts'

const read = (given: object) => readProducerOptions({ bootstrapServers: 'localhost:9092', ...given })

test('defaults are those of the Java producer 4.x', () => {
  expect(read({})).toMatchObject({
    acks: -1,
    enableIdempotence: true,
    batchSize: 16_384,
    lingerMs: 5,
    bufferMemory: 33_554_432,
    maxBlockMs: 60_000,
    maxRequestSize: 1_048_576,
    deliveryTimeoutMs: 120_000,
    requestTimeoutMs: 30_000,
    retries: 2_147_483_647,
    maxInFlightRequestsPerConnection: 5,
    compressionType: 'none',
    transactionTimeoutMs: 60_000,
    retryBackoffMs: 100,
    retryBackoffMaxMs: 1_000,
    metadataMaxAgeMs: 300_000,
  })
})

test("Java's names are in the types, each with its option's values or text", () => {
  const given: InJavasSpelling<ProducerOptions> = {
    'linger.ms': 7,
    'max.in.flight.requests.per.connection': '3',
    acks: 'all',
  }
  expect(read(given)).toMatchObject({ lingerMs: 7, maxInFlightRequestsPerConnection: 3, acks: -1 })
  // @ts-expect-error There is no such option.
  expect(() => read({ 'linger.mss': 7 } satisfies InJavasSpelling<ProducerOptions>)).toThrow('did you mean linger.ms?')
})

test("Java's names and spellings are understood", () => {
  const given = {
    acks: 'all',
    'linger.ms': '0',
    'partitioner.class': 'org.apache.kafka.clients.producer.RoundRobinPartitioner',
  }
  expect(read(given)).toMatchObject({ acks: -1, lingerMs: 0, partitioner: 'roundRobin' })
})

test.each([
  [{ linger: 5 }, 'did you mean lingerMs?'],
  [{ 'key.serializer': 'x' }, 'codecs belong to the topic'],
  [{ brokers: ['a:1'] }, 'it is called bootstrapServers'],
  [{ compressionType: 'brotli' }, "one of 'none', 'gzip'"],
  [{ acks: 2 }, "acks must be 'all', 1 or 0, got 2"],
])('%j is refused with what would be right', (given, words) => {
  expect(() => read(given)).toThrow(words)
})

describe('idempotence', () => {
  test.each([[{ acks: 1 }], [{ retries: 0 }], [{ maxInFlightRequestsPerConnection: 6 }]])(
    'is off when %j excludes it, and a conflict when it was asked for',
    given => {
      expect(read(given).enableIdempotence).toBe(false)
      expect(() => read({ ...given, enableIdempotence: true })).toThrow('enableIdempotence does not go with')
      expect(() => read({ ...given, transactionalId: 'tx' })).toThrow('transactionalId does not go with')
    },
  )

  test('is needed by transactions', () => {
    expect(() => read({ transactionalId: 'tx', enableIdempotence: false })).toThrow(
      'transactionalId needs enableIdempotence',
    )
  })
})

test('deliveryTimeoutMs covers linger and one request: raised when left out, refused when too small', () => {
  expect(read({ requestTimeoutMs: 200_000 }).deliveryTimeoutMs).toBe(200_005)
  expect(() => read({ deliveryTimeoutMs: 1_000 })).toThrow(
    'deliveryTimeoutMs must be at least lingerMs + requestTimeoutMs (30005)',
  )
})
