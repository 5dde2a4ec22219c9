// Compaction as a leader does it: when it looks, what others notice, and what a coordinator reads afterwards. Virtual time.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeGroupRecord } from '@odradek/coordinator/group/group.records'
import { readLog } from '@odradek/coordinator/runtime/shard-loader'
import { simulate } from '@odradek/shared/actor/simulated-host'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import * as batch from '@odradek/shared/records/record-batch'
import { afterEach, describe, expect, it } from 'vitest'
import { lmdbLogStore } from '../log/lmdb-log-store.ts'
import { compact, config } from '../log/log-fixtures.suite.ts'
import { openGate } from '../log/partition-log.ts'
import { stampBatch } from '../log/stored-batches.rules.ts'
import { IDENTITY, type LeaderUnderTest, START_MS, startLeader, withLeader } from './partition-leader.suite.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const compacted = { 'cleanup.policy': 'compact', 'internal.segment.bytes': '1000', 'log.cleaner.backoff.ms': '15000' }

const keyOf = (name: string) => new Uint8Array(Buffer.from(name))

/** Appends `count` records of one batch each, keys in turn. */
async function fill(leader: LeaderUnderTest, count: number, keys: readonly string[], timestamp = START_MS) {
  for (let n = 0; n < count; n++) {
    await leader.append({ key: keyOf(keys[n % keys.length]!), valueBytes: 50, timestamp })
  }
}

/** Records that the log holds, batch headers aside. */
async function recordCount(leader: LeaderUnderTest): Promise<number> {
  let count = 0
  const { logStartOffset, logEndOffset } = await leader.describeLog()
  for (let offset = logStartOffset; offset < logEndOffset; ) {
    const { records } = await leader.fetch(offset)
    for (const at of batch.batchPositions(records)) {
      count += batch.recordCount(records, at)
      offset = batch.nextOffset(records, at)
    }
  }
  return count
}

describe('compaction', () => {
  it(
    'comes log.cleaner.backoff.ms after an append, while appends and fetches are answered',
    withLeader(
      async leader => {
        await fill(leader, 100, ['a', 'b', 'c'])
        expect(await recordCount(leader)).toBe(100)
        await leader.pass(14_000)
        expect(await recordCount(leader)).toBe(100)
        await leader.pass(1_500)
        const meanwhile = [leader.append({ key: keyOf('a') }), leader.append({ key: keyOf('z') })]
        expect(await Promise.all(meanwhile)).toEqual([
          ['NONE', 100],
          ['NONE', 101],
        ])
        await leader.pass(5_000)
        expect(await recordCount(leader)).toBeLessThan(20)
        expect(await leader.describeLog()).toMatchObject({ logStartOffset: 0, logEndOffset: 102 })
      },
      { configs: compacted, limits: { compactionSliceBytes: 500 } },
    ),
  )

  it(
    'comes again after further appends, whatever the last look found',
    withLeader(
      async leader => {
        await leader.append({ key: keyOf('a') })
        await leader.pass(20_000)
        await fill(leader, 100, ['a', 'b'])
        await leader.pass(20_000)
        expect(await recordCount(leader)).toBeLessThan(20)
        await fill(leader, 100, ['a', 'b'])
        await leader.pass(20_000)
        expect(await recordCount(leader)).toBeLessThan(20)
      },
      { configs: compacted },
    ),
  )

  it(
    'a quiet log is rolled and compacted when its records reach max.compaction.lag.ms',
    withLeader(
      async leader => {
        await fill(leader, 5, ['a'])
        await leader.pass(50_000)
        expect(await recordCount(leader)).toBe(5)
        await leader.pass(60_000)
        expect(await recordCount(leader)).toBe(1)
        const { segments } = await leader.describeLog()
        await leader.pass(600_000)
        expect((await leader.describeLog()).segments).toBe(segments)
      },
      { configs: { ...compacted, 'max.compaction.lag.ms': '60000' } },
    ),
  )

  it(
    'a topic that becomes compacted is compacted, one that is not any more is left alone',
    withLeader(async leader => {
      const configs = { 'internal.segment.bytes': '1000' }
      await leader.link.ask('configure', { configs })
      await fill(leader, 40, ['a'])
      await leader.pass(60_000)
      expect(await recordCount(leader)).toBe(40)
      await leader.link.ask('configure', { configs: compacted })
      await leader.pass(20_000)
      const left = await recordCount(leader)
      expect(left).toBeLessThan(20)
      await leader.link.ask('configure', { configs })
      await fill(leader, 40, ['a'])
      await leader.pass(60_000)
      expect(await recordCount(leader)).toBe(left + 40)
    }),
  )

  it(
    'a leader that is killed in the middle of a round does it again, and another leader of the thread gets its turn',
    withLeader(
      async leader => {
        await fill(leader, 100, ['a', 'b'])
        await leader.pass(15_010)
        const next = await leader.restarted()
        expect(await recordCount(next)).toBeGreaterThan(50)
        await next.pass(20_000)
        expect(await recordCount(next)).toBeLessThan(20)
      },
      { configs: compacted, limits: { compactionSliceBytes: 100 }, threads: 0 },
    ),
  )

  it(
    'a repeat of the last batch of a producer is known after its records were compacted away',
    withLeader(
      async leader => {
        const once = { producerId: 9, producerEpoch: 0, baseSequence: 0, key: keyOf('a') }
        expect(await leader.append(once)).toEqual(['NONE', 0])
        await fill(leader, 100, ['a'])
        await leader.pass(20_000)
        expect(await recordCount(leader)).toBeLessThan(20)
        const restarted = await leader.restarted()
        expect(await restarted.append(once)).toEqual(['NONE', 0])
        expect(await restarted.append({ ...once, baseSequence: 1 })).toEqual(['NONE', 101])
      },
      { configs: compacted },
    ),
  )
})

