// Commits that wait for each other, sent to the coordinator in order: whatever waits when a request may go is gathered into it, one request is on its way
// at a time, and what is not taken is tried again before, or together with, what came later. Owned by OffsetCommits.
import type { PortError } from '@odradek/shared/base/errors'
import type { CommittedOffset, GroupMetadata } from '@odradek/shared/contracts/consumer.contract'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { ZERO_UUID } from '@odradek/shared/protocol/schema'
import { codesIn, gatheredCount, gatheredTopics } from './commit-gathering.rules.ts'
import { type CommitVerdict, worstVerdict } from './commits.rules.ts'
import { errorData, portError } from './consumer-errors.ts'
import {
  type AttemptPauses,
  type AttemptsHost,
  consumerClosed,
  isUnanswered,
  refusalOf,
  tookTooLong,
} from './coordinator-attempts.ts'

/** A commit, or that part of it which could not wait for the rest. */
export interface CommitPart {
  /** What its next attempt would send: neither taken nor given up. */
  offsets: readonly CommittedOffset[]
  /** How many the coordinator has not taken, with those that were given up. */
  count: number
  /** Was in a request. */
  isTried: boolean
  /** Monotonic milliseconds. */
  readonly endMs: number
  /** Why the member may not commit it, or not any more; null: it may. */
  barred(): PortError | null
  /** The request is on its way to the coordinator for the first time, or never will be. */
  sent(): void
  /** Its caller was told, or is told when the other parts are. */
  isSettled: boolean
  /** Null: all of it was taken. */
  settled(failure: unknown): void
}

/** A part, and what of it was in the request. */
interface Going {
  readonly part: CommitPart
  readonly offsets: readonly CommittedOffset[]
}

interface Outcome extends Going {
  readonly verdict: CommitVerdict
  readonly errorCode: number
}

/** How an attempt failed that is made again. */
interface Again {
  readonly isStale: boolean
  /** Null: nobody answered. */
  readonly askedAs: GroupMetadata | null
}

const WHAT = 'committing offsets'

export class CommitLine {
  readonly #host: AttemptsHost
  readonly #pauses: AttemptPauses
  readonly #waiting: CommitPart[] = []
  #isRunning = false

  constructor(host: AttemptsHost, pauses: AttemptPauses) {
    this.#host = host
    this.#pauses = pauses
  }

  add(part: CommitPart): void {
    this.#waiting.push(part)
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    for (let tries = 0; this.#waiting.length > 0; ) {
      const first = this.#waiting[0]!
      const again = this.#isOver(first) ? this.#forget([first]) : await this.#attempt(first)
      if (again !== null) await this.#pauses.pause(tries, again)
      tries = this.#waiting[0] === first ? tries + 1 : 0
    }
    this.#isRunning = false
  }

