// Members of groups in this process: our own consumer, kafkajs and @platformatic/kafka.
import { createConsumer } from '@odradek/consumer/create-consumer'
import type { AssignorName } from '@odradek/consumer/partition-assignor'
import { Consumer as PlatformaticConsumer } from '@platformatic/kafka'
import { type ForeignMember, HEARTBEAT_MS, type MemberKind, type MemberWish, SESSION_MS } from './group-member.ts'
import { kafkajsAt } from './kafkajs.ts'

const utf8 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString()

function kind(
  facts: Pick<MemberKind, 'name' | 'strategies' | 'hasStatic'>,
  join: (bootstrapServers: string, wish: MemberWish) => Promise<ForeignMember>,
): MemberKind {
  return {
    ...facts,
    missing: null,
    open: async servers => ({ join: wish => join(servers, wish), close: async () => {} }),
  }
}

async function joinOdradek(bootstrapServers: string, wish: MemberWish): Promise<ForeignMember> {
  const { groupId, topic, strategy, groupInstanceId } = wish
  const classic = {
    partitionAssignmentStrategy: strategy as AssignorName,
    heartbeatIntervalMs: HEARTBEAT_MS,
    sessionTimeoutMs: SESSION_MS,
  }
  const consumer = createConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: 'earliest',
    ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
    ...(strategy === 'consumer' ? { groupProtocol: 'consumer' } : classic),
    onAssigned: () => wish.onChange(),
    onRevoked: () => wish.onChange(),
  })
  let error: string | null = null
  const reading = consumer
    .each(topic, ({ partition, offset, value }) => wish.onRecord(partition, Number(offset), utf8(value)))
    .catch(thrown => {
      error = String(thrown)
      wish.onChange()
    })
  return {
    owned: () => consumer.assignment().map(({ partition }) => partition),
    error: () => error,
    async leave() {
      await consumer.close()
      await reading
    },
  }
}

async function joinKafkajs(bootstrapServers: string, wish: MemberWish): Promise<ForeignMember> {
  const { groupId, topic } = wish
  const consumer = kafkajsAt(bootstrapServers).consumer({
    groupId,
    heartbeatInterval: HEARTBEAT_MS,
    sessionTimeout: SESSION_MS,
  })
  let owned: readonly number[] = []
  let error: string | null = null
  const change = (now: readonly number[]) => {
    owned = now
    wish.onChange()
  }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => change(payload.memberAssignment[topic] ?? []))
  consumer.on(consumer.events.REBALANCING, () => change([]))
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    error = String(payload.error)
    wish.onChange()
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ partition, message }) =>
      wish.onRecord(partition, Number(message.offset), utf8(message.value)),
  })
  return { owned: () => owned, error: () => error, leave: () => consumer.disconnect() }
}

async function joinPlatformatic(bootstrapServers: string, wish: MemberWish): Promise<ForeignMember> {
  const { groupId, topic, strategy, groupInstanceId } = wish
  const classic = {
    groupProtocol: 'classic' as const,
    heartbeatInterval: HEARTBEAT_MS,
    sessionTimeout: SESSION_MS,
    protocols: [{ name: strategy, version: 1 }],
  }
  const consumer = new PlatformaticConsumer({
    clientId: 'platformatic',
    bootstrapBrokers: [bootstrapServers],
    groupId,
    ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
    ...(strategy === 'consumer' ? { groupProtocol: 'consumer' as const } : classic),
  })
  let error: string | null = null
  const failed = (thrown: Error) => {
    error = String(thrown)
    wish.onChange()
  }
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'committed',
    fallbackMode: 'earliest',
    maxWaitTime: 200,
  })
  stream.on('data', ({ partition, offset, value }) => wish.onRecord(partition, Number(offset), utf8(value)))
  stream.on('error', failed)
  const owned = () => (consumer.assignments ?? []).flatMap(({ partitions }) => partitions)
  return { owned, error: () => error, leave: async () => consumer.close(true) }
}

export const nodeMemberKinds: readonly MemberKind[] = [
  kind(
    {
      name: 'odradek',
      strategies: ['range', 'roundrobin', 'sticky', 'cooperative-sticky', 'consumer'],
      hasStatic: true,
    },
    joinOdradek,
  ),
  // Its own assigner, and no static members.
  kind({ name: 'kafkajs', strategies: ['own'], hasStatic: false }, joinKafkajs),
  kind({ name: '@platformatic/kafka', strategies: ['roundrobin', 'consumer'], hasStatic: true }, joinPlatformatic),
]
