// kafkajs as the suites and benchmarks use it: unmodified, its own defaults, and without the lines that it would print.
import kafkajsPackage from 'kafkajs'

const { Kafka, logLevel } = kafkajsPackage

export type Kafkajs = InstanceType<typeof Kafka>

export function kafkajsAt(bootstrapServers: string, clientId = 'kafkajs'): Kafkajs {
  // Without the variable it prints a warning about its own default partitioner.
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
  return new Kafka({ clientId, brokers: [bootstrapServers], logLevel: logLevel.NOTHING })
}
