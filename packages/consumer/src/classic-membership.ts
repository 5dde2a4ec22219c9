// The hands of classic-membership.machine: sends JoinGroup, SyncGroup, Heartbeat and LeaveGroup, assigns when this member leads. Owned by the
// consumer actor; heartbeats run on its thread, whatever the caller does.
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import type { Timer } from '@odradek/shared/base/clock'
import type { RebalanceProtocol } from '@odradek/shared/client/assignors/assignor'
import { protocolOf } from '@odradek/shared/client/assignors/assignors'
import { decodeShare, encodeSubscription, type MemberShare } from '@odradek/shared/client/assignors/subscription-bytes'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { GroupNews } from '@odradek/shared/client/cluster-link'
import type { ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { GroupMetadata, Subscription } from '@odradek/shared/contracts/consumer.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import type { JoinGroupResponse } from '@odradek/shared/protocol/messages/11-join-group'
import { classicMembershipMachine } from './classic-membership.machine.ts'
import { hopeless, membershipError } from './consumer-errors.ts'
import { GroupLeadership } from './group-leadership.ts'
import { type MemberAssignor, memberAssignors } from './member-assignors.ts'
import { assignmentDifference, matchingTopics, membershipVerdict, unsubscribed } from './membership.rules.ts'
import type { Membership, MembershipHost } from './membership.ts'

type GroupApi = 'JoinGroup' | 'SyncGroup' | 'Heartbeat' | 'LeaveGroup'

const PROTOCOL_TYPE = 'consumer'
/** A rebalance may take this much longer than its timeout before the member gives up waiting (Kafka's JOIN_GROUP_TIMEOUT_LAPSE). */
const REBALANCE_LAPSE_MS = 5_000
const NOTHING: MemberShare = { partitions: [], userData: null }

export class ClassicMembership implements Membership {
  readonly #host: MembershipHost
  readonly #strategy: readonly MemberAssignor[]
  readonly #protocol: RebalanceProtocol
  readonly #leadership: GroupLeadership
  readonly #machine: MachineRun<typeof classicMembershipMachine>
  #subscription: Subscription = { topics: [], pattern: null }
  #topics: readonly string[] = []
  #memberId = ''
  #generationId = -1
  #joined: JoinGroupResponse | null = null
  #share: MemberShare = NOTHING
  /** Answers of requests from before the last change of course are ignored. */
  #course = 0
  #attempts = 0
  #retryTimer: Timer | null = null
  #heartbeatTimer: Timer | null = null
  #heartbeatAtMs = 0
  #heartbeating = false
  /** The coordinator has news that no heartbeat has asked for yet. */
  #newsPending = false
  #stopNews: () => void = () => {}
  #leaving: (() => void)[] = []
  /** The caller is being told that partitions were lost. */
  #losing: Promise<void> = Promise.resolve()

  constructor(host: MembershipHost) {
    this.#host = host
    this.#strategy = memberAssignors(host.group.partitionAssignmentStrategy, (name, call) =>
      host.askAssignor(name, call),
    )
    this.#protocol = protocolOf(this.#strategy)
    this.#leadership = new GroupLeadership(host, this.#protocol === 'COOPERATIVE')
    this.#machine = runMachine(host.context, classicMembershipMachine, {
      effects: {
        prepareJoin: () => this.#step(() => this.#prepareJoin()),
        sendJoin: () => this.#step(() => this.#sendJoin()),
        sendSync: () => this.#step(() => this.#sendSync()),
        applyAssignment: () => this.#step(() => this.#applyAssignment()),
        startHeartbeat: () => this.#armHeartbeat(),
        stopHeartbeat: () => this.#heartbeatTimer?.cancel(),
        armRetry: () => this.#armRetry(),
        cancelRetry: () => this.#retryTimer?.cancel(),
        loseMembership: () => this.#loseMembership(),
        loseGeneration: () => this.#loseGeneration(),
        leaveStale: () => this.#step(() => this.#leaveStale()),
        leave: () => this.#step(() => this.#leave()),
        tellFailure: ({ error }) => this.#host.fail(error),
      },
    })
  }

  subscribe(subscription: Subscription): void {
    this.#subscription = subscription
    this.#topics = matchingTopics(subscription, this.#host.link.topics())
    this.#machine.send({ type: 'subscribed' })
  }

  leave(): Promise<void> {
    return new Promise(resolve => {
      this.#leaving.push(resolve)
      this.#machine.send({ type: 'leave.requested' })
    })
  }

  enforceRebalance(): void {
    this.#machine.send({ type: 'rejoin.requested' })
  }

  fenced(error: ErrorName): void {
    if (error === 'REBALANCE_IN_PROGRESS') this.#machine.send({ type: 'rebalance.started' })
    else if (this.#machine.hasTag('heartbeating')) this.#refused('a commit of', errors[error].code)
  }

  metadataChanged(): void {
    if (this.#machine.state !== 'Stable.Steady') return
    const topics = matchingTopics(this.#subscription, this.#host.link.topics())
    const matchesOthers = topics.join() !== this.#topics.join()
    this.#topics = topics
    if (matchesOthers || this.#leadership.isOutdated()) this.#machine.send({ type: 'rejoin.requested' })
  }

  pollExpired(): void {
    this.#machine.send({ type: 'poll.expired' })
  }

  polled(): void {
    if (this.#machine.state === 'Stale') this.#machine.send({ type: 'polled' })
  }

  metadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#host.group
    // Whoever has an id and no generation is no member yet, or not any more.
    if (this.#generationId < 0) return { groupId, generationId: -1, memberId: '', groupInstanceId }
    return { groupId, generationId: this.#generationId, memberId: this.#memberId, groupInstanceId }
  }

  topics(): readonly string[] | null {
    return this.#subscription.pattern === null ? this.#topics : null
  }

  state(): string {
    return this.#machine.state
  }

  close(): void {
    this.#course++
    this.#retryTimer?.cancel()
    this.#heartbeatTimer?.cancel()
    this.#leadership.end()
    this.#stopNews()
  }

  // --- steps of the machine -------------------------------------------------------------------------------------------------------

  /** Runs a step; what it throws (a lost endpoint, a deadline) is `step.failed`, unless the course has changed since. */
  #step(run: () => Promise<void>): void {
    const course = ++this.#course
    run().catch((error: unknown) => {
      if (course !== this.#course) return
      this.#host.context.log.debug(
        { state: this.#machine.state, error: String(error) },
        'a step of the membership failed',
      )
      this.#host.link.forgetCoordinator('group', this.#host.group.groupId)
      const failure = hopeless(error)
      if (failure !== null && this.#machine.state !== 'Leaving') this.#host.fail(failure)
      // A member that cannot say goodbye is gone all the same: its session will time out.
      if (this.#machine.state === 'Leaving') this.#left()
      else this.#machine.send({ type: 'step.failed' })
    })
  }

  async #prepareJoin(): Promise<void> {
    const course = this.#course
    const { link, group, input, context } = this.#host
    await this.#losing
    if (this.#subscription.pattern !== null) await this.#host.refresh(null)
    this.#topics = matchingTopics(this.#subscription, link.topics())
    this.#learnTopics()
    const owned = this.#host.owned()
    const going = this.#protocol === 'EAGER' ? owned : unsubscribed(owned, this.#topics)
    if (going.length > 0) await this.#host.rebalance({ revoked: going, assigned: [] })
    await link.coordinator('group', group.groupId, { deadlineMs: input.requestTimeoutMs, signal: context.signal })
    if (course === this.#course) this.#machine.send({ type: 'prepared' })
  }

  /** Looks at topics that are new to us while the coordinator is found and the group gathers: what comes of it is needed with the assignment. */
  #learnTopics(): void {
    const unknown = this.#topics.filter(topic => this.#host.link.topic(topic) === undefined)
    // Whoever needs them asks again.
    if (unknown.length > 0) this.#host.refresh(unknown).catch(() => undefined)
  }

  async #sendJoin(): Promise<void> {
    this.#leadership.end()
    const course = this.#course
    const { group } = this.#host
    const protocols = await Promise.all(this.#strategy.map(assignor => this.#offer(assignor)))
    if (course !== this.#course) return
    const answer = await this.#request(
      'JoinGroup',
      {
        groupId: group.groupId,
        sessionTimeoutMs: group.sessionTimeoutMs,
        rebalanceTimeoutMs: group.maxPollIntervalMs,
        memberId: this.#memberId,
        groupInstanceId: group.groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocols,
        reason: null,
      },
      group.maxPollIntervalMs + REBALANCE_LAPSE_MS,
    )
    if (course !== this.#course) return
    if (answer.errorCode === 0) {
      this.#becomeMember(answer.memberId)
      this.#generationId = answer.generationId
      this.#host.memberChanged()
      this.#joined = answer
      this.#machine.send({ type: 'joined' })
      return
    }
    if (membershipVerdict(answer.errorCode) === 'again') this.#becomeMember(answer.memberId)
    this.#refused('joining', answer.errorCode)
  }

  async #sendSync(): Promise<void> {
    const course = this.#course
    const { group } = this.#host
    const joined = this.#joined!
    const isLeader = joined.leader === joined.memberId
    const division = isLeader ? await this.#leadership.divide(joined, this.#chosen()) : null
    if (course !== this.#course) return
    this.#leadership.lead(division)
    const answer = await this.#request(
      'SyncGroup',
      {
        groupId: group.groupId,
        generationId: this.#generationId,
        memberId: this.#memberId,
        groupInstanceId: group.groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocolName: joined.protocolName,
        assignments: division?.assignments ?? [],
      },
      group.maxPollIntervalMs + REBALANCE_LAPSE_MS,
    )
    if (course !== this.#course) return
    if (answer.errorCode !== 0) {
      this.#refused('synchronising', answer.errorCode)
      return
    }
    this.#share = decodeShare(answer.assignment)
    this.#attempts = 0
    this.#leadership.awaitRound(() => {
      if (this.#machine.state === 'Stable.Steady') this.#machine.send({ type: 'rejoin.requested' })
    })
    this.#machine.send({ type: 'synced' })
  }

  async #applyAssignment(): Promise<void> {
    const course = this.#course
    const { partitions } = this.#share
    const unknown = partitions.filter(({ topic, partition }) => !this.#host.link.topic(topic)?.partitions[partition])
    if (unknown.length > 0) await this.#host.refresh([...new Set(unknown.map(({ topic }) => topic))]).catch(() => {})
    await this.#tellAssignor()
    if (course !== this.#course) return
    const { revoked, added } = assignmentDifference(this.#host.owned(), partitions)
    await this.#host.rebalance({ revoked, assigned: added, ends: true })
    if (course !== this.#course) return
    // KIP-429: what was given up can be assigned to others only in another round.
    if (revoked.length > 0) this.#machine.send({ type: 'rejoin.requested' })
    this.#machine.send({ type: 'assigned' })
    // Topics may have changed while the assignment was on its way.
    this.metadataChanged()
  }

  async #leave(): Promise<void> {
    await this.#losing
    const owned = this.#host.owned()
    if (owned.length > 0) await this.#host.rebalance({ revoked: owned, assigned: [] })
    await this.#sayGoodbye('the consumer is being closed')
    this.#left()
  }

  async #leaveStale(): Promise<void> {
    const owned = this.#host.owned()
    this.#host.context.log.warn(
      { groupId: this.#host.group.groupId },
      'no progress within maxPollIntervalMs: left the group',
    )
    await this.#sayGoodbye('consumer poll timeout has expired.').catch(() => undefined)
    this.#forgetMember()
    if (owned.length > 0) this.#losing = this.#host.rebalance({ revoked: owned, assigned: [], lost: true })
  }

  async #sayGoodbye(reason: string): Promise<void> {
    const { groupId, groupInstanceId } = this.#host.group
    // A static member stays until its session ends, so that it can come back to what it had (KIP-345).
    if (this.#memberId === '' || groupInstanceId !== null) return
    const members = [{ memberId: this.#memberId, groupInstanceId, reason }]
    await this.#request('LeaveGroup', { groupId, memberId: '', members }, this.#host.input.requestTimeoutMs)
  }

  #left(): void {
    this.#forgetMember()
    this.#machine.send({ type: 'left' })
    for (const resolve of this.#leaving.splice(0)) resolve()
  }

  #loseMembership(): void {
    this.#loseGeneration()
    this.#forgetMember()
  }

  #loseGeneration(): void {
    this.#course++
    this.#forgetGeneration()
    const owned = this.#host.owned()
    if (owned.length > 0) this.#losing = this.#host.rebalance({ revoked: owned, assigned: [], lost: true })
  }

  #forgetMember(): void {
    this.#stopNews()
    this.#memberId = ''
    this.#forgetGeneration()
  }

  #forgetGeneration(): void {
    this.#newsPending = false
    this.#generationId = -1
    this.#host.memberChanged()
    this.#leadership.end()
    this.#share = NOTHING
  }

  #refused(what: string, errorCode: number): void {
    const { link, group } = this.#host
    const verdict = membershipVerdict(errorCode)
    if (verdict === 'refind') link.forgetCoordinator('group', group.groupId)
    if (verdict === 'again') this.#machine.send({ type: 'join.again' })
    else if (verdict === 'rebalance') this.#machine.send({ type: 'rebalance.started' })
    else if (verdict === 'lost') this.#machine.send({ type: 'membership.lost' })
    else if (verdict === 'outdated') this.#machine.send({ type: 'generation.lost' })
    else if (verdict === 'fatal')
      this.#machine.send({ type: 'failed', error: membershipError(`${what} group ${group.groupId}`, errorCode) })
    else this.#machine.send({ type: 'step.failed' })
  }

  #armRetry(): void {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#host.input
    const { clock, random } = this.#host.context
    const waitMs = backoffMs({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }, this.#attempts++, random.float())
    this.#retryTimer = clock.after(waitMs, () => this.#machine.send({ type: 'retry.due' }))
  }

  // --- heartbeats -----------------------------------------------------------------------------------------------------------------

  #armHeartbeat(): void {
    this.#heartbeatAtMs = this.#host.context.clock.monotonic()
    if (this.#newsPending) void this.#heartbeat()
    else this.#nextHeartbeat()
  }

  #nextHeartbeat(): void {
    this.#heartbeatTimer?.cancel()
    this.#heartbeatTimer = this.#host.context.clock.after(
      this.#host.group.heartbeatIntervalMs,
      () => void this.#heartbeat(),
    )
  }

  /** In-process coordinators say when a heartbeat would be news, so that no rebalance waits for the interval. Watched for before the group knows the member. */
  #becomeMember(memberId: string): void {
    if (memberId === this.#memberId) return
    this.#stopNews()
    this.#memberId = memberId
    this.#host.memberChanged()
    this.#stopNews = this.#host.link.onGroupNews(this.#host.group.groupId, memberId, news => this.#told(news))
  }

  /** A member with an assignment hears only of rebalances that came after it; one without may be told of the one that it takes part in. */
  #told({ isRebalancing }: GroupNews): void {
    if (isRebalancing && this.#machine.state.startsWith('Stable.')) {
      this.#machine.send({ type: 'rebalance.started' })
      return
    }
    this.#newsPending = true
    void this.#heartbeat()
  }

  /** News that comes while a heartbeat is on its way, or just before the answer that makes heartbeats due, is asked for right after. */
  async #heartbeat(): Promise<void> {
    if (!this.#machine.hasTag('heartbeating') || this.#heartbeating) return
    this.#heartbeating = true
    this.#newsPending = false
    const { groupId, groupInstanceId, sessionTimeoutMs } = this.#host.group
    const generationId = this.#generationId
    const request = { groupId, generationId, memberId: this.#memberId, groupInstanceId }
    const answer = await this.#request('Heartbeat', request, sessionTimeoutMs).catch(() => null)
    this.#heartbeating = false
    if (!this.#machine.hasTag('heartbeating')) return
    if (generationId === this.#generationId) this.#heard(answer?.errorCode ?? null)
    if (!this.#machine.hasTag('heartbeating')) return
    if (this.#newsPending) void this.#heartbeat()
    else this.#nextHeartbeat()
  }

  #heard(errorCode: number | null): void {
    const { clock } = this.#host.context
    const { link, group } = this.#host
    const verdict = errorCode === null ? 'refind' : membershipVerdict(errorCode)
    if (verdict === 'ok' || verdict === 'rebalance') this.#heartbeatAtMs = clock.monotonic()
    if (verdict === 'refind') link.forgetCoordinator('group', group.groupId)
    const isAnswered = verdict !== 'ok' && verdict !== 'retry' && verdict !== 'refind'
    if (isAnswered) this.#refused('heartbeat of', errorCode!)
    // The coordinator has not been heard for a whole session: it has given this member up, or soon will.
    else if (clock.monotonic() - this.#heartbeatAtMs > group.sessionTimeoutMs)
      this.#machine.send({ type: 'generation.lost' })
  }

  // --- assigning ------------------------------------------------------------------------------------------------------------------

  /** What this member says of itself under one assignor. */
  async #offer(assignor: MemberAssignor): Promise<{ name: string; metadata: Uint8Array }> {
    const memory = { ownedPartitions: this.#share.partitions, generationId: this.#generationId }
    const metadata = encodeSubscription({
      topics: this.#topics,
      ownedPartitions: this.#host.owned(),
      generationId: this.#generationId,
      rackId: this.#host.input.clientRack || null,
      userData: await assignor.userData(this.#topics, memory),
    })
    return { name: assignor.name, metadata }
  }

  /** The assignor that the group agreed on. */
  #chosen(): MemberAssignor {
    return this.#strategy.find(({ name }) => name === this.#joined!.protocolName)!
  }

  /** What it throws does not undo the assignment: the user hears of it. */
  async #tellAssignor(): Promise<void> {
    await this.#chosen()
      .assigned(this.#share, this.metadata())
      .catch((error: unknown) => {
        const failure = hopeless(error)
        if (failure !== null) this.#host.fail(failure)
      })
  }

  async #request<A extends GroupApi>(api: A, request: ApiRequest<A>, deadlineMs: number): Promise<ApiResponse<A>> {
    const { link, group, input, context } = this.#host
    const { signal } = context
    const coordinator = await link.coordinator('group', group.groupId, { deadlineMs: input.requestTimeoutMs, signal })
    return link.request(coordinator, api, request, { deadlineMs, signal })
  }
}
