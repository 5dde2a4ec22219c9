// A member of a group in a thread of its own, which a test ends without a goodbye. Reads a topic and tells each record after it was processed.
import { parentPort, workerData } from 'node:worker_threads'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { joinBroker } from '@odradek/shared/client/join-broker'
import { words } from './group-scene.suite.ts'

const { reach, options, topicName } = workerData
const bootstrapServers = typeof reach === 'string' ? reach : joinBroker(reach)
const consumer = createConsumer({
  ...options,
  bootstrapServers,
  onAssigned: partitions => parentPort!.postMessage({ assigned: partitions.map(({ partition }) => partition) }),
})
await consumer.each(words(topicName), ({ topic, partition, offset, key, value }) =>
  parentPort!.postMessage({ sighting: { topic, partition, offset, key, value } }),
)
