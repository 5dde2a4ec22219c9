// Kafka's own command line tools against a broker, all in one JVM: each runs its main class as its script would.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { DriverProcess } from './driver-process.ts'
import { javaDriver, javaProgram } from './drivers.ts'

interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface ToolRun {
  /** Expected exit code; default 0. */
  readonly code?: number
  /** What it reads from standard input. */
  readonly input?: string
}

/** Main classes by the name of their script. */
const mains = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-transactions': 'org.apache.kafka.tools.TransactionsCommand',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
} as const

export class KafkaTools {
  readonly #bootstrapServers: string
  readonly #driver = new DriverProcess(javaDriver())

  constructor(bootstrapServers: string) {
    this.#bootstrapServers = bootstrapServers
  }

  /** What the tool prints; fails with all of it when the exit code is another than expected. */
  async run(
    script: keyof typeof mains,
    args: readonly string[],
    { code = 0, input = '' }: ToolRun = {},
  ): Promise<string> {
    const all = ['--bootstrap-server', this.#bootstrapServers, ...args]
    const printed = await this.#driver.call<Printed>('tool', { main: mains[script], args: all, input })
    expect(printed.code, `${script} ${args.join(' ')}\n${printed.out}\n${printed.err}`).toBe(code)
    return printed.out
  }

  /** The same in a JVM of its own, for tools that finish their work when the JVM ends. */
  async runAlone(script: keyof typeof mains, args: readonly string[]): Promise<string> {
    const all = ['--bootstrap-server', this.#bootstrapServers, ...args]
    const { file, args: command } = javaProgram(mains[script], all)
    const { stdout } = await promisify(execFile)(file, command)
    return stdout
  }

  close(): Promise<void> {
    return this.#driver.close()
  }
}
