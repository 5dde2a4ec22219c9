// A member of a consumer group as the Java client behaves: it heartbeats, gives up what it is no longer to have, takes what it gets. For tests.
import { errors } from '@odradek/shared/protocol/error-codes'
import type { ConsumerGroupHeartbeatResponse } from '@odradek/shared/protocol/messages/68-consumer-group-heartbeat'
import type { GroupWorld } from './group-world.suite.ts'

export interface MemberOptions {
  readonly groupId?: string
  readonly topics?: readonly string[] | null
  readonly regex?: string | null
  readonly instanceId?: string | null
  readonly serverAssignor?: string | null
  readonly rebalanceTimeoutMs?: number
}

export class ConsumerMemberDouble {
  readonly memberId: string
  epoch = 0
  /** `topic id:partition`, as the member reads it now: new ones at once, those to be given up until its next heartbeat says so. */
  owned = new Set<string>()
  /** What it was told to have. */
  told: ReadonlySet<string> = new Set()
  options: MemberOptions
  readonly #world: GroupWorld

  constructor(world: GroupWorld, memberId: string, options: MemberOptions = {}) {
    this.#world = world
    this.memberId = memberId
    this.options = options
  }

  /** One heartbeat; `isLost`: the answer does not arrive. */
  beat({
    isLost = false,
    ...more
  }: {
    isLost?: boolean
    [field: string]: unknown
  } = {}): ConsumerGroupHeartbeatResponse {
    const { groupId = 'g', topics = ['orders'], regex = null, instanceId = null, serverAssignor = null } = this.options
    this.owned = new Set(this.told)
    const request = {
      groupId,
      memberId: this.memberId,
      memberEpoch: this.epoch,
      instanceId,
      serverAssignor,
      rebalanceTimeoutMs: this.options.rebalanceTimeoutMs ?? 60_000,
      subscribedTopicNames: topics === null ? null : [...topics],
      subscribedTopicRegex: regex,
      topicPartitions: this.epoch === 0 ? [] : byTopic(this.owned),
      ...more,
    }
    const reply = this.#world.answer(this.#world.request('consumerGroupHeartbeat', request))
    if (!isLost) this.#take(reply)
    return reply
  }

  leave(memberEpoch = -1): ConsumerGroupHeartbeatResponse {
    this.owned.clear()
    this.told = new Set()
    const { groupId = 'g', instanceId = null } = this.options
    const request = { groupId, memberId: this.memberId, memberEpoch, instanceId }
    this.epoch = 0
    return this.#world.answer(this.#world.request('consumerGroupHeartbeat', request))
  }

  /** Partitions of a topic that it reads, in order. */
  of(topic: string): number[] {
    const topicId = this.#world.topicId(topic)
    return [...this.told]
      .filter(key => key.startsWith(`${topicId}:`))
      .map(key => Number(key.slice(topicId.length + 1)))
      .sort((a, b) => a - b)
  }

  #take({ errorCode, memberEpoch, assignment }: ConsumerGroupHeartbeatResponse): void {
    if (errorCode === errors.FENCED_MEMBER_EPOCH.code || errorCode === errors.UNKNOWN_MEMBER_ID.code) {
      this.epoch = 0
      this.told = new Set()
      this.owned = new Set()
    }
    if (errorCode !== 0) return
    this.epoch = memberEpoch
    if (assignment === null) return
    this.told = new Set(
      assignment.topicPartitions.flatMap(({ topicId, partitions }) => partitions.map(p => `${topicId}:${p}`)),
    )
    for (const key of this.told) this.owned.add(key)
  }
}

function byTopic(keys: Iterable<string>) {
  const topics = new Map<string, number[]>()
  for (const key of keys) {
    const [topicId, partition] = key.split(':') as [string, string]
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)])
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}
