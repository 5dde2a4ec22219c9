// The caller's side of an assignor of its own: runs the function that the consumer's thread asks for, and checks what it returned.
import { isObject } from '@odradek/shared/client/options'
import type {
  AssignedShare,
  AssignorAnswer,
  AssignorCall,
  ClusterFacts,
  GroupMemberFacts,
  TopicPartition,
} from '@odradek/shared/contracts/consumer.contract'
import type { AssignorCluster, MemberSubscription, PartitionAssignor } from './partition-assignor.ts'

const NOTHING: AssignorAnswer = { userData: null, shares: [] }

/** Rejects with what the user's function threw, or with a TypeError that says what it should have returned. */
export async function answerAssignorCall(assignor: PartitionAssignor, call: AssignorCall): Promise<AssignorAnswer> {
  switch (call.kind) {
    case 'subscriptionUserData': {
      const userData = (await assignor.subscriptionUserData?.(call.topics)) ?? null
      return { ...NOTHING, userData: ownBytes(userData, 'subscriptionUserData must return') }
    }
    case 'assign': {
      const answer: unknown = await assignor.assign(clusterOf(call.cluster), subscriptionsOf(call.members))
      return { ...NOTHING, shares: sharesOf(answer) }
    }
    case 'onAssignment': {
      const { partitions, userData, member } = call
      await assignor.onAssignment?.({ partitions, userData }, member)
      return NOTHING
    }
  }
}

function clusterOf({ brokers, topics }: ClusterFacts): AssignorCluster {
  return { brokers, topics: new Map(topics.map(({ name, partitions }) => [name, { partitions }])) }
}

function subscriptionsOf(members: readonly GroupMemberFacts[]): Map<string, MemberSubscription> {
  return new Map(members.map(({ memberId, ...subscription }) => [memberId, subscription]))
}

function sharesOf(answer: unknown): AssignedShare[] {
  if (!(answer instanceof Map)) throw new TypeError('assign must return a Map from member id to { partitions }')
  return [...answer].map(([memberId, share]: [unknown, unknown]) => {
    if (typeof memberId !== 'string') throw new TypeError('assign must return a Map whose keys are member ids')
    const { partitions, userData = null } = (isObject(share) ? share : {}) as { [name: string]: unknown }
    if (!Array.isArray(partitions) || !partitions.every(isTopicPartition))
      throw new TypeError(`assign must give ${memberId} a list of partitions: { topic, partition }`)
    return {
      memberId,
      partitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
      userData: ownBytes(userData, `assign must give ${memberId} as userData`),
    }
  })
}

function isTopicPartition(given: unknown): given is TopicPartition {
  if (!isObject(given)) return false
  const { topic, partition } = given as TopicPartition
  return typeof topic === 'string' && Number.isInteger(partition) && partition >= 0
}

function ownBytes(given: unknown, what: string): Uint8Array | null {
  if (given === null || given === undefined) return null
  if (!(given instanceof Uint8Array)) throw new TypeError(`${what} a Uint8Array or null`)
  // A copy: what crosses is given away, and the user may return the same bytes again.
  return new Uint8Array(given)
}
