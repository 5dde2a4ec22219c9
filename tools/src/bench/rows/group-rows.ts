// Rows about groups: rebalances, commits, loading of offsets, and many members on one thread.
import { createConsumer } from '@odradek/consumer'
import { createAdmin } from '@odradek/shared/client/admin'
import { Latencies } from '../../load/latencies.ts'
import { benchBroker } from '../bench-broker.ts'
import { inDirectory } from '../bench-directory.ts'
import { atLeast, atMost, type BenchFigure, type BenchRow, reported } from '../bench-row.ts'
import { type MemberDouble, MemberRequests } from './member-requests.ts'
import { rebalance } from './rebalance-row.ts'

const COMMIT_SECONDS = 3

/** Each commit awaited before the next; then four callers of one member, each awaiting its own. */
async function commits(): Promise<BenchFigure[]> {
  await using broker = await benchBroker({ storage: 'memory', listen: false, topics: { bench: 4 } })
  await using consumer = createConsumer({ bootstrapServers: broker, groupId: 'bench', enableAutoCommit: false })
  await consumer.subscribe('bench')
  while (consumer.assignment().length < 4) await consumer.poll(10)
  const run = async (callers: number) => {
    const endAt = performance.now() + COMMIT_SECONDS * 1_000
    let done = 0
    const caller = async (partition: number) => {
      for (let offset = 1; performance.now() < endAt; offset++) {
        await consumer.commit([{ topic: 'bench', partition, offset }])
        done++
      }
    }
    await Promise.all(Array.from({ length: callers }, (_, partition) => caller(partition)))
    return done / COMMIT_SECONDS
  }
  await run(1)
  return [reported('one caller: commits/s', await run(1)), atLeast('four callers: commits/s', await run(4), 5_000)]
}

const OFFSET_GROUPS = 1_000
const OFFSET_PARTITIONS = 1_000

/** Offsets of 1,000 groups over 1,000 partitions, then a restart: until the coordinator has loaded them and answers. */
function offsetLoad(): Promise<BenchFigure[]> {
  return inDirectory(async dir => {
    const config = { 'offsets.topic.num.partitions': '1' }
    const settings = { dir, listen: false as const, config, topics: { bench: OFFSET_PARTITIONS } }
    {
      await using broker = await benchBroker(settings)
      const members = await MemberRequests.open(broker)
      for (let group = 0; group < OFFSET_GROUPS; group++) {
        const partitions = Array.from({ length: OFFSET_PARTITIONS }, (_, partitionIndex) => ({
          partitionIndex,
          committedOffset: group,
          committedLeaderEpoch: -1,
          committedMetadata: '',
        }))
        const answer = await members.ask(`group-${group}`, 'OffsetCommit', {
          groupId: `group-${group}`,
          generationIdOrMemberEpoch: -1,
          memberId: '',
          groupInstanceId: null,
          retentionTimeMs: -1,
          topics: [{ name: 'bench', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions }],
        })
        const refused = answer.topics[0]!.partitions.find(({ errorCode }) => errorCode !== 0)
        if (refused) throw new Error(`a commit was refused: ${refused.errorCode}`)
      }
      await members.close()
    }
    await using broker = await benchBroker(settings)
    await using admin = createAdmin({ bootstrapServers: broker })
    const before = performance.now()
    const offsets = await admin.groups.offsets(`group-${OFFSET_GROUPS - 1}`)
    const seconds = (performance.now() - before) / 1_000
    if (offsets.length !== OFFSET_PARTITIONS) throw new Error(`${offsets.length} offsets came back`)
    return [atMost('1 M offsets loaded, s', seconds, 3)]
  })
}

const BEAT_INTERVAL_MS = 3_000
const BEATS = 4

/** Every member heartbeats in its interval, evenly spread; all groups are on one coordinator shard, everything on one lane. */
async function crowd(groups: number, membersEach: number): Promise<BenchFigure[]> {
  const config = { 'offsets.topic.num.partitions': '1', 'group.initial.rebalance.delay.ms': '100' }
  await using broker = await benchBroker({ storage: 'memory', listen: false, threads: 1, config })
  const requests = await MemberRequests.open(broker)
  const begun = performance.now()
  const members: MemberDouble[] = []
  for (let first = 0; first < groups; first += 50) {
    const some = Array.from({ length: Math.min(50, groups - first) }, (_, group) => `group-${first + group}`)
    const joining = some.flatMap(group => Array.from({ length: membersEach }, () => requests.join(group)))
    members.push(...(await Promise.all(joining)))
  }
  const joinedMs = performance.now() - begun
  const latencies = new Latencies()
  let lost = 0
  const beat = async (member: MemberDouble, dueMs: number) => {
    const errorCode = await requests.beat(member)
    if (errorCode !== 0) lost++
    latencies.record(performance.now() - dueMs)
  }
  const startedAt = performance.now()
  const pending: Promise<void>[] = []
  for (let at = 0; at < members.length * BEATS; at++) {
    const dueMs = startedAt + (at * BEAT_INTERVAL_MS) / members.length
    while (performance.now() < dueMs) await new Promise(resolve => setTimeout(resolve, 1))
    pending.push(beat(members[at % members.length]!, dueMs))
  }
  await Promise.all(pending)
  const size = `${groups} x ${membersEach}`
  const { p50, p99, max } = latencies.figures()
  await requests.close()
  return [
    reported(`${size}: all joined, ms`, joinedMs),
    reported(`${size}: heartbeat p50 ms`, p50),
    reported(`${size}: heartbeat p99 ms`, p99),
    atMost(`${size}: heartbeat max ms`, max, BEAT_INTERVAL_MS),
    atMost(`${size}: members lost`, lost, 0),
  ]
}

export const groupRows: readonly BenchRow[] = [
  {
    name: 'rebalance',
    what: 'third member joins and leaves, until all partitions deliver again, 6 partitions; after 60 of each',
    run: rebalance,
  },
  { name: 'commits', what: 'awaited commits of one member, in process', run: commits },
  { name: 'offset-load', what: '1 M committed offsets loaded after a restart', run: offsetLoad },
  {
    name: 'groups',
    what: 'heartbeats every 3 s of 1,000 groups of 3, and of one group of 500, on one thread',
    run: async () => [...(await crowd(1_000, 3)), ...(await crowd(1, 500))],
  },
]
