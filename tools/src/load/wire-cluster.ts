// A Kafka cluster over TCP as the load tool's target.
import { KafkaError } from '@odradek/shared/base/errors'
import { createAdmin } from '@odradek/shared/client/admin'
import { type ClusterFlags, clientOptions } from '../cli/terminal/cluster-flags.ts'
import { type LoadCluster, offsetsOf } from './load-cluster.ts'

export async function wireCluster(flags: ClusterFlags): Promise<LoadCluster> {
  const options = clientOptions(flags)
  return {
    name: 'a cluster over TCP',
    target: () => ({ kind: 'wire', options }),
    async createTopic(topic, partitions) {
      await using admin = createAdmin(options)
      try {
        await admin.topics.create({ name: topic, partitions })
      } catch (error) {
        if (!(error instanceof KafkaError) || error.kafkaName !== 'TOPIC_ALREADY_EXISTS') throw error
      }
    },
    ...offsetsOf(options),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
