// What the rules of the cluster know besides the catalog: which node this is and what it was started with. Pure data and lookups.
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import { type BrokerLevels, brokerConfigSources } from '@odradek/shared/configs/effective-configs.rules'
import type { Catalog } from './catalog.ts'

export interface ClusterSetup {
  readonly nodeId: number
  /** Of a fresh cluster; one that has an id keeps it. */
  readonly clusterId: string
  /** Of this run of the node. */
  readonly incarnationId: string
  /** Broker configs given at start, by Kafka's names. */
  readonly given: ReadonlyMap<string, string>
  /** Most partitions that one request may create. */
  readonly partitionsPerRequestMax: number
}

const nothing: ReadonlyMap<string, string> = new Map()

/** The levels at which broker configs may be set, for this node. */
export function levelsOf(catalog: Catalog, { nodeId, given }: ClusterSetup): BrokerLevels {
  return {
    broker: catalog.brokerConfigs.get(String(nodeId)) ?? nothing,
    brokers: catalog.brokerConfigs.get('') ?? nothing,
    given,
  }
}

/** The value in force of a broker config that has a default. */
export function brokerConfig(catalog: Catalog, setup: ClusterSetup, name: string): string {
  return brokerConfigSources(brokerConfigs.get(name)!, levelsOf(catalog, setup))[0]!.value!
}

/** Whether a node is registered; partitions are only placed on such. */
export function isRegistered(catalog: Catalog, { nodeId }: ClusterSetup, brokerId: number): boolean {
  return brokerId === nodeId || catalog.brokers.has(brokerId)
}

export function registeredCount(catalog: Catalog, { nodeId }: ClusterSetup): number {
  return catalog.brokers.size + (catalog.brokers.has(nodeId) ? 0 : 1)
}
