// The broker: who knows where everything is. Doors (port links, listeners) ask it for metadata and addresses, and hand it the requests that no leader and no
// coordinator owns. It is on no data path.
import type { Address } from '../actor/actor.ts'
import { ask, defineContract, tell } from '../actor/contract.ts'
import type { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import type { ApiName } from './api-map.ts'
import type { GroupConfigs } from './cluster.contract.ts'
import type { FinalizedFeatures } from './features.ts'

/** Where a partition's leader runs; null while it is not running. */
export interface LeaderAddress {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly address: Address | null
  /** Why it cannot run: what opening its log said, with the folder. Asked for again, it is tried again. */
  readonly failure?: string
}

/** What changed since the last news; `leaders` with a null address and `gone` topics fail what is in flight as Kafka would. */
export interface ClusterDelta {
  readonly leaders: readonly LeaderAddress[]
  /** Topics that were deleted, by name and id. */
  readonly gone: readonly { readonly topic: string; readonly topicId: string }[]
  /** Topics that were created or got more partitions (or other configs). */
  readonly topics: readonly { readonly topic: string; readonly topicId: string; readonly partitions: number }[]
  /** When they changed, and in the first news. */
  readonly features?: FinalizedFeatures
}

/** What of the cluster changed, or all of it. News come in order: what one says holds until a later one says otherwise. */
export interface ImageNews {
  /** All topics are here: one that is not does not exist (any more). `gone` is empty then. */
  readonly isWhole: boolean
  /** Topics that were created or got more partitions (or other configs). */
  readonly topics: readonly { readonly topic: string; readonly topicId: string; readonly partitions: number }[]
  /** Topics that were deleted, by name and id. */
  readonly gone: readonly { readonly topic: string; readonly topicId: string }[]
  /** Every group that has configs of its own, when any of them changed (and in whole news). */
  readonly groupConfigs?: readonly GroupConfigs[]
}

export type CoordinatorKind = 'group' | 'transaction'

export const brokerContract = defineContract({
  kind: 'broker',
  asks: {
    /** Kafka's Metadata; may create topics. The reply waits until leaders of new topics answer (parked, bounded). */
    metadata: ask<MetadataRequest, MetadataResponse>(),
    /**
     * Starts (lazily) and names the leaders of these partitions; null topics: of all. Unknown ones are left out. `near`: the lane where the leader
     * of a topic's only partition starts, if it does not run yet (decision 0035).
     */
    leaders: ask<
      {
        readonly partitions: readonly {
          readonly topic?: string
          readonly topicId?: string
          readonly partition: number
        }[]
        readonly near?: number
      },
      { readonly leaders: readonly LeaderAddress[] }
    >(),
    /**
     * Starts (lazily, creating the internal topic if need be) the coordinator shard of one partition of the internal topic: that of a `key`, or
     * `partition`. With neither only their number is told. The address is null when the shard cannot run now.
     */
    coordinator: ask<
      { readonly kind: CoordinatorKind; readonly partition?: number; readonly key?: string },
      { readonly partitions: number; readonly address: Address | null }
    >(),
    /** From now on this link gets `image` news; the first, which is whole, is told before the reply (which could come after younger ones). */
    watchImage: ask<Record<string, never>, Record<string, never>>(),
    /** Any other Kafka API, newest version: the reply is that API's response. */
    request: ask<{ readonly api: ApiName; readonly request: unknown }, { readonly response: unknown }>({
      deadlineMs: 60_000,
    }),
    /** The address that Metadata tells clients: that of the first listener, once it listens. */
    advertise: ask<{ readonly host: string; readonly port: number }, Record<string, never>>(),
    /** Removes everything that is stored and begins anew, with the topics of the start. What is asked meanwhile waits. */
    reset: ask<Record<string, never>, Record<string, never>>({ deadlineMs: 60_000 }),
  },
  tells: {
    /** From now on this link gets `changed` news; the first comes at once. */
    subscribe: tell<Record<string, never>>(),
  },
  news: {
    changed: tell<ClusterDelta>({ isVital: true }),
    image: tell<ImageNews>({ isVital: true }),
  },
})
export type BrokerContract = typeof brokerContract
