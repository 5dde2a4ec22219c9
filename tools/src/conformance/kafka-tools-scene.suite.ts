// A broker and Kafka's own tools, for the suites that put the tools to it.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { afterAll, beforeAll } from 'vitest'
import { KafkaTools } from './kafka-tools.ts'

export interface KafkaToolsScene {
  broker: Broker
  tools: KafkaTools
}

/** Call it in the suite's block: both are there before its first test, and gone after its last. */
export function kafkaToolsScene(topics: { readonly [name: string]: number } = {}): KafkaToolsScene {
  const scene = {} as Partial<KafkaToolsScene>
  beforeAll(async () => {
    scene.broker = await createBroker({ storage: 'memory', topics })
    scene.tools = new KafkaTools(scene.broker.bootstrapServers)
  })
  afterAll(async () => {
    await scene.tools?.close()
    await scene.broker?.close()
  })
  return scene as KafkaToolsScene
}
