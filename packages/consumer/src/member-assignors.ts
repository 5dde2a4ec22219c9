// The assignors of a classic membership under one roof: Kafka's own, which are pure functions here, and those of the caller, which are asked across the port.
import type {
  AssignorMember,
  AssignorTopic,
  MemberMemory,
  RebalanceProtocol,
} from '@odradek/shared/client/assignors/assignor'
import { assignors } from '@odradek/shared/client/assignors/assignors'
import type { MemberShare } from '@odradek/shared/client/assignors/subscription-bytes'
import type { NodeView, TopicView } from '@odradek/shared/client/cluster-link'
import type {
  AssignedShare,
  AssignorAnswer,
  AssignorCall,
  CallerAssignor,
  ClusterFacts,
  GroupMetadata,
} from '@odradek/shared/contracts/consumer.contract'

/** What the leader assigns from. */
export interface AssignorScene {
  readonly members: readonly AssignorMember[]
  /** Those that exist. */
  readonly topics: readonly TopicView[]
  readonly nodes: readonly NodeView[]
}

export interface MemberAssignor {
  readonly name: string
  readonly protocols: readonly RebalanceProtocol[]
  /** Whether its answer is known to keep KIP-429's rule. */
  readonly isTrusted: boolean
  /** User data of the subscription. */
  userData(topics: readonly string[], memory: MemberMemory): Promise<Uint8Array | null>
  assign(scene: AssignorScene): Promise<readonly AssignedShare[]>
  assigned(share: MemberShare, member: GroupMetadata): Promise<void>
}

type Ask = (assignor: string, call: AssignorCall) => Promise<AssignorAnswer>

/** `strategy` as in GroupInput; `ask` reaches the caller. */
export function memberAssignors(strategy: readonly (string | CallerAssignor)[], ask: Ask): readonly MemberAssignor[] {
  return strategy.map(choice => (typeof choice === 'string' ? builtIn(choice) : ofCaller(choice, ask)))
}

function builtIn(name: string): MemberAssignor {
  const assignor = assignors.get(name)!
  return {
    name,
    protocols: assignor.protocols,
    isTrusted: true,
    userData: async (_topics, memory) => assignor.userData?.(memory) ?? null,
    async assign({ members, topics, nodes }) {
      const assignment = assignor.assign({ members, topics: assignorTopics(topics, nodes) })
      return [...assignment].map(([memberId, partitions]) => ({ memberId, partitions, userData: null }))
    },
    assigned: async () => {},
  }
}

function ofCaller({ name, protocols }: CallerAssignor, ask: Ask): MemberAssignor {
  return {
    name,
    protocols,
    isTrusted: false,
    userData: async topics => (await ask(name, { kind: 'subscriptionUserData', topics })).userData,
    async assign({ members, topics, nodes }) {
      const { shares } = await ask(name, { kind: 'assign', cluster: clusterFacts(topics, nodes), members })
      return shares
    },
    async assigned({ partitions, userData }, member) {
      await ask(name, { kind: 'onAssignment', partitions, userData, member })
    },
  }
}

/** KIP-881: racks of a partition's replicas are known when any broker has a rack. */
export function assignorTopics(
  topics: readonly TopicView[],
  nodes: readonly NodeView[],
): ReadonlyMap<string, AssignorTopic> {
  const rackOf = new Map(nodes.flatMap(({ nodeId, rack }): [number, string][] => (rack ? [[nodeId, rack]] : [])))
  return new Map(
    topics.map(({ name, partitions }) => {
      if (rackOf.size === 0) return [name, { partitions: partitions.length }]
      const racks = partitions.map(({ replicaNodes }) => [
        ...new Set(replicaNodes.map(nodeId => rackOf.get(nodeId)).filter(rack => rack !== undefined)),
      ])
      return [name, { partitions: partitions.length, racks }]
    }),
  )
}

function clusterFacts(topics: readonly TopicView[], brokers: readonly NodeView[]): ClusterFacts {
  return {
    brokers,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ leaderId, replicaNodes }) => ({ leader: leaderId, replicas: replicaNodes })),
    })),
  }
}
