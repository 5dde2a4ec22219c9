// Sends OffsetCommit and OffsetFetch to the group's coordinator: in order, retried until a deadline, with the member's generation or epoch.
// Owned by the consumer actor.
import { assert } from '@odradek/shared/base/assert'
import type { Clock } from '@odradek/shared/base/clock'
import { KafkaError, PortError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import type {
  CommittedOffset,
  ConsumerInput,
  GroupMetadata,
  TopicPartition,
} from '@odradek/shared/contracts/consumer.contract'
import type { ErrorName } from '@odradek/shared/protocol/error-codes'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { ZERO_UUID } from '@odradek/shared/protocol/schema'
import { type CommitVerdict, worstVerdict } from './commits.rules.ts'
import { brokerError, errorData, portError } from './consumer-errors.ts'
import { among } from './partition-names.rules.ts'

export interface OffsetCommitsHost {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly link: ClusterLink
  readonly input: ConsumerInput
  /** The member as it is now; a manual assignment commits with generation -1 and no member id. */
  metadata(): GroupMetadata
  /** True when what is read was assigned by the group: then only a member may commit. */
  needsMember(): boolean
  /** The coordinator said that the member is no longer what it believes. */
  fenced(error: ErrorName): void
}

interface Answer {
  readonly verdict: CommitVerdict
  readonly errorCode: number
  /** As which member it was asked for; null: nobody answered. */
  readonly askedAs: GroupMetadata | null
}

/** A commit that is not answered for good. */
interface Pending {
  /** What its next attempt would send. */
  offsets: readonly CommittedOffset[]
  /** How many offsets are to be taken by the coordinator. */
  count: number
  /** Its turn has come. */
  isTaken: boolean
  /** Monotonic milliseconds. */
  readonly endMs: number
  /** Losses that the caller had been told of when it committed. */
  readonly losses: number
  /** Those of its offsets that could not wait for its turn. */
  hurried: Promise<void> | null
  /** The request is on its way to the coordinator for the first time, or never will be. */
  sent(): void
}

export class OffsetCommits {
  readonly #host: OffsetCommitsHost
  /** Commits wait for the one before: a later offset never overtakes an earlier one that is tried again. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #pending = new Set<Pending>()
  /** Counts how often the group took away what the member owned. */
  #losses = 0
  /** Requests that were refused for the member's epoch, until it has another. */
  readonly #stale = new Set<() => void>()
  /** The caller has not heard yet of so many losses: what it commits, it still takes for its own. */
  #untold = 0

  constructor(host: OffsetCommitsHost) {
    this.#host = host
  }

  /** Rejects with a PortError: ODK_COMMIT_FAILED when the group moved on, ODK_TIMEOUT past `deadlineMs`. */
  commit(offsets: readonly CommittedOffset[], deadlineMs: number): Promise<void> {
    return offsets.length === 0 ? Promise.resolve() : this.send(offsets, deadlineMs).taken
  }

  /** As `commit`. `sent` resolves when the request is on its way, or never will be. */
  send(offsets: readonly CommittedOffset[], deadlineMs: number): { sent: Promise<void>; taken: Promise<void> } {
    let tellSent = () => {}
    const sent = new Promise<void>(resolve => (tellSent = resolve))
    const pending: Pending = {
      offsets,
      count: offsets.length,
      isTaken: false,
      endMs: this.#host.clock.monotonic() + deadlineMs,
      losses: this.#untold > 0 ? this.#losses - 1 : this.#losses,
      hurried: null,
      sent: tellSent,
    }
    const taken = this.#last.then(() => this.#taken(pending)).then(() => pending.hurried ?? undefined)
    this.#last = taken.catch(() => undefined)
    this.#pending.add(pending)
    return { sent, taken }
  }

  async #taken(pending: Pending): Promise<void> {
    pending.isTaken = true
    try {
      if (pending.count > 0) await this.#untilTaken(pending)
    } finally {
      this.#pending.delete(pending)
      pending.sent()
    }
  }

  async #untilTaken(pending: Pending): Promise<void> {
    const { groupId } = this.#host.input.group!
    const { losses, endMs, sent } = pending
    let { offsets } = pending
    await this.#untilAnswered('committing offsets', endMs, async leftMs => {
      offsets = pending.offsets
      if (offsets.length === 0) throw givenUp(groupId)
      return await this.#send(offsets, { losses, leftMs, onItsWay: sent })
    })
    if (offsets.length < pending.count) throw givenUp(groupId)
  }

  /**
   * These are about to be given up, and the caller's hook has run: what it has committed of them, and what waits for an answer to an earlier commit, is sent
   * now, as Java's consumer does with every commit, so that it arrives before the group is told. Resolves when it is on its way.
   */
  async hurry(partitions: readonly TopicPartition[]): Promise<void> {
    const isGoing = among(partitions)
    const sendings: Promise<void>[] = []
    for (const waiting of [...this.#pending].filter(({ isTaken }) => !isTaken)) {
      const offsets = waiting.offsets.filter(isGoing)
      if (offsets.length === 0) continue
      waiting.offsets = waiting.offsets.filter(offset => !isGoing(offset))
      waiting.count = waiting.offsets.length
      sendings.push(
        new Promise(sent => {
          const hurried = { ...waiting, offsets, count: offsets.length, sent }
          this.#pending.add(hurried)
          waiting.hurried = this.#taken(hurried)
          // Its caller is told when the rest of the commit has had its turn.
          waiting.hurried.catch(() => undefined)
        }),
      )
    }
    await Promise.all(sendings)
  }

  /**
   * These are about to be another member's, in order. What is on its way arrives before the group is told so; what would be sent later, because it waits or
   * because the coordinator did not take it, would set back what the other one has committed by then.
   */
  gaveUp(partitions: readonly TopicPartition[]): void {
    const isGone = among(partitions)
    for (const pending of this.#pending) pending.offsets = pending.offsets.filter(offset => !isGone(offset))
  }

  /** The member is another than it was, or in another epoch. */
  memberChanged(): void {
    for (const goOn of [...this.#stale]) goOn()
  }

  /**
   * What the member owned is lost, and `tell` ends when the caller knows. Commits of what was read before are not sent any more: under the name of
   * the member that has joined anew they would set back others, or itself.
   */
  async losing(tell: () => Promise<void>): Promise<void> {
    this.#losses++
    this.#untold++
    try {
      await tell()
    } finally {
      this.#untold--
    }
  }

  /** Committed offsets; partitions without one are left out. With readCommitted, waits out pending transactional offsets (KIP-447). */
  async committed(partitions: readonly TopicPartition[], deadlineMs: number): Promise<readonly CommittedOffset[]> {
    const endMs = this.#host.clock.monotonic() + deadlineMs
    let found: readonly CommittedOffset[] = []
    await this.#untilAnswered('fetching committed offsets', endMs, async leftMs => {
      const [answer, offsets] = await this.#fetch(partitions, leftMs)
      found = offsets
      return answer
    })
    return found
  }

  async #untilAnswered(what: string, endMs: number, attempt: (leftMs: number) => Promise<Answer>): Promise<void> {
    const { clock, random, input, signal } = this.#host
    const backoff = { initialMs: input.retryBackoffMs, maxMs: input.retryBackoffMaxMs }
    for (let tries = 0; ; tries++) {
      const leftMs = endMs - clock.monotonic()
      if (leftMs <= 0) throw portError(errorData('ODK_TIMEOUT', `${what} took longer than its deadline`))
      // A lost coordinator, or one that does not answer, is looked for again.
      const { verdict, errorCode, askedAs } = await attempt(leftMs).catch(unanswered)
      if (verdict === 'ok') return
      if (verdict === 'rejoin' && this.#isStill(askedAs)) this.#host.fenced(errorOf(errorCode).name)
      if (verdict === 'rejoin') throw portError(brokerError(what, errorCode, 'ODK_COMMIT_FAILED'))
      if (verdict === 'fatal') throw portError(brokerError(what, errorCode))
      if (verdict === 'refind') this.#host.link.forgetCoordinator('group', input.group!.groupId)
      if (signal.aborted) throw portError(errorData('ODK_CONSUMER_CLOSED', `${what}: the consumer was closed`))
      // The answer that brings the epoch may have come before the refusal, or comes any moment.
      if (verdict === 'stale' && !this.#isStill(askedAs)) continue
      await this.#pause(backoffMs(backoff, tries, random.float()), verdict === 'stale')
    }
  }

  #pause(waitMs: number, isStale: boolean): Promise<void> {
    return new Promise(resolve => {
      const goOn = () => {
        timer.cancel()
        this.#stale.delete(goOn)
        resolve()
      }
      const timer = this.#host.clock.after(waitMs, goOn)
      if (isStale) this.#stale.add(goOn)
    })
  }

  /** A refusal of who the member was before it joined anew says nothing of who it is now. */
  #isStill(askedAs: GroupMetadata | null): boolean {
    const { memberId, generationId } = this.#host.metadata()
    return askedAs?.memberId === memberId && askedAs.generationId === generationId
  }

  async #send(
    offsets: readonly CommittedOffset[],
    { losses, leftMs, onItsWay }: { readonly losses: number; readonly leftMs: number; readonly onItsWay: () => void },
  ): Promise<Answer> {
    const { link, input, signal } = this.#host
    const deadlineMs = Math.min(leftMs, input.requestTimeoutMs)
    const coordinator = await link.coordinator('group', input.group!.groupId, { deadlineMs, signal })
    const askedAs = this.#host.metadata()
    const { groupId, generationId, memberId, groupInstanceId } = askedAs
    // An empty group takes commits of anybody: one that was given up must not slip through there (Kafka's CommitFailedException).
    if ((memberId === '' || losses !== this.#losses) && this.#host.needsMember()) throw notMember(groupId)
    const topics = byTopic(offsets).map(([name, list]) => ({
      name,
      topicId: link.topic(name)?.topicId ?? ZERO_UUID,
      partitions: list.map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    }))
    const request = {
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      groupInstanceId,
      retentionTimeMs: -1,
      topics,
    }
    const asked = link.request(coordinator, 'OffsetCommit', request, { deadlineMs, signal })
    onItsWay()
    const answer = await asked
    const codes = answer.topics.flatMap(topic => topic.partitions.map(({ errorCode }) => errorCode))
    return { ...worstVerdict(codes), askedAs }
  }

  async #fetch(partitions: readonly TopicPartition[], leftMs: number): Promise<[Answer, CommittedOffset[]]> {
    const { link, input, signal } = this.#host
    const askedAs = this.#host.metadata()
    const { groupId, generationId, memberId } = askedAs
    const deadlineMs = Math.min(leftMs, input.requestTimeoutMs)
    const coordinator = await link.coordinator('group', groupId, { deadlineMs, signal })
    const topics = byTopic(partitions).map(([name, list]) => ({
      name,
      topicId: link.topic(name)?.topicId ?? ZERO_UUID,
      partitionIndexes: list.map(({ partition }) => partition),
    }))
    const byEpoch = input.group!.groupProtocol === 'consumer' && memberId !== ''
    const group = { groupId, memberId: byEpoch ? memberId : null, memberEpoch: byEpoch ? generationId : -1, topics }
    const request = { groupId: '', topics: [], groups: [group], requireStable: true }
    const answer = await link.request(coordinator, 'OffsetFetch', request, { deadlineMs, signal })
    const found = answer.groups[0]
    assert(found !== undefined, 'OffsetFetch answers the group that was asked for')
    const codes = found.topics.flatMap(topic => topic.partitions.map(({ errorCode }) => errorCode))
    const offsets = found.topics.flatMap(({ name, partitions: list }) =>
      list
        .filter(({ committedOffset, errorCode }) => errorCode === 0 && committedOffset >= 0)
        .map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata }) => ({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: metadata ?? '',
        })),
    )
    return [{ ...worstVerdict([found.errorCode, ...codes]), askedAs }, offsets]
  }
}

function notMember(groupId: string): PortError {
  const message = `committing offsets: the consumer is not a member of group ${groupId} now: its partitions are, or will be, those of others`
  return portError(errorData('ODK_COMMIT_FAILED', message))
}

function givenUp(groupId: string): PortError {
  const message = `committing offsets: partitions of them went to another member of group ${groupId} before the coordinator took the commit`
  return portError(errorData('ODK_COMMIT_FAILED', message))
}

/** No answer came: retried elsewhere, unless it can never come. */
function unanswered(thrown: unknown): Answer {
  const isOurs = thrown instanceof PortError && thrown.code.startsWith('ODK_')
  if ((thrown instanceof PortError && !isOurs) || (thrown instanceof KafkaError && thrown.retriable))
    return { verdict: 'refind', errorCode: 0, askedAs: null }
  throw thrown
}

function byTopic<T extends TopicPartition>(list: readonly T[]): [string, T[]][] {
  const topics = new Map<string, T[]>()
  for (const item of list) {
    const same = topics.get(item.topic)
    if (same === undefined) topics.set(item.topic, [item])
    else same.push(item)
  }
  return [...topics]
}
