// Kafka's StickyAssignor and CooperativeStickyAssignor: as even as possible, and of the even plans one that moves little. Both remember: the eager one
// writes what it had into its user data, the cooperative one says what it owns in the subscription itself (KIP-429, KIP-792).
// A member keeps only what has a replica in its rack, and is asked first for what has (KIP-881).
import { ByteReader } from '../../protocol/byte-reader.ts'
import { withWriter } from '../../protocol/codec.ts'
import type {
  Assignment,
  Assignor,
  AssignorInput,
  AssignorMember,
  AssignorPartition,
  MemberMemory,
} from './assignor.ts'
import { assignConstrained } from './sticky-constrained.ts'
import { assignGeneral } from './sticky-general.ts'
import { type StickyMemory, type StickyState, stickyState } from './sticky-members.ts'

export const stickyAssignor: Assignor = {
  name: 'sticky',
  protocols: ['EAGER'],
  assign(input) {
    const state = stickyState(input, memoryOfSticky)
    if (state.members.length === 0) return new Map()
    return state.allSubscriptionsEqual ? assignConstrained(state).assignment : assignGeneral(state)
  },
  userData: encodeMemory,
}

export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  protocols: ['COOPERATIVE', 'EAGER'],
  assign(input) {
    const state = stickyState(input, memoryOfCooperative)
    if (state.members.length === 0) return new Map()
    return assignCooperatively(input, state)
  },
  userData: ({ generationId }) =>
    withWriter(false, writer => {
      writer.int32(generationId)
      return writer.bytes()
    }),
}

/** What is still with another member is left out: it is assigned in the next round, when that member has revoked it. */
function assignCooperatively(input: AssignorInput, state: StickyState): Assignment {
  if (state.allSubscriptionsEqual) {
    const { assignment, transferring } = assignConstrained(state)
    for (const [partition, memberId] of transferring) removeFrom(assignment.get(memberId)!, partition)
    return assignment
  }
  const assignment = assignGeneral(state)
  const revoked = new Set<string>()
  for (const { memberId, ownedPartitions } of input.members) {
    const assigned = new Set(assignment.get(memberId)!.map(nameOf))
    for (const partition of ownedPartitions) if (!assigned.has(nameOf(partition))) revoked.add(nameOf(partition))
  }
  for (const { memberId, ownedPartitions } of input.members) {
    const owned = new Set(ownedPartitions.map(nameOf))
    const mine = assignment.get(memberId)!
    assignment.set(
      memberId,
      mine.filter(partition => owned.has(nameOf(partition)) || !revoked.has(nameOf(partition))),
    )
  }
  return assignment
}

function removeFrom(list: AssignorPartition[], partition: AssignorPartition): void {
  const at = list.indexOf(partition)
  if (at >= 0) list.splice(at, 1)
}

function nameOf({ topic, partition }: AssignorPartition): string {
  return `${topic}-${partition}`
}

function memoryOfCooperative({ ownedPartitions, generationId, userData }: AssignorMember): StickyMemory {
  if (generationId >= 0) return { partitions: ownedPartitions, generation: generationId }
  // Before version 2 of the subscription the generation was in the user data.
  return {
    partitions: ownedPartitions,
    generation: userData === null ? null : readOr(null, () => new ByteReader(userData).int32()),
  }
}

//   user data of the sticky assignor, version 1:  | count int32 | topic string, count int32, partition int32 ... | generation int32 |

function encodeMemory({ ownedPartitions, generationId }: MemberMemory): Uint8Array | null {
  if (ownedPartitions.length === 0 && generationId < 0) return null
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of ownedPartitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return withWriter(false, writer => {
    writer.int32(topics.size)
    for (const [topic, partitions] of topics) {
      writer.string(topic, false)
      writer.int32(partitions.length)
      for (const partition of partitions) writer.int32(partition)
    }
    writer.int32(generationId)
    return writer.bytes()
  })
}

function memoryOfSticky({ userData }: AssignorMember): StickyMemory {
  const nothing: StickyMemory = { partitions: [], generation: null }
  if (userData === null || userData.length === 0) return nothing
  return readOr(nothing, () => {
    const reader = new ByteReader(userData)
    const partitions: AssignorPartition[] = []
    for (let topics = reader.int32(); topics > 0; topics--) {
      const topic = Buffer.from(reader.view(reader.int16())).toString('utf8')
      for (let count = reader.int32(); count > 0; count--) partitions.push({ topic, partition: reader.int32() })
    }
    // Version 0 ends here.
    const generation = readOr(null, () => reader.int32())
    return { partitions, generation }
  })
}

/** Another member's user data is not ours to trust: what cannot be read is not there (as Kafka does). */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
