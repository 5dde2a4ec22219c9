// Range: each topic's partitions in contiguous ranges over its members in order, the first ones one more when they do not divide evenly. Topics with
// equal members and partition counts are divided alike, so that joins by key find their partners (Java: RangeAssignor of group-coordinator).
import { compareMembers, Share } from './assignment.ts'
import type { AssignedMember, AssignmentSpec, TargetAssignment } from './server-assignor.ts'

export function rangeAssignor({ members, topics }: AssignmentSpec): TargetAssignment {
  const shares = new Map(members.map(({ memberId }) => [memberId, new Share()]))
  const subscribers = new Map<string, AssignedMember[]>()
  for (const member of [...members].sort(compareMembers)) {
    for (const topicId of member.topics) {
      const list = subscribers.get(topicId)
      if (list === undefined) subscribers.set(topicId, [member])
      else list.push(member)
    }
  }
  for (const [topicId, list] of subscribers) {
    const partitions = topics.get(topicId)!
    const quota = Math.floor(partitions / list.length)
    const extra = partitions % list.length
    let next = 0
    for (const [index, { memberId }] of list.entries()) {
      const end = next + quota + (index < extra ? 1 : 0)
      for (; next < end; next++) shares.get(memberId)!.add(topicId, next)
    }
  }
  return new Map([...shares].map(([memberId, share]) => [memberId, share.topics]))
}