  /** One request for the first and what waits behind it. Null: everybody in it was told. */
  async #attempt(first: CommitPart): Promise<Again | null> {
    const { link, signal } = this.#host
    let going: readonly Going[] = []
    try {
      const coordinator = await link.coordinator('group', this.#groupId, { deadlineMs: this.#leftMs([first]), signal })
      // Not before: what came meanwhile goes along, and what was given up meanwhile does not.
      const parts = this.#gathered()
      if (parts.length === 0) return null
      going = parts.map(part => ({ part, offsets: part.offsets }))
      const askedAs = this.#host.metadata()
      const request = this.#request(going, askedAs)
      const asked = link.request(coordinator, 'OffsetCommit', request, { deadlineMs: this.#leftMs(parts), signal })
      for (const part of parts) {
        part.isTried = true
        part.sent()
      }
      const codeOf = codesIn(request.topics, await asked)
      const outcomes = going.map(({ part, offsets }) => ({ part, offsets, ...worstVerdict(offsets.map(codeOf)) }))
      return this.#answered(outcomes, codeOf, askedAs)
    } catch (thrown) {
      return this.#failed(going.length > 0 ? going.map(({ part }) => part) : [first], thrown)
    }
  }

  /** What goes out now: the longest part of the line that can, without those for whom it is too late. They stay in the line. */
  #gathered(): readonly CommitPart[] {
    for (;;) {
      const together = this.#waiting.slice(0, gatheredCount(this.#waiting, this.#groupId))
      const going = together.filter(part => !this.#isOver(part))
      this.#forget(together)
      if (going.length > 0 || this.#waiting.length === 0) return going
    }
  }

  #request(going: readonly Going[], { groupId, generationId, memberId, groupInstanceId }: GroupMetadata) {
    const { link } = this.#host
    const commits = going.map(({ offsets }) => offsets)
    return {
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      groupInstanceId,
      retentionTimeMs: -1,
      topics: gatheredTopics(commits, topic => link.topic(topic)?.topicId ?? ZERO_UUID),
    }
  }

  #answered(outcomes: readonly Outcome[], codeOf: (at: CommittedOffset) => number, askedAs: GroupMetadata) {
    const { link, signal } = this.#host
    const fencing = outcomes.find(({ verdict }) => verdict === 'rejoin')
    if (fencing && this.#pauses.isStill(askedAs)) this.#host.fenced(errorOf(fencing.errorCode).name)
    if (outcomes.some(({ verdict }) => verdict === 'refind')) link.forgetCoordinator('group', this.#groupId)
    for (const outcome of outcomes) this.#judge(outcome, codeOf)
    const open = outcomes.filter(({ part }) => !part.isSettled)
    if (signal.aborted) for (const { part } of open) this.#settle(part, consumerClosed(WHAT))
    this.#forget(outcomes.map(({ part }) => part))
    if (open.length === 0 || signal.aborted) return null
    return { isStale: open.some(({ verdict }) => verdict === 'stale'), askedAs }
  }

  #judge({ part, offsets, verdict, errorCode }: Outcome, codeOf: (at: CommittedOffset) => number): void {
    // What was taken is not sent again: a later commit may have been taken with it.
    const open = new Set(offsets.filter(offset => codeOf(offset) !== 0))
    part.count -= offsets.length - open.size
    part.offsets = part.offsets.filter(offset => open.has(offset))
    if (verdict === 'ok') this.#settle(part, part.count > 0 ? givenUp(this.#groupId) : null)
    const refusal = refusalOf(WHAT, verdict, errorCode)
    if (refusal !== null) this.#settle(part, refusal)
  }

  #failed(parts: readonly CommitPart[], thrown: unknown): Again | null {
    const { link, signal } = this.#host
    const isUnknown = isUnanswered(thrown)
    if (isUnknown) link.forgetCoordinator('group', this.#groupId)
    if (isUnknown && !signal.aborted) return { isStale: false, askedAs: null }
    for (const part of parts) this.#settle(part, isUnknown ? consumerClosed(WHAT) : thrown)
    return this.#forget(parts)
  }

  /** Whether nothing is to be asked of the coordinator any more; then its caller was told. */
  #isOver(part: CommitPart): boolean {
    if (part.count === 0) this.#settle(part, null)
    else if (part.endMs <= this.#host.clock.monotonic()) this.#settle(part, tookTooLong(WHAT))
    else if (part.offsets.length === 0) this.#settle(part, givenUp(this.#groupId))
    else {
      const barred = part.barred()
      if (barred !== null) this.#settle(part, barred)
    }
    return part.isSettled
  }

  #settle(part: CommitPart, failure: unknown): void {
    if (part.isSettled) return
    part.isSettled = true
    part.sent()
    part.settled(failure)
  }

  /** Takes those of the first in the line who were told out of it. */
  #forget(first: readonly CommitPart[]): null {
    const open = first.filter(({ isSettled }) => !isSettled)
    this.#waiting.splice(0, first.length, ...open)
    return null
  }

  get #groupId(): string {
    return this.#host.input.group!.groupId
  }

  #leftMs(parts: readonly CommitPart[]): number {
    const { clock, input } = this.#host
    const now = clock.monotonic()
    return parts.reduce((leftMs, { endMs }) => Math.min(leftMs, endMs - now), input.requestTimeoutMs)
  }
}

function givenUp(groupId: string): PortError {
  const message = `${WHAT}: partitions of them went to another member of group ${groupId} before the coordinator took the commit`
  return portError(errorData('ODK_COMMIT_FAILED', message))
}
