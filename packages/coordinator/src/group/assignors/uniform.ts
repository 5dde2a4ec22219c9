// Uniform: everyone gets as many partitions as everyone else (one more or less when they do not divide evenly), and as few as possible move (Java:
// UniformAssignor). When members subscribe to different topics, balance is what single moves can reach: nobody could take a partition from
// someone who has two more.
import { assert } from '@odradek/shared/base/assert'
import { compareMembers, compareText, Share } from './assignment.ts'
import type { AssignedMember, AssignmentSpec, TargetAssignment } from './server-assignor.ts'

interface Holder {
  readonly member: AssignedMember
  readonly share: Share
}

interface Loose {
  readonly topicId: string
  readonly partition: number
}

export function uniformAssignor(spec: AssignmentSpec): TargetAssignment {
  const holders = [...spec.members].sort(compareMembers).map(member => ({ member, share: new Share() }))
  if (holders.length > 0) {
    if (isHomogeneous(spec)) assignEvenly(spec, holders)
    else assignBalanced(spec, holders)
  }
  return new Map(holders.map(({ member, share }) => [member.memberId, share.topics]))
}

function isHomogeneous({ members, topics }: AssignmentSpec): boolean {
  return members.every(member => member.topics.size === topics.size)
}

/** All subscribe to the same: each keeps what it had up to its quota, and the rest fills up whoever has less. */
function assignEvenly({ topics }: AssignmentSpec, holders: readonly Holder[]): void {
  let total = 0
  for (const partitions of topics.values()) total += partitions
  const quota = Math.floor(total / holders.length)
  let extra = total % holders.length
  const taken = new Set<string>()
  for (const holder of holders) {
    const held = stillThere(holder.member, topics).filter(loose => !taken.has(keyOf(loose)))
    const mayHaveMore = held.length > quota && extra > 0
    if (mayHaveMore) extra--
    for (const loose of held.slice(0, quota + (mayHaveMore ? 1 : 0))) {
      taken.add(keyOf(loose))
      holder.share.add(loose.topicId, loose.partition)
    }
  }
  const rest = allPartitions(topics).filter(loose => !taken.has(keyOf(loose)))
  for (const { share } of holders) {
    while (share.size < quota) give(rest, share)
  }
  for (const { share } of holders) {
    if (rest.length > 0 && share.size === quota) give(rest, share)
  }
  assert(rest.length === 0, 'every partition has an owner')
}

/** Takes from the end, so that nothing shifts; partitions were put in descending order. */
function give(rest: Loose[], share: Share): void {
  const { topicId, partition } = rest.pop()!
  share.add(topicId, partition)
}

/** Members subscribe to different topics: keep, give what is left to whoever has least, then move single partitions while it helps. */
function assignBalanced({ topics }: AssignmentSpec, holders: readonly Holder[]): void {
  const owners = new Map<string, Holder>()
  const subscribers = new Map(
    [...topics.keys()].map(topicId => [topicId, holders.filter(h => h.member.topics.has(topicId))]),
  )
  for (const holder of holders) {
    for (const loose of stillThere(holder.member, topics)) {
      if (owners.has(keyOf(loose))) continue
      owners.set(keyOf(loose), holder)
      holder.share.add(loose.topicId, loose.partition)
    }
  }
  const all = allPartitions(topics)
  // Topics that few can take go first.
  all.sort((a, b) => subscribers.get(a.topicId)!.length - subscribers.get(b.topicId)!.length)
  for (const loose of all) {
    if (owners.has(keyOf(loose))) continue
    const least = leastOf(subscribers.get(loose.topicId)!)
    owners.set(keyOf(loose), least)
    least.share.add(loose.topicId, loose.partition)
  }
  for (let moved = true; moved; ) {
    moved = false
    for (const loose of all) {
      const owner = owners.get(keyOf(loose))!
      const least = leastOf(subscribers.get(loose.topicId)!)
      // Every move makes the sum of squares smaller, so this ends.
      if (owner.share.size - least.share.size < 2) continue
      owner.share.remove(loose.topicId, loose.partition)
      least.share.add(loose.topicId, loose.partition)
      owners.set(keyOf(loose), least)
      moved = true
    }
  }
}

function leastOf(holders: readonly Holder[]): Holder {
  return holders.reduce((least, holder) => (holder.share.size < least.share.size ? holder : least))
}

/** What the member should have had, as far as it exists and the member still wants it. */
function stillThere({ target, topics }: AssignedMember, existing: ReadonlyMap<string, number>): Loose[] {
  const held: Loose[] = []
  for (const [topicId, partitions] of target) {
    if (!topics.has(topicId)) continue
    for (const partition of partitions) if (partition < existing.get(topicId)!) held.push({ topicId, partition })
  }
  return held.sort((a, b) => compareText(a.topicId, b.topicId) || a.partition - b.partition)
}

/** In descending order of topic and partition. */
function allPartitions(topics: ReadonlyMap<string, number>): Loose[] {
  return [...topics]
    .sort(([a], [b]) => compareText(b, a))
    .flatMap(([topicId, count]) =>
      Array.from({ length: count }, (_, index) => ({ topicId, partition: count - 1 - index })),
    )
}

function keyOf({ topicId, partition }: Loose): string {
  return `${topicId}:${partition}`
}
