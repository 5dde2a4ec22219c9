// Makes a consumer for an embedded broker or for a cluster over TCP.
import type { InJavasSpelling } from '@odradek/shared/client/java-names'
import { openClusterDoor } from '@odradek/shared/client/open-door'
import { Consumer } from './consumer-client.ts'
import { type ConsumerOptions, readConsumerOptions } from './consumer-options.ts'

/**
 * Creates a consumer; connects at first use. Throws KafkaError ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID or ODK_OPTION_CONFLICT.
 *
 *     await using consumer = createConsumer({ bootstrapServers: broker, groupId: 'billing' })
 *     for await (const record of consumer.stream(orders)) { ... }
 */
export function createConsumer(options: ConsumerOptions & InJavasSpelling<ConsumerOptions>): Consumer {
  const resolved = readConsumerOptions(options)
  return new Consumer(openClusterDoor('createConsumer', resolved), resolved)
}
