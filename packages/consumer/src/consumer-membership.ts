// The hands of consumer-membership.machine: one heartbeat at a time on the consumer's own thread, reconciliation of what is owned with the coordinator's
// target. Owned by the consumer actor.
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import type { Timer } from '@odradek/shared/base/clock'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { GroupMetadata, Subscription } from '@odradek/shared/contracts/consumer.contract'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '@odradek/shared/protocol/messages/68-consumer-group-heartbeat'
import { hopeless, membershipError } from './consumer-errors.ts'
import { consumerMembershipMachine } from './consumer-membership.machine.ts'
import {
  byTopicId,
  type HeartbeatFields,
  heartbeatVerdict,
  resolveTarget,
  type TargetTopic,
  unsaid,
} from './heartbeat.rules.ts'
import { assignmentDifference, matchingTopics } from './membership.rules.ts'
import type { Membership, MembershipHost } from './membership.ts'

const LEAVE_EPOCH = -1
/** A static member that will come back (KIP-848). */
const LEAVE_STATIC_EPOCH = -2
const FIRST_INTERVAL_MS = 1_000

export class ConsumerMembership implements Membership {
  readonly #host: MembershipHost
  readonly #machine: MachineRun<typeof consumerMembershipMachine>
  /** KIP-1082: the member makes its own id and keeps it. */
  readonly #memberId: string
  #epoch = 0
  #subscription: Subscription = { topics: [], pattern: null }
  #topics: readonly string[] = []
  #target: readonly TargetTopic[] = []
  /** What the coordinator was told last; null: tell everything. */
  #said: HeartbeatFields | null = null
  #intervalMs = FIRST_INTERVAL_MS
  #attempts = 0
  #timer: Timer | null = null
  #inFlight = false
  #again = false
  /** A heartbeat goes out as soon as the turn's events are dealt with. */
  #soon = false
  /** Grows when the membership begins anew: answers from before are ignored. */
  #course = 0
  #losing: Promise<void> = Promise.resolve()
  #reconciling: Promise<void> = Promise.resolve()
  #stopNews: () => void
  #leaving: (() => void)[] = []

