// The hands of classic-membership.machine: sends JoinGroup, SyncGroup, Heartbeat and LeaveGroup, assigns when this member leads. Owned by the
// consumer actor; heartbeats run on its thread, whatever the caller does.
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import type { Timer } from '@odradek/shared/base/clock'
import type { ErrorData } from '@odradek/shared/base/errors'
import type { AssignorMember, RebalanceProtocol } from '@odradek/shared/client/assignors/assignor'
import { protocolOf } from '@odradek/shared/client/assignors/assignors'
import {
  decodeShare,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type MemberShare,
} from '@odradek/shared/client/assignors/subscription-bytes'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { TopicView } from '@odradek/shared/client/cluster-link'
import type { ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { GroupMetadata, Subscription, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import type { ErrorName } from '@odradek/shared/protocol/error-codes'
import type { JoinGroupResponse } from '@odradek/shared/protocol/messages/11-join-group'
import { classicMembershipMachine } from './classic-membership.machine.ts'
import { errorData, hopeless, membershipError, portError } from './consumer-errors.ts'
import { assignorTopics, type MemberAssignor, memberAssignors } from './member-assignors.ts'
import {
  assignmentDifference,
  matchingTopics,
  membershipVerdict,
  takenTooEarly,
  unsubscribed,
  withheld,
} from './membership.rules.ts'
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
  readonly #machine: MachineRun<typeof classicMembershipMachine>
  #subscription: Subscription = { topics: [], pattern: null }
  #topics: readonly string[] = []
  #memberId = ''
  #generationId = -1
  #joined: JoinGroupResponse | null = null
  #share: MemberShare = NOTHING
  /** What the last assignment was made from, if this member made it: a change asks for a new one. */
  #assignedFrom: string | null = null
  #assignedNames: readonly string[] = []
  /** This member leads, and a round must follow this one, or may have to. */
  #owesRound = false
  #roundTimer: Timer | null = null
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
    else if (this.#machine.hasTag('heartbeating')) this.#machine.send({ type: 'membership.lost' })
  }

  metadataChanged(): void {
    if (this.#machine.state !== 'Stable.Steady') return
    const topics = matchingTopics(this.#subscription, this.#host.link.topics())
    const matchesOthers = topics.join() !== this.#topics.join()
    const assignsOthers = this.#assignedFrom !== null && this.#assignedFrom !== this.#fingerprint()
    this.#topics = topics
    if (matchesOthers || assignsOthers) this.#machine.send({ type: 'rejoin.requested' })
  }

  pollExpired(): void {
    this.#machine.send({ type: 'poll.expired' })
  }

  polled(): void {
    if (this.#machine.state === 'Stale') this.#machine.send({ type: 'polled' })
  }

  metadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#host.group
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
    this.#roundTimer?.cancel()
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
    this.#roundTimer?.cancel()
    this.#owesRound = false
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
    const assignments = joined.leader === joined.memberId ? await this.#assign(joined) : []
    if (course !== this.#course) return
    const answer = await this.#request(
      'SyncGroup',
      {
        groupId: group.groupId,
        generationId: this.#generationId,
        memberId: this.#memberId,
        groupInstanceId: group.groupInstanceId,
        protocolType: PROTOCOL_TYPE,
        protocolName: joined.protocolName,
        assignments,
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
    if (this.#owesRound) this.#awaitRound()
    this.#machine.send({ type: 'synced' })
  }

  /**
   * KIP-429: whoever gives something up asks for the round that gives it to another. A static member that is restarted before it has asked comes back without a rebalance, so
   * the leader asks, when every other reason why that member is silent would have ended its session.
   */
  #awaitRound(): void {
    const { context, group } = this.#host
    this.#roundTimer = context.clock.after(group.sessionTimeoutMs, () => {
      if (this.#machine.state === 'Stable.Steady') this.#machine.send({ type: 'rejoin.requested' })
    })
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
    this.#course++
    this.#forgetMember()
    const owned = this.#host.owned()
    if (owned.length > 0) this.#losing = this.#host.rebalance({ revoked: owned, assigned: [], lost: true })
  }

  #forgetMember(): void {
    this.#stopNews()
    this.#newsPending = false
    this.#memberId = ''
    this.#generationId = -1
    this.#host.memberChanged()
    this.#roundTimer?.cancel()
    this.#share = NOTHING
    this.#assignedFrom = null
  }

  #refused(what: string, errorCode: number): void {
    const { link, group } = this.#host
    const verdict = membershipVerdict(errorCode)
    if (verdict === 'refind') link.forgetCoordinator('group', group.groupId)
    if (verdict === 'again') this.#machine.send({ type: 'join.again' })
    else if (verdict === 'rebalance') this.#machine.send({ type: 'rebalance.started' })
    else if (verdict === 'lost') this.#machine.send({ type: 'membership.lost' })
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
    this.#stopNews = this.#host.link.onGroupNews(this.#host.group.groupId, memberId, () => {
      this.#newsPending = true
      void this.#heartbeat()
    })
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
    if (verdict === 'rebalance' || verdict === 'lost' || verdict === 'fatal') this.#refused('heartbeat of', errorCode!)
    // The coordinator has not been heard for a whole session: it has given this member up.
    else if (clock.monotonic() - this.#heartbeatAtMs > group.sessionTimeoutMs)
      this.#machine.send({ type: 'membership.lost' })
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

  async #assign(joined: JoinGroupResponse): Promise<{ memberId: string; assignment: Uint8Array }[]> {
    const members: AssignorMember[] = joined.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      ...decodeSubscription(metadata),
    }))
    const names = [...new Set(members.flatMap(({ topics }) => topics))]
    if (!this.#host.link.isCurrent(names)) await this.#host.refresh(names)
    this.#assignedFrom = this.#fingerprint(names)
    this.#assignedNames = names
    const isCooperative = this.#protocol === 'COOPERATIVE'
    // KIP-814: a static leader that comes back assigns nothing, but it is the one that watches the group's topics again. What it withheld before is forgotten.
    if (joined.skipAssignment) {
      this.#owesRound = isCooperative
      return []
    }
    const assignor = this.#chosen()
    const shares = await assignor.assign({ members, topics: this.#known(names), nodes: this.#host.link.nodes() })
    const tooEarly = isCooperative && !assignor.isTrusted ? takenTooEarly(members, shares) : []
    if (tooEarly.length > 0) throw portError(brokeKip429(assignor.name, tooEarly))
    this.#owesRound = isCooperative && withheld(members, shares).length > 0
    return shares.map(({ memberId, partitions, userData }) => ({
      memberId,
      assignment: encodeAssignment(partitions, userData),
    }))
  }

  #known(names: readonly string[]): readonly TopicView[] {
    const views = names.map(name => this.#host.link.topic(name))
    return views.filter(view => view !== undefined && view.errorCode === 0) as TopicView[]
  }

  /** Partitions of the topics, and their racks if this member has one (KIP-881): a change of either asks for another assignment. */
  #fingerprint(names = this.#assignedNames): string {
    const { link, input } = this.#host
    const known = assignorTopics(this.#known(names), input.clientRack === '' ? [] : link.nodes())
    return JSON.stringify([...known])
  }

  async #request<A extends GroupApi>(api: A, request: ApiRequest<A>, deadlineMs: number): Promise<ApiResponse<A>> {
    const { link, group, input, context } = this.#host
    const { signal } = context
    const coordinator = await link.coordinator('group', group.groupId, { deadlineMs: input.requestTimeoutMs, signal })
    return link.request(coordinator, api, request, { deadlineMs, signal })
  }
}

function brokeKip429(assignor: string, partitions: readonly TopicPartition[]): ErrorData {
  const list = partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')
  return errorData(
    'ODK_ASSIGNOR_FAILED',
    `assignor ${assignor} is COOPERATIVE, and gave partitions away that another member still owns: ${list}`,
  )
}
