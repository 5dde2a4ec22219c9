// Which APIs the network door serves, and how: decoding and encoding are the same for all, and most requests go to the door (shared/client/port) as they
// are. ApiVersions is computed from this table. What is not here is in handlers/skipped.md with the reason.

import type { ApiName } from '@odradek/shared/contracts/api-map'
import { type Api, apiTable } from '@odradek/shared/protocol/api-table'
import { produceHandler } from './handlers/00-produce.ts'
import { fetchHandler } from './handlers/01-fetch.ts'
import { metadataHandler } from './handlers/03-metadata.ts'
import { offsetFetchHandler } from './handlers/09-offset-fetch.ts'
import { findCoordinatorHandler } from './handlers/10-find-coordinator.ts'
import { joinGroupHandler } from './handlers/11-join-group.ts'
import { leaveGroupHandler } from './handlers/13-leave-group.ts'
import { saslHandshakeHandler } from './handlers/17-sasl-handshake.ts'
import { apiVersionsHandler } from './handlers/18-api-versions.ts'
import { addPartitionsToTxnHandler } from './handlers/24-add-partitions-to-txn.ts'
import { describeQuorumHandler } from './handlers/55-describe-quorum.ts'
import { describeClusterHandler } from './handlers/60-describe-cluster.ts'
import type { Handler } from './handlers/handler.ts'

/** How one API is served. */
export interface Route {
  readonly api: Api
  readonly name: ApiName
  /** Oldest version told to clients; below the served ones where old clients need to see it (Produce: KAFKA-18659). */
  readonly advertisedMin: number
  readonly handler: Handler<any> | null
}

type Handlers = { readonly [A in ApiName]?: Handler<A> }

/** APIs whose versions differ in more than fields, or that need the connection. */
const handlers: Handlers = {
  Produce: produceHandler,
  Fetch: fetchHandler,
  Metadata: metadataHandler,
  OffsetFetch: offsetFetchHandler,
  FindCoordinator: findCoordinatorHandler,
  JoinGroup: joinGroupHandler,
  LeaveGroup: leaveGroupHandler,
  SaslHandshake: saslHandshakeHandler,
  ApiVersions: apiVersionsHandler,
  AddPartitionsToTxn: addPartitionsToTxnHandler,
  DescribeQuorum: describeQuorumHandler,
  DescribeCluster: describeClusterHandler,
}

/** APIs that are answered as they are. */
const forwarded: readonly ApiName[] = [
  'ListOffsets',
  'OffsetCommit',
  'Heartbeat',
  'SyncGroup',
  'DescribeGroups',
  'ListGroups',
  'CreateTopics',
  'DeleteTopics',
  'DeleteRecords',
  'InitProducerId',
  'OffsetForLeaderEpoch',
  'AddOffsetsToTxn',
  'EndTxn',
  'WriteTxnMarkers',
  'TxnOffsetCommit',
  'DescribeAcls',
  'CreateAcls',
  'DeleteAcls',
  'DescribeConfigs',
  'AlterConfigs',
  'DescribeLogDirs',
  'CreatePartitions',
  'DeleteGroups',
  'ElectLeaders',
  'IncrementalAlterConfigs',
  'AlterPartitionReassignments',
  'ListPartitionReassignments',
  'OffsetDelete',
  'DescribeClientQuotas',
  'UpdateFeatures',
  'DescribeProducers',
  'DescribeTransactions',
  'ListTransactions',
  'ConsumerGroupHeartbeat',
  'ConsumerGroupDescribe',
  'ListConfigResources',
  'DescribeTopicPartitions',
]

/** Produce is told from version 0 on, or older librdkafka would send uncompressed (KAFKA-18659). */
const advertisedFrom: { readonly [A in ApiName]?: number } = { Produce: 0 }

const served: ReadonlySet<string> = new Set<string>([...Object.keys(handlers), ...forwarded])

/** By API key. */
export const routes: ReadonlyMap<number, Route> = new Map(
  apiTable
    .filter(api => api.known && served.has(api.name))
    .map(api => {
      const name = api.name as ApiName
      return [
        api.key,
        { api, name, advertisedMin: advertisedFrom[name] ?? api.versionMin, handler: handlers[name] ?? null },
      ]
    }),
)

/** The newest version that a client may speak. */
export function newestVersion({ api }: Route): number {
  return api.versionStableMax
}

export function serves(route: Route, version: number): boolean {
  return version >= route.api.versionMin && version <= newestVersion(route)
}
