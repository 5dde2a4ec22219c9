import type { ClusterLink, Endpoint } from '@odradek/shared/client/cluster-link'
import type { ConsumerInput } from '@odradek/shared/contracts/consumer.contract'
import { expect, test } from 'vitest'
import { FetchRequests } from './fetch-requests.ts'
import { type FetchedPartition, fetchedPartition } from './fetched-partition.ts'
import { learnLeader } from './position-finder.ts'
import { INITIAL_POSITION, type PartitionPosition } from './positions.rules.ts'

const RECORDS_BYTES = 20_000
const FETCHING: PartitionPosition = {
  ...INITIAL_POSITION,
  state: 'Fetching',
  offset: 7,
  offsetEpoch: 2,
  leaderEpoch: 3,
}

/** Fetches two partitions whose records lie in one reply; `kept` says of each whether its buffer is handed on. Resolves with that buffer. */
async function fetched(
  kind: 'wire' | 'port',
  kept: readonly [boolean, boolean],
  meanwhile: (asked: readonly FetchedPartition[]) => void = () => {},
): Promise<{ readonly reply: ArrayBuffer; readonly read: readonly number[] }> {
  const reply = new Uint8Array(2 * RECORDS_BYTES)
  const partitions = [0, 1].map(partitionIndex => ({
    partitionIndex,
    records: reply.subarray(partitionIndex * RECORDS_BYTES, (partitionIndex + 1) * RECORDS_BYTES),
    abortedTransactions: null,
  }))
  const response = { errorCode: 0, sessionId: 0, responses: [{ topic: 't', partitions }] }
  const asked = [0, 1].map(partition => fetchedPartition(partition, 't', partition))
  for (const partition of asked) partition.position = FETCHING
  const request = async () => {
    meanwhile(asked)
    return response
  }
  const link = { topic: () => undefined, request } as unknown as ClusterLink
  const input = { link: { kind }, fetchMaxWaitMs: 500, requestTimeoutMs: 500 } as unknown as ConsumerInput
  const read: number[] = []
  await new Promise<void>(resolve => {
    const requests = new FetchRequests(link, input, {
      answered: ({ partition }, _answer, records) => {
        expect(records.byteLength).toBe(RECORDS_BYTES)
        read.push(partition)
        return kept[partition]!
      },
      missing: () => expect.unreachable(),
      finished: resolve,
    })
    const budget = { partitions: 2, prefetchBytesMax: 1, prefetchRecordsMax: 1, bufferedRecords: 0 }
    requests.send({ id: 'e' } as Endpoint, asked, { ...budget, maxPartitionFetchBytes: 1, fetchBytesMin: 1 })
  })
  return { reply: reply.buffer, read }
}

/** Of both partitions, nobody having moved meanwhile. */
async function replyAfter(kind: 'wire' | 'port', kept: readonly [boolean, boolean]): Promise<ArrayBuffer> {
  const { reply, read } = await fetched(kind, kept)
  expect(read).toEqual([0, 1])
  return reply
}

test('what comes while a new leader is asked whether the place is in its log counts for nothing', async () => {
  const { read } = await fetched('port', [false, false], ([first]) => learnLeader(first!, FETCHING.leaderEpoch + 1))
  expect(read).toEqual([1])
})

test('a reply of the network that nobody keeps is given back at once', async () => {
  expect((await replyAfter('wire', [false, false])).byteLength).toBe(0)
})

test.each([
  [true, false],
  [false, true],
] as const)('a reply that one of its partitions keeps (%s, %s) stays', async (first, second) => {
  expect((await replyAfter('wire', [first, second])).byteLength).toBe(2 * RECORDS_BYTES)
})

test('records of a link that is no network are never touched: each partition has its own', async () => {
  expect((await replyAfter('port', [false, false])).byteLength).toBe(2 * RECORDS_BYTES)
})
