// An assignment while it is made: what each member has so far. Shared by the assignors beside it.
import type { AssignedMember } from './server-assignor.ts'

/** Static members first, by instance id; then the others, by member id. */
export function compareMembers(a: AssignedMember, b: AssignedMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compareText(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Partitions by topic id of one member, with their number. */
export class Share {
  readonly topics = new Map<string, Set<number>>()
  size = 0

  add(topicId: string, partition: number): void {
    const partitions = this.topics.get(topicId)
    if (partitions === undefined) this.topics.set(topicId, new Set([partition]))
    else partitions.add(partition)
    this.size++
  }

  remove(topicId: string, partition: number): void {
    const partitions = this.topics.get(topicId)!
    partitions.delete(partition)
    if (partitions.size === 0) this.topics.delete(topicId)
    this.size--
  }
}
