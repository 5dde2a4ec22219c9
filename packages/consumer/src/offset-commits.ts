// Commits of one member, and what it asks of committed offsets: in order, until a deadline, with the member's generation or epoch; what becomes of commits
// when their partitions go. Owned by the consumer actor.
import type { PortError } from '@odradek/shared/base/errors'
import type { CommittedOffset, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { gatheredCount } from './commit-gathering.rules.ts'
import { CommitLine, type CommitPart } from './commit-line.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { errorData, portError } from './consumer-errors.ts'
import { AttemptPauses, type AttemptsHost } from './coordinator-attempts.ts'
import { among } from './partition-names.rules.ts'

export interface OffsetCommitsHost extends AttemptsHost {
  /** True when what is read was assigned by the group: then only a member may commit. */
  needsMember(): boolean
}

/** What its caller committed at once. He is told when all parts are settled, and of the first failure. */
interface Commit {
  parts: number
  failure: unknown
  /** Losses that the caller had been told of when it committed. */
  readonly losses: number
  readonly endMs: number
  taken(): void
  refused(failure: unknown): void
}

interface Part extends CommitPart {
  readonly commit: Commit
}

export class OffsetCommits {
  readonly #host: OffsetCommitsHost
  readonly #pauses: AttemptPauses
  readonly #line: CommitLine
  readonly #committed: CommittedOffsets
  /** Parts of commits that are not answered for good. */
  readonly #open = new Set<Part>()
  /** Counts how often the group took away what the member owned. */
  #losses = 0
  /** The caller has not heard yet of so many losses: what it commits, it still takes for its own. */
  #untold = 0

  constructor(host: OffsetCommitsHost) {
    this.#host = host
    this.#pauses = new AttemptPauses(host)
    this.#line = new CommitLine(host, this.#pauses)
    this.#committed = new CommittedOffsets(host, this.#pauses)
  }

  /** Rejects with a PortError: ODK_COMMIT_FAILED when the group moved on, ODK_TIMEOUT past `deadlineMs`. */
  commit(offsets: readonly CommittedOffset[], deadlineMs: number): Promise<void> {
    return offsets.length === 0 ? Promise.resolve() : this.send(offsets, deadlineMs).taken
  }

  /** As `commit`. `sent` resolves when the request is on its way, or never will be. */
  send(offsets: readonly CommittedOffset[], deadlineMs: number): { sent: Promise<void>; taken: Promise<void> } {
    const losses = this.#untold > 0 ? this.#losses - 1 : this.#losses
    const endMs = this.#host.clock.monotonic() + deadlineMs
    let commit: Commit
    const whenTaken = new Promise<void>((taken, refused) => {
      commit = { parts: 0, failure: null, losses, endMs, taken, refused }
    })
    const { part, sent } = this.#part(commit!, offsets)
    this.#line.add(part)
    return { sent, taken: whenTaken }
  }

  #part(commit: Commit, offsets: readonly CommittedOffset[]): { part: Part; sent: Promise<void> } {
    let tellSent = () => {}
    const sent = new Promise<void>(resolve => (tellSent = resolve))
    const part: Part = {
      commit,
      offsets,
      count: offsets.length,
      isTried: false,
      isSettled: false,
      endMs: commit.endMs,
      barred: () => this.#barred(commit),
      sent: tellSent,
      settled: failure => {
        this.#open.delete(part)
        commit.failure ??= failure
        if (--commit.parts > 0) return
        if (commit.failure === null) commit.taken()
        else commit.refused(commit.failure)
      },
    }
    commit.parts++
    this.#open.add(part)
    return { part, sent }
  }

  /** An empty group takes commits of anybody: one that was given up must not slip through there (Kafka's CommitFailedException). */
  #barred({ losses }: Commit): PortError | null {
    if (!this.#host.needsMember()) return null
    const { groupId, memberId } = this.#host.metadata()
    return memberId === '' || losses !== this.#losses ? notMember(groupId) : null
  }

  /**
   * These are about to be given up, and the caller's hook has run: what it has committed of them, and what waits for an answer to an earlier commit, is sent
   * now, as Java's consumer does with every commit, so that it arrives before the group is told. Resolves when it is on its way.
   */
  async hurry(partitions: readonly TopicPartition[]): Promise<void> {
    const isGoing = among(partitions)
    const hurried: { part: Part; sent: Promise<void> }[] = []
    for (const part of [...this.#open]) {
      const offsets = part.offsets.filter(isGoing)
      if (offsets.length === 0) continue
      // What was tried is on its way, or would overtake now what is sent here if it were tried again.
      part.offsets = part.offsets.filter(offset => !isGoing(offset))
      if (part.isTried) continue
      part.count -= offsets.length
      hurried.push(this.#part(part.commit, offsets))
    }
    const parts = hurried.map(({ part }) => part)
    while (parts.length > 0) {
      const line = new CommitLine(this.#host, this.#pauses)
      for (const part of parts.splice(0, gatheredCount(parts, this.#host.input.group!.groupId))) line.add(part)
    }
    await Promise.all(hurried.map(({ sent }) => sent))
  }

  /**
   * These are about to be another member's, in order. What is on its way arrives before the group is told so; what would be sent later, because it waits or
   * because the coordinator did not take it, would set back what the other one has committed by then.
   */
  gaveUp(partitions: readonly TopicPartition[]): void {
    const isGone = among(partitions)
    for (const part of this.#open) part.offsets = part.offsets.filter(offset => !isGone(offset))
  }

  /** The member is another than it was, or in another epoch. */
  memberChanged(): void {
    this.#pauses.memberChanged()
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
  committed(partitions: readonly TopicPartition[], deadlineMs: number): Promise<readonly CommittedOffset[]> {
    return this.#committed.of(partitions, deadlineMs)
  }
}

function notMember(groupId: string): PortError {
  const message = `committing offsets: the consumer is not a member of group ${groupId} now: its partitions are, or will be, those of others`
  return portError(errorData('ODK_COMMIT_FAILED', message))
}
