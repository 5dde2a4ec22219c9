// kafka-configs of Apache Kafka 4.3.1, unmodified, on the configs of groups.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { javaMissing } from './drivers.ts'
import { KafkaTools } from './kafka-tools.ts'

const missing = javaMissing()

describe.skipIf(missing !== null)(missing ?? 'kafka-configs of groups', () => {
  let broker: Broker
  let tools: KafkaTools
  beforeAll(async () => {
    broker = await createBroker({ storage: 'memory' })
    tools = new KafkaTools(broker.bootstrapServers)
  })
  afterAll(async () => {
    await tools?.close()
    await broker?.close()
  })

  const configs = (...args: string[]) =>
    tools.run('kafka-configs', ['--entity-type', 'groups', '--entity-name', 'billing', ...args])

  test('what is added is described, and gone when it is deleted', async () => {
    await configs('--alter', '--add-config', 'consumer.session.timeout.ms=50000')
    expect(await configs('--describe')).toContain('consumer.session.timeout.ms=50000')
    await configs('--alter', '--delete-config', 'consumer.session.timeout.ms')
    expect(await configs('--describe')).not.toContain('50000')
  })
})
