// Orders of members and topics that assignors share (Kafka's AbstractPartitionAssignor.MemberInfo). Pure.
import type { AssignorMember } from './assignor.ts'

/** Static members first, by instance id; then the others, by member id. */
export function compareMembers(a: AssignorMember, b: AssignorMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compareText(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}

/** Java's String.compareTo: by UTF-16 code units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Members of each topic, in the order of the members. */
export function membersPerTopic(members: readonly AssignorMember[]): Map<string, AssignorMember[]> {
  const topics = new Map<string, AssignorMember[]>()
  for (const member of members) {
    for (const topic of member.topics) {
      const list = topics.get(topic)
      if (list === undefined) topics.set(topic, [member])
      else list.push(member)
    }
  }
  return topics
}