  constructor(host: MembershipHost) {
    this.#host = host
    this.#memberId = host.context.random.uuid()
    this.#stopNews = host.link.onGroupNews(host.group.groupId, this.#memberId, () => this.#heartbeatNow())
    this.#machine = runMachine(host.context, consumerMembershipMachine, {
      effects: {
        joinAnew: () => this.#joinAnew(),
        heartbeatNow: () => this.#heartbeatNow(),
        stopHeartbeat: () => this.#timer?.cancel(),
        reconcile: () => {
          this.#reconciling = this.#reconcile()
        },
        tellLoss: () => void this.#tellLoss(),
        leaveStale: () => void this.#leaveStale(),
        release: () => void this.#release(),
        forgetEpoch: () => this.#becomeMember(0),
        sendLeave: () => void this.#sendLeave(),
        tellFailure: ({ error }) => host.fail(error),
      },
    })
  }

  subscribe(subscription: Subscription): void {
    this.#subscription = subscription
    this.#topics = matchingTopics(subscription, this.#host.link.topics())
    this.#machine.send({ type: 'subscribed' })
    // Learned while the coordinator is found, for the target that it will name; who misses it then asks again.
    if (subscription.pattern !== null) this.#host.refresh(null).catch(() => undefined)
    else if (this.#topics.some(topic => this.#host.link.topic(topic) === undefined))
      this.#host.refresh(this.#topics).catch(() => undefined)
  }

  leave(): Promise<void> {
    return new Promise(resolve => {
      this.#leaving.push(resolve)
      this.#machine.send({ type: 'leave.requested' })
    })
  }

  /** Under this protocol the coordinator decides; the member only asks it at once. */
  enforceRebalance(): void {
    this.#heartbeatNow()
  }

  /** Whether it is a member still a heartbeat tells: as in Kafka, a commit that was refused decides nothing. Whoever leaves sends none. */
  fenced(): void {
    if (this.#machine.hasTag('heartbeating')) this.#heartbeatNow()
    else this.#machine.send({ type: 'member.fenced' })
  }

  metadataChanged(): void {
    const topics = matchingTopics(this.#subscription, this.#host.link.topics())
    if (topics.join() !== this.#topics.join()) {
      this.#topics = topics
      if (this.#machine.hasTag('heartbeating')) this.#machine.send({ type: 'subscribed' })
    }
    // What is still unknown was looked for when the target came, and is looked for again with backoff.
    if (this.#difference().moves) this.#machine.send({ type: 'target.received' })
  }

  pollExpired(): void {
    this.#machine.send({ type: 'poll.expired' })
  }

  polled(): void {
    if (this.#machine.state === 'Stale') void this.#losing.then(() => this.#machine.send({ type: 'polled' }))
  }

  metadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#host.group
    // Before it has an epoch it is no member: the coordinator would not know its id.
    if (this.#epoch <= 0) return { groupId, generationId: -1, memberId: '', groupInstanceId: null }
    return { groupId, generationId: this.#epoch, memberId: this.#memberId, groupInstanceId }
  }

  topics(): readonly string[] | null {
    return this.#subscription.pattern === null ? this.#topics : null
  }

  state(): string {
    return this.#machine.state
  }

  close(): void {
    this.#course++
    this.#timer?.cancel()
    this.#stopNews()
  }

  // --- heartbeats -----------------------------------------------------------------------------------------------------------------

  #joinAnew(): void {
    this.#course++
    this.#becomeMember(0)
    this.#said = null
    this.#target = []
  }

  /** In this epoch; 0: in none. */
  #becomeMember(epoch: number): void {
    if (epoch === this.#epoch) return
    this.#epoch = epoch
    this.#host.memberChanged()
  }

  /** Once the machine is where its event leads; by no timer, whose shortest wait would be a part of every rebalance. */
  #heartbeatNow(): void {
    if (this.#inFlight) this.#again = true
    if (this.#inFlight || this.#soon) return
    this.#soon = true
    this.#timer?.cancel()
    queueMicrotask(() => {
      this.#soon = false
      void this.#heartbeat()
    })
  }

  #schedule(waitMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#host.context.clock.after(waitMs, () => void this.#heartbeat())
  }

  async #heartbeat(): Promise<void> {
    if (!this.#machine.hasTag('heartbeating') || this.#inFlight) return
    const course = this.#course
    this.#inFlight = true
    this.#again = false
    const fields = this.#fields()
    const answer = await this.#send(this.#epoch, unsaid(this.#said, fields)).catch((error: unknown) => {
      const failure = hopeless(error)
      if (failure !== null && course === this.#course) this.#host.fail(failure)
      return null
    })
    this.#inFlight = false
    if (course !== this.#course) {
      this.#heartbeatNow()
      return
    }
    if (answer?.errorCode === 0) this.#said = fields
    this.#heard(answer)
    if (!this.#machine.hasTag('heartbeating')) return
    if (this.#again) this.#heartbeatNow()
    else this.#schedule(answer?.errorCode === 0 ? this.#intervalMs : this.#backoffMs())
  }

  #fields(): HeartbeatFields {
    const { group, input } = this.#host
    return {
      instanceId: group.groupInstanceId,
      rackId: input.clientRack || null,
      rebalanceTimeoutMs: group.maxPollIntervalMs,
      subscribedTopicNames: this.#topics,
      serverAssignor: group.groupRemoteAssignor,
      topicPartitions: this.#epoch === 0 ? [] : byTopicId(this.#host.owned(), this.#host.link.topics()),
    }
  }

  async #send(
    memberEpoch: number,
    fields: Partial<ConsumerGroupHeartbeatRequest>,
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { link, group, input, context } = this.#host
    const options = { deadlineMs: input.requestTimeoutMs, signal: context.signal }
    const coordinator = await link.coordinator('group', group.groupId, options)
    const request: ConsumerGroupHeartbeatRequest = {
      groupId: group.groupId,
      memberId: this.#memberId,
      memberEpoch,
      instanceId: group.groupInstanceId,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
      ...fields,
    }
    return link.request(coordinator, 'ConsumerGroupHeartbeat', request, options)
  }

  #heard(answer: ConsumerGroupHeartbeatResponse | null): void {
    const { link, group } = this.#host
    const verdict = answer === null ? 'refind' : heartbeatVerdict(answer.errorCode)
    if (verdict === 'refind') link.forgetCoordinator('group', group.groupId)
    if (verdict === 'refind' || verdict === 'retry') {
      // What was sent may not have been understood: say all of it again.
      this.#said = null
    } else if (verdict === 'fenced') {
      this.#machine.send({ type: 'member.fenced' })
    } else if (verdict === 'fatal') {
      const error = membershipError(`heartbeat of group ${group.groupId}`, answer!.errorCode, answer!.errorMessage)
      this.#machine.send({ type: 'failed', error })
    } else {
      this.#accepted(answer!)
    }
  }

  #accepted(answer: ConsumerGroupHeartbeatResponse): void {
    this.#attempts = 0
    this.#becomeMember(answer.memberEpoch)
    this.#intervalMs = answer.heartbeatIntervalMs > 0 ? answer.heartbeatIntervalMs : this.#intervalMs
    if (answer.assignment !== null) this.#target = answer.assignment.topicPartitions
    const { moves, unknown } = this.#difference()
    // Topics that are not known yet may well differ: reconciling looks them up.
    if (answer.assignment !== null && (moves || unknown > 0)) this.#machine.send({ type: 'target.received' })
    // Something is to be said that this heartbeat did not carry.
    else if (Object.keys(unsaid(this.#said, this.#fields())).length === 0) this.#machine.send({ type: 'confirmed' })
    else this.#again = true
  }

  #backoffMs(): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#host.input
    const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }
    return backoffMs(backoff, this.#attempts++, this.#host.context.random.float())
  }

  // --- what is owned --------------------------------------------------------------------------------------------------------------

  /** Whether the target, as far as its topics are known, is not what is owned; and how many of its topics are not known. */
  #difference(): { readonly moves: boolean; readonly unknown: number } {
    const { partitions, unknown } = resolveTarget(this.#target, this.#host.link.topics())
    const { revoked, added } = assignmentDifference(this.#host.owned(), partitions)
    return { moves: revoked.length + added.length > 0, unknown }
  }

  async #reconcile(): Promise<void> {
    const course = this.#course
    await this.#losing
    let resolved = resolveTarget(this.#target, this.#host.link.topics())
    if (resolved.unknown > 0) {
      await this.#host.refresh(this.topics()).catch(() => undefined)
      resolved = resolveTarget(this.#target, this.#host.link.topics())
      if (resolved.unknown > 0) this.#host.wantMetadata()
    }
    if (course !== this.#course) return
    const { revoked, added } = assignmentDifference(this.#host.owned(), resolved.partitions)
    if (revoked.length + added.length > 0) await this.#host.rebalance({ revoked, assigned: added })
    if (course === this.#course) this.#machine.send({ type: 'reconciled' })
  }

  async #tellLoss(): Promise<void> {
    this.#course++
    this.#losing = this.#lose()
    await this.#losing
    this.#machine.send({ type: 'loss.told' })
  }

  async #lose(): Promise<void> {
    await this.#reconciling
    const owned = this.#host.owned()
    if (owned.length > 0) await this.#host.rebalance({ revoked: owned, assigned: [], lost: true })
  }

  async #leaveStale(): Promise<void> {
    const { log } = this.#host.context
    log.warn({ groupId: this.#host.group.groupId }, 'no progress within maxPollIntervalMs: left the group')
    this.#course++
    const goodbye = this.#send(LEAVE_EPOCH, {}).catch(() => undefined)
    this.#losing = this.#lose()
    await Promise.all([goodbye, this.#losing])
  }

  async #release(): Promise<void> {
    this.#course++
    await this.#reconciling
    await this.#losing
    const owned = this.#host.owned()
    const lost = this.#epoch <= 0
    if (owned.length > 0) await this.#host.rebalance({ revoked: owned, assigned: [], lost })
    this.#machine.send({ type: 'released' })
  }

  async #sendLeave(): Promise<void> {
    const epoch = this.#host.group.groupInstanceId === null ? LEAVE_EPOCH : LEAVE_STATIC_EPOCH
    // A member that cannot say goodbye is gone all the same: its session will time out.
    if (this.#epoch > 0) await this.#send(epoch, {}).catch(() => undefined)
    this.#becomeMember(0)
    this.#machine.send({ type: 'left' })
    for (const resolve of this.#leaving.splice(0)) resolve()
  }
}
