// Kafka's RangeAssignor: each topic's partitions in contiguous ranges over its members in order, the first members one more when they do not divide
// evenly. Topics with equal members and partition counts are assigned alike, so that joins by key find their partners (co-partitioning).
// With racks (KIP-881) a member first gets partitions that have a replica in its rack, as far as its number of partitions allows.
import type { Assignment, Assignor, AssignorInput, AssignorMember, AssignorPartition } from './assignor.ts'
import { compareMembers, compareText, membersPerTopic } from './members.rules.ts'

export const rangeAssignor: Assignor = {
  name: 'range',
  protocols: ['EAGER'],
  assign: assignRange,
}

/** One topic while it is assigned. */
interface TopicState {
  readonly topic: string
  readonly partitions: number
  readonly members: readonly AssignorMember[]
  readonly racks: readonly (readonly string[])[] | null
  readonly unassigned: Set<number>
  readonly counts: Map<string, number>
  readonly quota: number
  /** How many members may still get one more than the quota. */
  extraLeft: number
}

function assignRange({ members, topics }: AssignorInput): Assignment {
  const assignment: Assignment = new Map(members.map(({ memberId }) => [memberId, []]))
  const states: TopicState[] = []
  const sorted = [...members].sort(compareMembers)
  for (const [topic, list] of [...membersPerTopic(sorted)].sort(([a], [b]) => compareText(a, b))) {
    const known = topics.get(topic)
    if (known === undefined || known.partitions === 0) continue
    states.push(topicState(topic, list, known.partitions, known.racks ?? null))
  }
  const byRack = states.some(usesRacks)
  if (byRack) assignByRack(states, assignment)
  for (const state of states) assignRanges(state, assignment, () => true)
  if (byRack) for (const list of assignment.values()) list.sort(comparePartitions)
  return assignment
}

function topicState(
  topic: string,
  members: readonly AssignorMember[],
  partitions: number,
  racks: readonly (readonly string[])[] | null,
): TopicState {
  return {
    topic,
    partitions,
    members,
    racks,
    unassigned: new Set(Array.from({ length: partitions }, (_, partition) => partition)),
    counts: new Map(members.map(({ memberId }) => [memberId, 0])),
    quota: Math.floor(partitions / members.length),
    extraLeft: partitions % members.length,
  }
}

/** Racks matter when members have some, and not every partition has a replica in each of them. */
function usesRacks({ members, racks }: TopicState): boolean {
  if (racks === null) return false
  const memberRacks = new Set(members.map(({ rackId }) => rackId).filter(rack => rack !== null))
  const all = new Set(racks.flat())
  if (memberRacks.size === 0 || ![...memberRacks].some(rack => all.has(rack))) return false
  return racks.some(list => list.length !== all.size || [...all].some(rack => !list.includes(rack)))
}

function assignByRack(states: readonly TopicState[], assignment: Assignment): void {
  // Co-partitioned topics: same members, same number of partitions. They are assigned together, partition by partition.
  const groups = new Map<string, TopicState[]>()
  for (const state of states) {
    const key = JSON.stringify([state.partitions, state.members.map(({ memberId }) => memberId)])
    groups.set(key, [...(groups.get(key) ?? []), state])
  }
  for (const group of groups.values()) {
    const [first] = group
    if (group.length > 1) assignTogether(group, assignment)
    else if (usesRacks(first!))
      assignRanges(first!, assignment, (member, partition) => racksMatch(first!, member, partition))
  }
}

function assignTogether(group: readonly TopicState[], assignment: Assignment): void {
  const { members, partitions } = group[0]!
  for (let partition = 0; partition < partitions; partition++) {
    const member = members.find(candidate =>
      group.every(state => racksMatch(state, candidate, partition) && room(state, candidate) > 0),
    )
    if (member === undefined) continue
    for (const state of group) give(state, member, partition, assignment)
  }
}

/** A member without a rack takes what comes. */
function racksMatch({ racks }: TopicState, { rackId }: AssignorMember, partition: number): boolean {
  return rackId === null || (racks?.[partition]?.includes(rackId) ?? false)
}

/** How many more the member may get of the topic. */
function room({ counts, quota, extraLeft }: TopicState, { memberId }: AssignorMember): number {
  return Math.max(0, quota + (extraLeft > 0 ? 1 : 0) - counts.get(memberId)!)
}

function assignRanges(
  state: TopicState,
  assignment: Assignment,
  mayAssign: (member: AssignorMember, partition: number) => boolean,
): void {
  for (const member of state.members) {
    const partitions = [...state.unassigned].filter(partition => mayAssign(member, partition))
    for (const partition of partitions.slice(0, room(state, member))) give(state, member, partition, assignment)
  }
}

function give(state: TopicState, { memberId }: AssignorMember, partition: number, assignment: Assignment): void {
  const count = state.counts.get(memberId)! + 1
  state.counts.set(memberId, count)
  if (count > state.quota) state.extraLeft--
  state.unassigned.delete(partition)
  assignment.get(memberId)!.push({ topic: state.topic, partition })
}

function comparePartitions(a: AssignorPartition, b: AssignorPartition): number {
  return compareText(a.topic, b.topic) || a.partition - b.partition
}
