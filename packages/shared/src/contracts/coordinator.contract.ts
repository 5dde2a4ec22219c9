// A coordinator shard: the actor that owns one partition of `__consumer_offsets` (groups) or `__transaction_state` (transactional ids).
// It speaks Kafka's requests, decoded, newest version; the version the client spoke travels along because some rules depend on it.
import type { Address } from '../actor/actor.ts'
import { ask, defineContract, tell } from '../actor/contract.ts'
import type { ApiName } from './api-map.ts'
import type { BrokerContract } from './broker.contract.ts'
import type {
  PartitionLeaderContract,
  Verification,
  WriteMarkerRequest,
  WriteMarkerResponse,
} from './partition-leader.contract.ts'

export interface CoordinatorRequest {
  readonly api: ApiName
  /** The version the client spoke; in-process clients: the newest. */
  readonly apiVersion: number
  /** That API's request, newest version. Entries of a batched request (groups, transactional ids) are already those of this shard. */
  readonly request: unknown
  readonly clientId: string
  /** As Kafka prints it: `/127.0.0.1`; in-process: `/in-process`. */
  readonly clientHost: string
  /**
   * TxnOffsetCommit: the transaction coordinator has vouched for this shard's partition under this guard of its leader (KIP-890); the append shows
   * it. Absent: the partition is in the transaction already.
   */
  readonly verification?: Verification
}

/** A member of a group, as news about it are asked for. */
export interface MemberRef {
  readonly groupId: string
  readonly memberId: string
}

export const coordinatorContract = defineContract({
  kind: 'coordinator',
  asks: {
    /** JoinGroup waits for the group, so the deadline covers the longest rebalance timeout. The reply is that API's response. */
    request: ask<CoordinatorRequest, { readonly response: unknown }>({ deadlineMs: 1_800_000 }),
    /** WriteTxnMarkers for this shard's own partition: appended through its leader and applied to staged offsets before it is answered. */
    writeMarker: ask<WriteMarkerRequest, WriteMarkerResponse>(),
  },
  tells: {
    /** Asks for `rebalance` news of a member that lives in this process. */
    watchMember: tell<MemberRef>(),
    unwatchMember: tell<MemberRef>(),
  },
  news: {
    /** The member should heartbeat at once; `isRebalancing`: its answer would be REBALANCE_IN_PROGRESS, so it may as well join. */
    rebalance: tell<MemberRef & { readonly isRebalancing: boolean }>(),
  },
})
export type CoordinatorContract = typeof coordinatorContract

/** What a coordinator shard is started with. */
export interface CoordinatorInput {
  readonly kind: 'group' | 'transaction'
  /** Partition of the internal topic. */
  readonly partition: number
  readonly nodeId: number
  readonly leaderEpoch: number
  /** Rises with every start of the shard, also over restarts of the process: leaders refuse markers of an older one. */
  readonly coordinatorEpoch: number
  /** Leader of that partition, on the same lane. */
  readonly leader: Address<PartitionLeaderContract>
  /** For addresses of other leaders (markers), metadata (pattern subscriptions) and producer ids. */
  readonly broker: Address<BrokerContract>
  /** Effective broker configs, Kafka's names, values as strings. */
  readonly configs: { readonly [name: string]: string }
}
