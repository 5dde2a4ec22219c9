// The clusters that every end-to-end suite runs against: an embedded broker through ports, the same over TCP, and Apache Kafka. What passes on one must
// pass on all three.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { systemClock } from '@odradek/shared/base/clock'
import { limits } from '@odradek/shared/base/limits'
import { systemRandom } from '@odradek/shared/base/random'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import type { BootstrapServers } from '@odradek/shared/client/common-options'
import { openClusterLink } from '@odradek/shared/client/open-link'
import { apacheKafkaMissing, startApacheKafka } from '../apache-kafka/apache-kafka.ts'

export interface Target {
  readonly bootstrapServers: BootstrapServers
  /** Creates a topic with a name of its own and waits until its leaders are known. */
  topic(partitions: number, configs?: { readonly [name: string]: string }): Promise<string>
  close(): Promise<void>
}

export interface TargetKind {
  readonly name: string
  /** Why it cannot run here, with what to do; null when it can. */
  readonly missing: string | null
  open(): Promise<Target>
}

export const targets: readonly TargetKind[] = [
  { name: 'port link', missing: null, open: async () => embedded(broker => broker) },
  { name: 'TCP', missing: null, open: async () => embedded(broker => broker.bootstrapServers) },
  {
    name: 'Apache Kafka',
    missing: apacheKafkaMissing(),
    async open() {
      const kafka = await startApacheKafka()
      return target(kafka.bootstrapServers, kafka.bootstrapServers, () => kafka.stop())
    },
  },
]

async function embedded(bootstrap: (broker: Broker) => BootstrapServers): Promise<Target> {
  const broker = await createBroker({ storage: 'memory' })
  return target(bootstrap(broker), broker.bootstrapServers, () => broker.close())
}

const DEADLINE_MS = 30_000
let topics = 0

async function target(bootstrapServers: BootstrapServers, address: string, stop: () => Promise<void>): Promise<Target> {
  const link = await adminLink(address)
  return {
    bootstrapServers,
    async topic(partitions, configs = {}) {
      const name = `e2e-${++topics}`
      await createTopic(link, name, partitions, configs)
      return name
    },
    async close() {
      await link.close()
      await stop()
    },
  }
}

function adminLink(address: string): Promise<ClusterLink> {
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const noPorts = () => {
    throw new Error('a wire link needs no ports')
  }
  const host = { clock: systemClock, random: systemRandom(), log, limits, link: noPorts as never }
  return openClusterLink(host, { kind: 'wire', bootstrapServers: [address], clientId: 'e2e' })
}

async function createTopic(
  link: ClusterLink,
  name: string,
  numPartitions: number,
  configs: { readonly [name: string]: string },
): Promise<void> {
  const options = { deadlineMs: DEADLINE_MS }
  const topic = {
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
  const request = { topics: [topic], timeoutMs: DEADLINE_MS, validateOnly: false }
  const { topics: created } = await link.request(await link.controller(options), 'CreateTopics', request, options)
  if (created[0]!.errorCode !== 0) throw new Error(`topic ${name} was not created: ${created[0]!.errorMessage}`)
  const deadline = systemClock.monotonic() + DEADLINE_MS
  for (;;) {
    await link.refresh([name], { ...options, allowAutoTopicCreation: false })
    if (
      link.topic(name)?.partitions.every(({ endpoint }) => endpoint !== null) &&
      link.topic(name)!.partitions.length === numPartitions
    )
      return
    if (systemClock.monotonic() > deadline) throw new Error(`topic ${name} has no leaders`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
