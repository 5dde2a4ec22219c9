// How far a topic reaches, and how much of it a group has not committed.
import { type Admin, type Broker, createAdmin, createConsumer } from '../index.ts'

/** By partition. */
export interface TopicOffsets {
  readonly beginnings: readonly number[]
  readonly ends: readonly number[]
}

export async function topicOffsets(broker: Broker, topic: string): Promise<TopicOffsets> {
  await using consumer = createConsumer({ bootstrapServers: broker, clientId: 'tour-offsets' })
  const partitions = (await consumer.partitionsFor(topic)).map(partition => ({ topic, partition }))
  const beginnings = (await consumer.beginningOffsets(partitions)).map(Number)
  const ends = (await consumer.endOffsets(partitions)).map(Number)
  return { beginnings, ends }
}

/** What a group has before it: asked again and again while nobody writes. */
export class Backlog implements AsyncDisposable {
  readonly #admin: Admin
  readonly #topic: string
  readonly #groupId: string
  readonly #offsets: Promise<TopicOffsets>

  constructor(broker: Broker, topic: string, groupId: string) {
    this.#admin = createAdmin({ bootstrapServers: broker })
    this.#topic = topic
    this.#groupId = groupId
    this.#offsets = topicOffsets(broker, topic)
  }

  /** Records that the group has not committed. */
  async records(): Promise<number> {
    const { beginnings, ends } = await this.#offsets
    const partitions = ends.map((_, partition) => ({ topic: this.#topic, partition }))
    const committed = new Map<number, number>()
    for (const { partition, offset } of await this.#admin.groups.offsets(this.#groupId, { partitions }))
      committed.set(partition, Number(offset))
    return ends.reduce((sum, end, partition) => sum + end - (committed.get(partition) ?? beginnings[partition]!), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.close()
  }
}

export async function backlogOf(broker: Broker, topic: string, groupId: string): Promise<number> {
  await using backlog = new Backlog(broker, topic, groupId)
  return await backlog.records()
}
