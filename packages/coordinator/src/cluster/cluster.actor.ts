// The cluster coordinator: hands of the cluster shard. Lives on the lane of the leader of `__cluster_metadata-0`; asked by the broker.
import { type Address, defineActor, type Link, type Peer } from '@odradek/shared/actor/actor'
import { PortError } from '@odradek/shared/base/errors'
import { type ClusterContract, type ClusterInput, clusterContract } from '@odradek/shared/contracts/cluster.contract'
import { type PartitionLeaderContract, partitionLeader } from '@odradek/shared/contracts/partition-leader.contract'
import type { Refusal } from '../runtime/refusal.rules.ts'
import { ShardRunner } from '../runtime/shard-runner.ts'
import { type Answer, type ClusterShard, clusterShard } from './cluster-shard.ts'
import { METADATA_BATCH_BYTES_MAX, METADATA_TOPIC } from './internal-topics.rules.ts'

/** The word for each Kafka API that is asked through `request`; `true`: with the brokers of the asking door. */
const apis: { readonly [api: string]: readonly [word: keyof ClusterShard['words'], withBrokers: boolean] } = {
  Metadata: ['metadata', true],
  DescribeTopicPartitions: ['describeTopicPartitions', false],
  DescribeCluster: ['describeCluster', true],
  CreateTopics: ['createTopics', false],
  DeleteTopics: ['deleteTopics', false],
  CreatePartitions: ['createPartitions', false],
  DescribeConfigs: ['describeConfigs', false],
  AlterConfigs: ['alterConfigs', false],
  IncrementalAlterConfigs: ['incrementalAlterConfigs', false],
  ListConfigResources: ['listConfigResources', false],
  UpdateFeatures: ['updateFeatures', false],
  ElectLeaders: ['electLeaders', false],
  AlterPartitionReassignments: ['alterPartitionReassignments', false],
  ListPartitionReassignments: ['listPartitionReassignments', false],
}

export const actor = defineActor<ClusterContract, ClusterInput>({
  kind: 'cluster',
  contract: clusterContract,
  start(context, input) {
    const watchers = new Set<Peer<ClusterContract>>()
    const runner = new ShardRunner<ClusterShard>({
      definition: clusterShard({
        nodeId: input.nodeId,
        clusterId: input.clusterId,
        incarnationId: context.random.uuid(),
        given: new Map(Object.entries(input.staticConfigs)),
        partitionsPerRequestMax: context.limits.partitionsPerRequestMax,
      }),
      name: `${METADATA_TOPIC}-0`,
      context,
      hands: {
        notify: delta => {
          for (const peer of watchers) peer.news('imageChanged', delta)
        },
      },
      maxBatchBytes: METADATA_BATCH_BYTES_MAX,
    })
    const follow = (leader: Address<PartitionLeaderContract>) => {
      const link = context.link(partitionLeader, leader)
      followed = link
      runner.lead(link)
      // Its successor is told by the broker; should the link alone have ended, it is opened anew.
      void link.closed.then(() => {
        context.clock.after(context.limits.cutOffMs, () => {
          if (followed === link && !context.signal.aborted) follow(leader)
        })
      })
    }
    let followed: Link<PartitionLeaderContract>
    follow(input.leader)
    return {
      ask: {
        request: async ({ api, request, brokers }) => {
          const known = apis[api]
          if (known === undefined)
            throw new PortError({ code: 'UNSUPPORTED_VERSION', message: `the cluster does not answer ${api}` })
          const [word, withBrokers] = known
          const asked = withBrokers ? { request, brokers } : request
          return { response: responseOf<unknown>(await runner.submit(word, asked as never)) }
        },
        ensureTopics: async request => responseOf(await runner.submit('ensureTopics', request)),
        allocateProducerIds: async () => responseOf(await runner.submit('allocateProducerIds', {})),
        bumpLeaderEpochs: async request => responseOf(await runner.submit('bumpLeaderEpochs', request)),
        removedAmong: async request => responseOf(await runner.submit('removedAmong', request)),
        tellImage: async () => responseOf(await runner.submit('tellImage', {})),
      },
      tell: {
        subscribe: (_, peer) => void watchers.add(peer),
        leaderChanged: ({ leader }) => follow(leader),
      },
      closed: peer => void watchers.delete(peer),
      close: () => runner.close(),
      describe: () => runner.describe(),
    }
  },
})

function responseOf<R>(answer: Answer<R>): R {
  if ('response' in answer) return answer.response
  throw new PortError({
    code: errorNameOf(answer.refused),
    message: answer.refused.message,
    detail: answer.refused.reason,
  })
}

/** As Kafka's controller: another try may find it ready (NOT_CONTROLLER), or nobody knows whether it was done. */
function errorNameOf({ reason }: Refusal): string {
  if (reason === 'unknown') return 'REQUEST_TIMED_OUT'
  return reason === 'tooLarge' ? 'POLICY_VIOLATION' : 'NOT_CONTROLLER'
}
