import { expect, test } from 'vitest'
import type { EncodedRecord } from '../runtime/shard.ts'
import { groupShard } from './group-shard.ts'
import { type GroupSimulation, inGroupWorld, PARTITIONS } from './group-simulation.suite.ts'
import { ClassicSimulant, ConsumerSimulant } from './simulated-members.suite.ts'

const SEEDS = 40

/** A minute and a half of trouble, then calm; everyone must have its share in the end. */
async function scenario(simulation: GroupSimulation): Promise<void> {
  const { world, random, history } = simulation
  const classics: ClassicSimulant[] = []
  const consumers: ConsumerSimulant[] = []
  const lives: Promise<void>[] = []
  const failures: Error[] = []
  const join = () => {
    const static_ = classics.length < 2 ? `instance-${classics.length}` : null
    const classic = new ClassicSimulant(simulation, static_)
    const consumer = new ConsumerSimulant(simulation, `consumer-${lives.length}`)
    classics.push(classic)
    consumers.push(consumer)
    lives.push(...[classic.live(), consumer.live()].map(life => life.catch(cause => void failures.push(cause))))
  }
  join()
  join()
  world.faults = { ...world.faults, close: 0.004, actorDeath: 0.003, laneDeath: 0.001, delayMaxMs: 5, spare: [0] }
  for (let round = 0; round < 12; round++) {
    await simulation.pass(2_000 + random.int(6_000))
    const dice = random.int(6)
    if (dice < 2 && classics.length < 5) join()
    else if (dice < 4) await classics[random.int(2)]!.restart()
    else if (dice === 4 && consumers.length > 2) {
      consumers.pop()!.isStopped = true
      classics.pop()!.isStopped = true
    }
  }
  world.faults = { ...world.faults, close: 0, actorDeath: 0, laneDeath: 0 }
  simulation.calm = true
  await simulation.pass(120_000)
  if (failures.length > 0) throw failures[0]!
  const everything = Array.from({ length: PARTITIONS }, (_, p) => p)
  expect(classics.flatMap(({ owned }) => owned).sort()).toEqual(everything)
  expect(new Set(classics.map(({ generation }) => generation)).size).toBe(1)
  expect(consumers.flatMap(({ owned }) => [...owned]).sort()).toEqual(everything)
  await simulation.killCoordinator()
  await checkOffsets(simulation)
  expect(history.seen.generations.size).toBeGreaterThan(0)
  expect(history.seen.commits).toBeGreaterThan(10)
  for (const member of [...classics, ...consumers]) member.isStopped = true
  await Promise.all(lives)
  if (failures.length > 0) throw failures[0]!
}

async function checkOffsets(simulation: GroupSimulation): Promise<void> {
  const groups = [{ groupId: 'classic', memberId: null, memberEpoch: -1, topics: null }]
  const before = Array.from({ length: PARTITIONS }, (_, p) => simulation.history.committedSoFar(p))
  const request = { groupId: '', topics: null, groups, requireStable: false }
  let found = await simulation.ask('OffsetFetch', request)
  while (found === null) found = await simulation.ask('OffsetFetch', request)
  const offsets = found.groups[0]!.topics.flatMap(({ partitions }) => partitions)
  for (const [partition, offset] of before.entries()) {
    const now = offsets.find(({ partitionIndex }) => partitionIndex === partition)?.committedOffset ?? 0
    simulation.history.fetched(partition, now, offset)
  }
}

test.each(Array.from({ length: SEEDS / 10 }, (_, block) => block))(
  'groups keep their promises while everything dies: ten seeds from %s0',
  async block => {
    for (let seed = block * 10; seed < block * 10 + 10; seed++) {
      await inGroupWorld(seed, scenario).catch(cause => {
        throw new Error(`seed ${seed}: ${cause.message}`, { cause })
      })
    }
  },
  120_000,
)

type Shard = ReturnType<typeof groupShard>

/** A bug is found when some seed fails. */
async function isFound(bug: (shard: Shard) => Partial<Shard>, expected: RegExp): Promise<void> {
  const broken: typeof groupShard = setup => {
    const shard = groupShard(setup)
    return { ...shard, ...bug(shard) }
  }
  const found: string[] = []
  for (let seed = 0; seed < 12 && !found.some(message => expected.test(message)); seed++) {
    await inGroupWorld(seed, scenario, broken).catch(cause => found.push(String(cause.message)))
  }
  expect(found.join('\n')).toMatch(expected)
}

test(
  'planted: a partition counts as free before its owner gave it up',
  () =>
    isFound(
      shard => ({
        replay(state, record, meta) {
          const forgets = record.kind === 'ConsumerGroupCurrentMemberAssignment' && record.value !== null
          const forgotten = forgets
            ? { ...record, value: { ...record.value!, partitionsPendingRevocation: [] } }
            : record
          shard.replay(state, forgotten as typeof record, meta)
        },
      }),
      /is read by/,
    ),
  60_000,
)

test(
  'planted: commits of older generations are taken',
  () =>
    isFound(
      shard => ({
        handlers: {
          ...shard.handlers,
          offsetCommit: {
            ...shard.handlers.offsetCommit,
            decide(state: any, asked: any, context: any) {
              const group = state.groups.get(asked.request.groupId)
              const memberId = group?.leaderId ?? ''
              const groupInstanceId = group?.members?.get(memberId)?.groupInstanceId ?? null
              const identity = { memberId, groupInstanceId, generationIdOrMemberEpoch: group?.generationId ?? -1 }
              const request = { ...asked.request, ...identity }
              return (shard.handlers.offsetCommit as any).decide(state, { ...asked, request }, context)
            },
          },
        } as Shard['handlers'],
      }),
      /was taken in generation/,
    ),
  60_000,
)

test(
  'planted: the new id of a static member is not written down',
  () =>
    isFound(
      shard => ({
        handlers: {
          ...shard.handlers,
          joinGroup: {
            ...shard.handlers.joinGroup,
            decide(state: any, asked: any, context: any) {
              const decision = (shard.handlers.joinGroup as any).decide(state, asked, context)
              return state.groups.get(asked.request.groupId)?.state === 'Stable'
                ? { ...decision, records: [] }
                : decision
            },
          },
        } as Shard['handlers'],
      }),
      /was fenced although/,
    ),
  60_000,
)

test(
  'planted: an acknowledged commit is not in the log',
  () =>
    isFound(
      shard => ({
        encodeRecord(record): EncodedRecord {
          const encoded = shard.encodeRecord(record)
          return record.kind === 'OffsetCommit' ? { key: encoded.key, value: null } : encoded
        },
      }),
      /was committed, and/,
    ),
  60_000,
)
