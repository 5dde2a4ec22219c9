// Makes a consumer for an embedded broker or for a cluster over TCP.
import { KafkaError } from '@odradek/shared/base/errors'
import { type ClusterDoor, clusterDoor, type EmbeddedBroker } from '@odradek/shared/client/cluster-link'
import { Consumer } from './consumer-client.ts'
import { type ConsumerOptions, readConsumerOptions } from './consumer-options.ts'

/**
 * Creates a consumer; connects at first use. Throws KafkaError ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID or ODK_OPTION_CONFLICT.
 *
 *     await using consumer = createConsumer({ bootstrapServers: broker, groupId: 'billing' })
 *     for await (const record of consumer.stream(orders)) { ... }
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const resolved = readConsumerOptions(options)
  return new Consumer(doorOf(resolved.bootstrapServers), resolved)
}

function doorOf(bootstrapServers: object): ClusterDoor {
  if (clusterDoor in bootstrapServers) return (bootstrapServers as EmbeddedBroker)[clusterDoor]
  if (Array.isArray(bootstrapServers))
    throw new KafkaError('ODK_UNSUPPORTED_LINK', 'brokers over TCP cannot be reached yet')
  throw new KafkaError(
    'ODK_OPTION_INVALID',
    "createConsumer: bootstrapServers must be a broker, 'host:port,...', or a list of 'host:port'",
  )
}
