// What the kill -9 loops of exactly once share: a feeder of the topic `in`, and two pipelines of one group that copy it to `out`. After the last kill
// `copyingVerdict` lets them finish, and judges what became of it.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import type { Producer } from '@odradek/producer/producer'
import { systemClock } from '@odradek/shared/base/clock'
import { string } from '@odradek/shared/client/codecs'
import type { BootstrapServers } from '@odradek/shared/client/common-options'
import { topic } from '@odradek/shared/client/topic'
import { type Pipeline, pipeline } from '../pipeline/pipeline.ts'
import { type Letter, type OnceVerdict, verdictOn } from './exactly-once.rules.ts'

const feedTopic = 'in'
const input = topic(feedTopic, { key: string(), value: string() })
const output = topic('out', { key: string(), value: string() })
/** Partitions by topic. */
export const copiedTopics = { in: 3, out: 2 } as const
const GROUP = 'copying'

/**
 * A member that was killed is not waited for: one of the two is static and takes its own place again, the other's session is short. As Kafka names
 * them, for the broker.
 */
export const copyingConfigs = {
  'group.min.session.timeout.ms': '500',
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
} as const

/** A broker that was killed may take long to come back on a busy machine: nobody gives up before the test does. */
const PATIENCE_MS = 600_000

/** The two pipelines, from now on; `copied` hears of every record, also of those that do not count in the end. */
export function startCopying(bootstrapServers: BootstrapServers, copied: () => void): Pipeline[] {
  const members = { static: { groupInstanceId: 'static' }, dynamic: {} }
  return Object.entries(members).map(([name, member]) =>
    pipeline(
      input,
      output,
      ({ key, value }) => {
        copied()
        return { key, value }
      },
      {
        bootstrapServers,
        transactionalId: `copying-${name}`,
        groupId: GROUP,
        commitEvery: { records: 40, ms: 50 },
        consumer: {
          sessionTimeoutMs: 1_000,
          heartbeatIntervalMs: 250,
          defaultApiTimeoutMs: PATIENCE_MS,
          ...member,
        },
        producer: {
          maxBlockMs: PATIENCE_MS,
          deliveryTimeoutMs: PATIENCE_MS,
          transactionTimeoutMs: PATIENCE_MS,
        },
      },
    ),
  )
}

/** Records that are fed ahead of what was copied. */
const AHEAD = 300
const BURST = 25

/** Feeds `in`: a little ahead of the pipelines, whose progress it must hear of. Its `name` must be new: values are `name#n`. */
export class Feeder {
  readonly #producer: Producer
  readonly #name: string
  #fed = 0
  #copied = 0
  #isOver = false
  #wake: (() => void) | null = null

  constructor(bootstrapServers: BootstrapServers, name: string) {
    this.#producer = createProducer({
      bootstrapServers,
      clientId: name,
      maxBlockMs: PATIENCE_MS,
      deliveryTimeoutMs: PATIENCE_MS,
    })
    this.#name = name
  }

  /** Another record was copied. */
  copied(): void {
    this.#copied++
    this.#wake?.()
  }

  /** Feeds until it is stopped; rejects when a record fails. */
  async work(): Promise<void> {
    while (!this.#isOver) {
      await this.#producer.send(
        input,
        Array.from({ length: BURST }, () => ({ key: `k${this.#fed % 13}`, value: `${this.#name}#${this.#fed++}` })),
      )
      while (!this.#isOver && this.#fed - this.#copied >= AHEAD) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
    await this.#producer.close()
  }

  stop(): void {
    this.#isOver = true
    this.#wake?.()
  }
}

/** Lets pipelines with the same ids finish what killed ones left, and judges what came out. */
export async function copyingVerdict(
  bootstrapServers: BootstrapServers,
): Promise<{ readonly records: number; readonly verdict: OnceVerdict }> {
  const pipelines = startCopying(bootstrapServers, () => undefined)
  await settle(bootstrapServers, pipelines)
  for (const each of pipelines) await each.close()
  const input = await letters(bootstrapServers, 'in')
  return { records: input.length, verdict: verdictOn(input, await letters(bootstrapServers, 'out')) }
}

/** Resolves when the group has committed everything that was fed; rejects when a pipeline fails. */
async function settle(bootstrapServers: BootstrapServers, pipelines: readonly Pipeline[]): Promise<void> {
  const failed = Promise.all(pipelines.map(({ done }) => done))
  await using consumer = createConsumer({ bootstrapServers, groupId: GROUP })
  const partitions = partitionsOf(feedTopic)
  const ends = await consumer.endOffsets(partitions)
  for (;;) {
    const committed = await consumer.committed(partitions)
    if (committed.every((offset, n) => (offset ?? 0n) >= ends[n]!)) return
    await Promise.race([failed, new Promise<void>(resolve => systemClock.after(20, resolve))])
  }
}

/** All records of a topic that readers of committed records see. Never ends while a transaction is open. */
async function letters(bootstrapServers: BootstrapServers, name: keyof typeof copiedTopics): Promise<Letter[]> {
  await using whole = createConsumer({ bootstrapServers })
  const ends = await whole.endOffsets(partitionsOf(name))
  await using consumer = createConsumer({ bootstrapServers, isolationLevel: 'readCommitted' })
  const typed = name === 'in' ? input : output
  await consumer.assign(partitionsOf(name).map(at => ({ ...at, topic: typed, offset: 0 })))
  const found: Letter[] = []
  const isRead = async () => {
    const positions = await Promise.all(partitionsOf(name).map(at => consumer.position(at)))
    return positions.every((position, n) => position >= ends[n]!)
  }
  while (!(await isRead())) {
    for (const { partition, key, value } of await consumer.poll(200))
      found.push({ partition, key: key!, value: value! })
  }
  return found
}

function partitionsOf(name: keyof typeof copiedTopics) {
  return Array.from({ length: copiedTopics[name] }, (_, partition) => ({ topic: name, partition }))
}
