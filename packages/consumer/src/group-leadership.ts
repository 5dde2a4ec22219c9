// What the leader of a classic group does for it: divides the partitions by the assignor that the group agreed on, watches the topics that it divided, and
// asks for the round that it owes (KIP-429). Owned by classic-membership; what it divided counts for one generation only.
import type { Timer } from '@odradek/shared/base/clock'
import type { ErrorData } from '@odradek/shared/base/errors'
import type { AssignorMember } from '@odradek/shared/client/assignors/assignor'
import { decodeSubscription, encodeAssignment } from '@odradek/shared/client/assignors/subscription-bytes'
import type { TopicView } from '@odradek/shared/client/cluster-link'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import type { JoinGroupResponse } from '@odradek/shared/protocol/messages/11-join-group'
import { errorData, portError } from './consumer-errors.ts'
import { assignorTopics, type MemberAssignor } from './member-assignors.ts'
import { takenTooEarly, withheld } from './membership.rules.ts'
import type { MembershipHost } from './membership.ts'
import { nameOf } from './partition-names.rules.ts'

/** What one generation gets, and what it was made from. */
export interface Division {
  /** As SyncGroup carries them; none for a static leader that came back (KIP-814). */
  readonly assignments: { readonly memberId: string; readonly assignment: Uint8Array }[]
  readonly topics: readonly string[]
  /** Of the topics as they were: a change asks for a new division. */
  readonly fingerprint: string
  /** A round must follow this one, or may have to. */
  readonly owesRound: boolean
}

export class GroupLeadership {
  readonly #host: MembershipHost
  readonly #isCooperative: boolean
  #division: Division | null = null
  #roundTimer: Timer | null = null

  constructor(host: MembershipHost, isCooperative: boolean) {
    this.#host = host
    this.#isCooperative = isCooperative
  }

  /** Asks the assignor. Nothing of the answer counts before `lead`: the generation may be over by then. */
  async divide(joined: JoinGroupResponse, assignor: MemberAssignor): Promise<Division> {
    const { link } = this.#host
    const members: AssignorMember[] = joined.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      ...decodeSubscription(metadata),
    }))
    const topics = [...new Set(members.flatMap(member => member.topics))]
    if (!link.isCurrent(topics)) await this.#host.refresh(topics)
    const fingerprint = this.#fingerprint(topics)
    // KIP-814: a static leader that comes back assigns nothing, but it is the one that watches the group's topics again. What it withheld before is forgotten.
    if (joined.skipAssignment) return { assignments: [], topics, fingerprint, owesRound: this.#isCooperative }
    const shares = await assignor.assign({ members, topics: this.#known(topics), nodes: link.nodes() })
    const tooEarly = this.#isCooperative && !assignor.isTrusted ? takenTooEarly(members, shares) : []
    if (tooEarly.length > 0) throw portError(brokeKip429(assignor.name, tooEarly))
    const assignments = shares.map(({ memberId, partitions, userData }) => ({
      memberId,
      assignment: encodeAssignment(partitions, userData),
    }))
    return {
      assignments,
      topics,
      fingerprint,
      owesRound: this.#isCooperative && withheld(members, shares).length > 0,
    }
  }

  /** The division of the generation that begins; null: another member leads it. */
  lead(division: Division | null): void {
    this.end()
    this.#division = division
  }

  /**
   * KIP-429: whoever gives something up asks for the round that gives it to another. A static member that is restarted before it has asked comes back without a rebalance, so
   * the leader asks, when every other reason why that member is silent would have ended its session.
   */
  awaitRound(ask: () => void): void {
    if (this.#division?.owesRound !== true) return
    const { context, group } = this.#host
    this.#roundTimer = context.clock.after(group.sessionTimeoutMs, ask)
  }

  /** Whether this member divided what is not as it was. */
  isOutdated(): boolean {
    return this.#division !== null && this.#division.fingerprint !== this.#fingerprint(this.#division.topics)
  }

  /** The generation is over. */
  end(): void {
    this.#roundTimer?.cancel()
    this.#division = null
  }

  #known(topics: readonly string[]): readonly TopicView[] {
    const views = topics.map(topic => this.#host.link.topic(topic))
    return views.filter(view => view !== undefined && view.errorCode === 0) as TopicView[]
  }

  /** Partitions of the topics, and their racks if this member has one (KIP-881): a change of either asks for another division. */
  #fingerprint(topics: readonly string[]): string {
    const { link, input } = this.#host
    const known = assignorTopics(this.#known(topics), input.clientRack === '' ? [] : link.nodes())
    return JSON.stringify([...known])
  }
}

function brokeKip429(assignor: string, partitions: readonly TopicPartition[]): ErrorData {
  const list = partitions.map(nameOf).join(', ')
  return errorData(
    'ODK_ASSIGNOR_FAILED',
    `assignor ${assignor} is COOPERATIVE, and gave partitions away that another member still owns: ${list}`,
  )
}
