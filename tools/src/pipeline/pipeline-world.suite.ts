// Pipelines in a simulated world: the real consumer and producer over fake clusters that share one group's offsets, as one Kafka would. What was committed is
// what a readCommitted reader would see.
import { consumerWorld } from '@odradek/consumer/consumer-world.suite'
import { FakeGroup } from '@odradek/consumer/fake-group.suite'
import { FakeCluster } from '@odradek/producer/fake-cluster.suite'
import { openWorld } from '@odradek/producer/producer-world.suite'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { errors } from '@odradek/shared/protocol/error-codes'
import { PipelineLane, type PipelineParts } from './pipeline-lane.ts'

const words = topic('in', { key: string(), value: string() })
const doubled = topic('out', { key: string(), value: string() })

export function pipelineWorld({ seed = 1, partitions = 2 } = {}) {
  const { world, cluster: input, create } = consumerWorld(seed)
  input.addTopic('in', partitions)
  const group = new FakeGroup(input, world.clock)
  const output = new FakeCluster()
  output.create('out', 2)
  output.offsetsRefused = (memberId, generationId) => group.fence(memberId, generationId)
  const fetchOffsets = input.answers.OffsetFetch!
  input.answers.OffsetFetch = async (request, endpoint) => {
    for (const { committedOffsets } of output.transactions.values()) {
      for (const entry of committedOffsets) {
        const [place, offset] = entry.split('@') as [string, string]
        group.committed.set(place, Math.max(Number(offset), group.committed.get(place) ?? -1))
      }
    }
    const answer = await fetchOffsets(request, endpoint)
    const pending = new Set([...output.transactions.values()].flatMap(({ offsets }) => offsets.map(placeOf)))
    const groups = answer.groups.map(found => ({
      ...found,
      topics: found.topics.map(listed => ({
        ...listed,
        partitions: listed.partitions.map(partition =>
          // KIP-447: offsets of an open transaction may still count, so nobody begins before they do or do not.
          pending.has(`${listed.name}-${partition.partitionIndex}`)
            ? { ...partition, errorCode: errors.UNSTABLE_OFFSET_COMMIT.code }
            : partition,
        ),
      })),
    }))
    return { ...answer, groups }
  }

  const producer = (transactionalId: string) =>
    openWorld(
      { transactionalId, lingerMs: 0, deliveryTimeoutMs: 3_600_000 },
      { world: world as never, cluster: output, partitions: 0 },
    ).producer

  /** A lane that runs; `outcome` is what it ended with. */
  const lane = (transactionalId: string, parts: Partial<PipelineParts> = {}) => {
    const started = new PipelineLane({
      clock: world.clock,
      random: world.random,
      from: words,
      to: doubled,
      transform: ({ key, value }) => ({ key, value }),
      commitEvery: { records: 10, ms: 50 },
      onError: 'stop',
      producer: producer(transactionalId),
      consumer: hooks =>
        create({
          groupId: 'g',
          heartbeatIntervalMs: 100,
          sessionTimeoutMs: 1_000,
          enableAutoCommit: false,
          isolationLevel: 'readCommitted',
          ...hooks,
        }),
      ...parts,
    })
    const ended: { error: unknown; isDone: boolean } = { error: null, isDone: false }
    const done = started.run().then(
      () => {
        ended.isDone = true
      },
      error => {
        Object.assign(ended, { error, isDone: true })
      },
    )
    return { lane: started, ended, done }
  }

  /** Appends `count` values to each partition: `partition.n`. */
  const feed = (count: number, from = 0) => {
    for (let partition = 0; partition < partitions; partition++)
      for (let n = from; n < from + count; n += 5)
        input.append(
          'in',
          partition,
          Array.from({ length: Math.min(5, from + count - n) }, (_, i) => `${partition}.${n + i}`),
        )
  }

  /** What committed transactions hold, in order. */
  const committed = () => [...output.transactions.values()].flatMap(transaction => transaction.committed)

  /** Missing, doubled and disordered values among what was committed; empty lists when each counts exactly once. */
  const verdict = (count: number) => {
    const found = committed()
    const wanted = Array.from({ length: partitions }, (_, p) =>
      Array.from({ length: count }, (_, n) => `${p}.${n}`),
    ).flat()
    const have = new Set(found)
    return {
      missing: wanted.filter(value => !have.has(value)),
      doubled: found.filter((value, at) => found.indexOf(value) !== at),
      strange: found.filter(value => !wanted.includes(value)),
    }
  }
  return { world, input, output, group, producer, lane, feed, committed, verdict }
}

const placeOf = (entry: string) => entry.split('@')[0]!

export const exactlyOnce = { missing: [], doubled: [], strange: [] }
