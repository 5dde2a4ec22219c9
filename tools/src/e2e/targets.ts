// The clusters that every end-to-end suite runs against: an embedded broker through ports, the same over TCP, and Apache Kafka. What passes on one must
// pass on all three.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { systemClock } from '@odradek/shared/base/clock'
import { limits } from '@odradek/shared/base/limits'
import { systemRandom } from '@odradek/shared/base/random'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import type { BootstrapServers } from '@odradek/shared/client/common-options'
import type { BrokerTicket } from '@odradek/shared/client/join-broker'
import { openClusterLink } from '@odradek/shared/client/open-link'
import { apacheKafkaMissing, startApacheKafka } from '../apache-kafka/apache-kafka.ts'

export interface Target {
  readonly bootstrapServers: BootstrapServers
  /** Creates a topic, with a name of its own if none is given, and waits until its leaders are known. */
  topic(partitions: number, configs?: Configs, name?: string): Promise<string>
  /** More partitions for a topic. */
  addPartitions(topic: string, partitions: number): Promise<void>
  /** Sets the finalized feature `transaction.version`. */
  transactionVersion(level: number): Promise<void>
  /** For another thread: an address, or a ticket whose `port` is to be transferred. */
  reach(): string | BrokerTicket
  close(): Promise<void>
}

export interface TargetKind {
  readonly name: string
  /** Why it cannot run here, with what to do; null when it can. */
  readonly missing: string | null
  /** Starts it; `configs` are broker configs in Kafka's names. */
  open(configs?: Configs): Promise<Target>
}

export type Configs = { readonly [name: string]: string }

/** Short enough for tests, the same on every target: how often and how long coordinators of groups wait. */
const quick: Configs = {
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '500',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '100',
  'group.consumer.min.session.timeout.ms': '500',
  'group.consumer.session.timeout.ms': '2000',
}

export const targets: readonly TargetKind[] = [
  {
    name: 'port link',
    missing: null,
    open: async configs => {
      const broker = await embedded(configs, THREADS)
      return target({ broker, bootstrapServers: broker, reach: () => broker.door() })
    },
  },
  {
    name: 'TCP',
    missing: null,
    open: async configs => {
      const broker = await embedded(configs, 'auto')
      return target({ broker, bootstrapServers: broker.bootstrapServers, reach: () => broker.bootstrapServers })
    },
  },
  {
    name: 'Apache Kafka',
    missing: apacheKafkaMissing(),
    async open(configs) {
      const kafka = await startApacheKafka({ configs: { ...quick, ...configs } })
      const { bootstrapServers } = kafka
      const broker = { bootstrapServers, close: () => kafka.stop() }
      return target({ broker, bootstrapServers, reach: () => bootstrapServers })
    },
  },
]

/** One target has threads whatever the cores, so that what crosses them is tried on a small machine, too. */
const THREADS = 4

function embedded(configs: Configs | undefined, threads: number | 'auto'): Promise<Broker> {
  return createBroker({ storage: 'memory', threads, config: { ...quick, ...configs } })
}

const DEADLINE_MS = 30_000
let topics = 0

interface TargetParts {
  readonly broker: { readonly bootstrapServers: string; close(): Promise<void> }
  readonly bootstrapServers: BootstrapServers
  reach(): string | BrokerTicket
}

async function target({ broker, bootstrapServers, reach }: TargetParts): Promise<Target> {
  const link = await adminLink(broker.bootstrapServers)
  return {
    bootstrapServers,
    reach,
    async topic(partitions, configs = {}, name = `e2e-${++topics}`) {
      await createTopic(link, name, partitions, configs)
      return name
    },
    addPartitions: (topic, partitions) => addPartitions(link, topic, partitions),
    transactionVersion: level => setFeature(link, 'transaction.version', level),
    async close() {
      await link.close()
      await broker.close()
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
  await leadersKnown(link, name, numPartitions)
}

async function addPartitions(link: ClusterLink, name: string, count: number): Promise<void> {
  const options = { deadlineMs: DEADLINE_MS }
  const request = { topics: [{ name, count, assignments: null }], timeoutMs: DEADLINE_MS, validateOnly: false }
  const { results } = await link.request(await link.controller(options), 'CreatePartitions', request, options)
  if (results[0]!.errorCode !== 0) throw new Error(`${name} got no partitions: ${results[0]!.errorMessage}`)
  await leadersKnown(link, name, count)
}

async function setFeature(link: ClusterLink, feature: string, maxVersionLevel: number): Promise<void> {
  const options = { deadlineMs: DEADLINE_MS }
  const SAFE_DOWNGRADE = 2
  const controller = await link.controller(options)
  await link.refresh([], { ...options, allowAutoTopicCreation: false })
  if (link.featureLevel(feature) === maxVersionLevel) return
  for (const upgradeType of [1, SAFE_DOWNGRADE]) {
    const request = {
      timeoutMs: DEADLINE_MS,
      featureUpdates: [{ feature, maxVersionLevel, allowDowngrade: false, upgradeType }],
      validateOnly: false,
    }
    const { errorCode, errorMessage, results } = await link.request(controller, 'UpdateFeatures', request, options)
    const failed = errorCode !== 0 ? errorMessage : results.find(result => result.errorCode !== 0)?.errorMessage
    if (errorCode === 0 && failed === undefined) return
    if (upgradeType === SAFE_DOWNGRADE) throw new Error(`${feature} is not ${maxVersionLevel}: ${failed}`)
  }
}

async function leadersKnown(link: ClusterLink, name: string, numPartitions: number): Promise<void> {
  const options = { deadlineMs: DEADLINE_MS }
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
