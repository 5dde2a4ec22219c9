// A coordinator of the consumer protocol for tests: deals partitions evenly, gives nobody what another has not yet given up, fences old epochs. One group,
// one topic.
import type { Clock, Timer } from '@odradek/shared/base/clock'
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '@odradek/shared/protocol/messages/68-consumer-group-heartbeat'
import type { FakeCluster } from './fake-cluster.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

/** A member that says nothing for so long is gone. */
const SESSION_MS = 1_000

interface Member {
  epoch: number
  /** What it owns or may own: what it reported, and what it was told since. */
  held: Set<number>
  told: readonly number[] | null
  topics: readonly string[]
  session: Timer | null
}

export class FakeConsumerGroup {
  readonly members = new Map<string, Member>()
  readonly heartbeats: ConsumerGroupHeartbeatRequest[] = []
  /** Answered to the next heartbeats. */
  readonly errors: number[] = []
  readonly offsets: FakeGroup
  epoch = 0
  readonly #cluster: FakeCluster
  readonly #topic: string
  readonly #clock: Clock

  constructor(cluster: FakeCluster, clock: Clock, topic: string) {
    this.#cluster = cluster
    this.#topic = topic
    this.#clock = clock
    this.offsets = new FakeGroup(cluster, clock)
    cluster.answers.ConsumerGroupHeartbeat = request => this.#heartbeat(request)
    const commit = cluster.answers.OffsetCommit!
    cluster.answers.OffsetCommit = (request, endpoint) => {
      const member = this.members.get(request.memberId)
      if (member?.epoch === request.generationIdOrMemberEpoch) return commit({ ...request, memberId: '' }, endpoint)
      return commit(request, endpoint)
    }
  }

  #heartbeat(request: ConsumerGroupHeartbeatRequest): ConsumerGroupHeartbeatResponse {
    this.heartbeats.push(request)
    const told = this.errors.shift()
    if (told !== undefined) return answer(told, request.memberId, 0, null)
    if (request.memberEpoch < 0) {
      this.#remove(request.memberId)
      return answer(0, request.memberId, request.memberEpoch, null)
    }
    let member = this.members.get(request.memberId)
    if (request.memberEpoch === 0) {
      this.#remove(request.memberId)
      member = { epoch: ++this.epoch, held: new Set(), told: null, topics: [], session: null }
      this.members.set(request.memberId, member)
    }
    if (member === undefined) return answer(errors.UNKNOWN_MEMBER_ID.code, request.memberId, 0, null)
    this.#touch(request.memberId, member)
    if (request.subscribedTopicNames !== null) member.topics = request.subscribedTopicNames
    if (request.topicPartitions !== null) {
      const owned = request.topicPartitions.flatMap(({ partitions }) => partitions)
      member.held = new Set([...owned, ...(member.told ?? [])])
    }
    member.epoch = this.epoch
    const target = this.#target(request.memberId)
    const isNews = member.told === null || String(target) !== String(member.told)
    member.told = target
    for (const partition of target) member.held.add(partition)
    return answer(
      0,
      request.memberId,
      member.epoch,
      isNews ? { topicId: `id-${this.#topic}`, partitions: target } : null,
    )
  }

  #remove(memberId: string): void {
    this.members.get(memberId)?.session?.cancel()
    if (this.members.delete(memberId)) this.epoch++
  }

  #touch(memberId: string, member: Member): void {
    member.session?.cancel()
    member.session = this.#clock.after(SESSION_MS, () => this.#remove(memberId))
  }

  /** Its even share, without what others still own. */
  #target(memberId: string): number[] {
    const ids = [...this.members].filter(([, { topics }]) => topics.includes(this.#topic)).map(([id]) => id)
    const count = [...this.#cluster.partitions.values()].filter(({ topic }) => topic === this.#topic).length
    const mine = Array.from({ length: count }, (_, at) => at).filter(at => ids[at % ids.length] === memberId)
    const others = new Set([...this.members].filter(([id]) => id !== memberId).flatMap(([, { held }]) => [...held]))
    return mine.filter(partition => !others.has(partition))
  }
}

function answer(
  errorCode: number,
  memberId: string,
  memberEpoch: number,
  assigned: { topicId: string; partitions: number[] } | null,
): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 100,
    assignment: assigned === null ? null : { topicPartitions: assigned.partitions.length === 0 ? [] : [assigned] },
  }
}