describe('an internal topic', () => {
  const segmentBytes = 4_000_000

  it(
    'stays bounded however many offsets are committed, and its coordinator reads the same state from a leader that was restarted',
    withLeader(
      async leader => {
        const commits = offsetCommits({ commits: 200_000, keys: 1_000 })
        for (const records of commits.batches()) {
          expect((await leader.append(records, { origin: 'coordinator' }))[0]).toBe('NONE')
          await leader.pass(400)
        }
        await leader.pass(60_000)
        const { sizeInBytes, logEndOffset } = await leader.describeLog()
        expect(logEndOffset).toBe(200_000)
        // At most the active segment, and as much again that is dirty.
        expect(sizeInBytes).toBeLessThan(2 * segmentBytes)
        expect(await replayed(await leader.restarted())).toEqual(commits.last)
      },
      { configs: { 'cleanup.policy': 'compact', 'segment.bytes': String(segmentBytes) } },
    ),
  )

  it('of 1,000,000 offset commits of 1,000 keys is a bounded LMDB log, and a coordinator reads the same state after compaction and a kill', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'odradek-compaction-'))
    folders.push(dir)
    const store = lmdbLogStore(dir, { gate: openGate })
    const { log } = store.open(IDENTITY)
    const commits = offsetCommits({ commits: 1_000_000, keys: 1_000 })
    let largest = 0
    for (const records of commits.batches()) {
      log.append({ batches: [stampBatch(records, log.logEndOffset, 3)], now: START_MS }, { ...config, segmentBytes })
      await compact(log, { minCleanableDirtyRatio: 0.5, segmentBytes }, { stepBytes: 2 ** 20 })
      largest = Math.max(largest, log.stats().fileBytes)
    }
    expect(log.logEndOffset).toBe(1_000_000)
    // The active segment, one that waits for its round, and what is kept.
    expect(log.segments().length).toBeLessThanOrEqual(3)
    expect(largest).toBeLessThan(4 * segmentBytes)
    store.close()

    const world = simulate({ seed: 1 })
    await world.run(async () => {
      const leader = await startLeader(world, { storage: { kind: 'lmdb', dir } })
      expect(await replayed(leader)).toEqual(commits.last)
    })
  }, 120_000)
})

/** Offset commits of so many groups in turn, as a coordinator writes them; `last` holds the last value of each key when all batches are made. */
function offsetCommits({ commits, keys }: { readonly commits: number; readonly keys: number }) {
  const last = new Map<string, string>()
  const topicId = 'AbCdEfGhIjKlMnOpQrStUw'
  function* batches() {
    const builder = new BatchBuilder({ writeLimit: 2 ** 20 })
    for (let n = 0; n < commits; n++) {
      const { key, value } = encodeGroupRecord({
        kind: 'OffsetCommit',
        key: { group: `group-${n % keys}`, topic: 'orders', partition: n % 4 },
        value: { offset: n, leaderEpoch: 0, metadata: '', commitTimestamp: START_MS, expireTimestamp: -1, topicId },
      })
      builder.tryAppend(START_MS, key, value)
      if (n >= commits - keys) last.set(latin1(key!), latin1(value!))
      if (builder.recordCount === 2_000) yield builder.build()
    }
  }
  return { last, batches }
}

/** What a coordinator that loads from the leader ends up with. */
async function replayed(leader: LeaderUnderTest): Promise<Map<string, string>> {
  const state = new Map<string, string>()
  await readLog(leader.link, {
    record: (key, value) => {
      if (value === null) state.delete(latin1(key!))
      else state.set(latin1(key!), latin1(value))
    },
    marker: () => undefined,
    wanted: () => true,
  })
  return state
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
