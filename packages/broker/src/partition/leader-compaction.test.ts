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
import { type LeaderUnderTest, START_MS, startLeader, withLeader } from './partition-leader.suite.ts'

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
  it('of 1,000,000 offset commits of 1,000 keys stays bounded, and a coordinator reads the same state after compaction and a restart', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'odradek-compaction-'))
    folders.push(dir)
    const world = simulate({ seed: 1 })
    await world.run(async () => {
      const configs = { 'cleanup.policy': 'compact', 'segment.bytes': '8000000' }
      const leader = await startLeader(world, { configs, storage: { kind: 'lmdb', dir } })
      const expected = await commitOffsets(leader, { commits: 1_000_000, keys: 1_000 })
      await leader.pass(60_000)
      const { sizeInBytes, logEndOffset, segments } = await leader.describeLog()
      expect(logEndOffset).toBe(1_000_000)
      // At most the active segment, as much again that is dirty, and what is kept.
      expect(sizeInBytes).toBeLessThan(2 * 8_000_000)
      expect(segments).toBeLessThan(5)
      const restarted = await leader.restarted()
      expect(await replayed(restarted)).toEqual(expected)
    })
  }, 120_000)
})

/** Commits in turn for every key; answers the last value of each. */
async function commitOffsets(
  leader: LeaderUnderTest,
  { commits, keys }: { readonly commits: number; readonly keys: number },
): Promise<Map<string, string>> {
  const expected = new Map<string, string>()
  const builder = new BatchBuilder({ writeLimit: 2 ** 20 })
  for (let n = 0; n < commits; n++) {
    const { key, value } = encodeGroupRecord({
      kind: 'OffsetCommit',
      key: { group: `group-${n % keys}`, topic: 'orders', partition: n % 4 },
      value: {
        offset: n,
        leaderEpoch: 0,
        metadata: '',
        commitTimestamp: START_MS,
        expireTimestamp: -1,
        topicId: 'AbCdEfGhIjKlMnOpQrStUw',
      },
    })
    builder.tryAppend(START_MS, key, value)
    if (n >= commits - keys) expected.set(latin1(key), latin1(value!))
    if (builder.recordCount < 2_000) continue
    expect((await leader.append(builder.build(), { origin: 'coordinator' }))[0]).toBe('NONE')
    if (n % 200_000 < 2_000) await leader.pass(20_000)
  }
  return expected
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
