// The fear: memory that is used again for the next request while somebody still reads the last one. Many connections, many sizes, everything at once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as batch from '@odradek/shared/records/record-batch'
import { describe, expect, test } from 'vitest'
import { createBroker } from '../create-broker.ts'
import { sampleBatch } from '../partition/sample-batches.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { fetch, produce } from './sample-requests.suite.ts'

const PRODUCERS = 6
const ROUNDS = 24
const PIPELINED = 3
/** Values that make frames below and above a socket's read, a lent buffer's classes, and the cut between lent and own. */
const valueSizes = [10, 1_000, 4_000, 8_300, 16_300, 60_000, 130_000, 300_000]

interface Seen {
  readonly crcs: Set<number>
  damaged: number
}

/** Reads as many batches of the topic's first partition, checking each as it comes. */
async function readAll(address: string, batches: number, maxBytes: number): Promise<Seen> {
  const client = await RawClient.open(address)
  const seen: Seen = { crcs: new Set(), damaged: 0 }
  for (let offset = 0, read = 0; read < batches; ) {
    const { responses } = await client.ask('Fetch', 12, fetch('t', offset, { maxWaitMs: 1_000, maxBytes }))
    const { records, errorCode } = responses[0]!.partitions[0]!
    expect(errorCode).toBe(0)
    batch.forEachBatch(records!, at => {
      if (batch.computeBatchCrc(records!, at) !== batch.batchCrc(records!, at)) seen.damaged++
      seen.crcs.add(batch.batchCrc(records!, at))
      read++
      offset = batch.nextOffset(records!, at)
    })
  }
  client.close()
  return seen
}

describe.each([
  ['in memory, on the thread of the sockets', 'memory', 0],
  ['in LMDB, on the thread of the sockets', 'lmdb', 0],
  ['in LMDB, on threads of their own', 'lmdb', 2],
] as const)('batches stored %s', (_name, storage, threads) => {
  test('are stored and served as they were sent, whoever else sends and reads meanwhile', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'odradek-lent-'))
    const where = storage === 'lmdb' ? { storage, dir } : { storage }
    const broker = await createBroker({ ...where, threads, topics: { t: 1 }, listen: true })
    const sent = new Set<number>()
    const producers = Array.from({ length: PRODUCERS }, async (_, producer) => {
      const client = await RawClient.open(broker.bootstrapServers)
      const pipelined: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const valueBytes = valueSizes[(producer + round) % valueSizes.length]!
        const timestamp = 1_000_000 * producer + 1_000 * round
        const records = sampleBatch({ records: 1 + (round % 3), valueBytes, timestamp })
        sent.add(batch.batchCrc(records, 0))
        pipelined.push(await client.send('Produce', 9, produce('t', records)))
        // Some are in flight together, and what they lay in is used again by those after them.
        if (pipelined.length < PIPELINED && round + 1 < ROUNDS) continue
        for (const correlationId of pipelined.splice(0))
          expect(Buffer.from((await client.frame())!).readInt32BE(0)).toBe(correlationId)
      }
      client.close()
    })
    const readers = [20_000, 1_000_000].map(maxBytes => readAll(broker.bootstrapServers, PRODUCERS * ROUNDS, maxBytes))
    await Promise.all(producers)
    expect(sent.size).toBe(PRODUCERS * ROUNDS)
    for (const reader of [...readers, readAll(broker.bootstrapServers, PRODUCERS * ROUNDS, 100_000)])
      expect(await reader).toEqual({ crcs: sent, damaged: 0 })
    await broker.close()
    rmSync(dir, { recursive: true })
  })
})
