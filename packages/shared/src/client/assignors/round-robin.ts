// Kafka's RoundRobinAssignor: all partitions of all topics in order, dealt to the members in turn; who does not subscribe a topic is passed over.
import type { Assignment, Assignor, AssignorInput } from './assignor.ts'
import { compareMembers, compareText } from './members.rules.ts'

export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  protocols: ['EAGER'],
  assign: assignRoundRobin,
}

function assignRoundRobin({ members, topics }: AssignorInput): Assignment {
  const assignment: Assignment = new Map(members.map(({ memberId }) => [memberId, []]))
  const sorted = [...members].sort(compareMembers)
  const subscribed = new Set(members.flatMap(member => member.topics))
  const names = [...subscribed].filter(topic => topics.has(topic)).sort(compareText)
  const subscriptions = new Map(sorted.map(({ memberId, topics: list }) => [memberId, new Set(list)]))
  let turn = 0
  for (const topic of names) {
    for (let partition = 0; partition < topics.get(topic)!.partitions; partition++) {
      while (!subscriptions.get(sorted[turn % sorted.length]!.memberId)!.has(topic)) turn++
      assignment.get(sorted[turn++ % sorted.length]!.memberId)!.push({ topic, partition })
    }
  }
  return assignment
}
