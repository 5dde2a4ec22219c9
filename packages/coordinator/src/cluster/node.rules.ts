// What a node writes about itself and takes for itself: the first records of a fresh cluster, its registration, blocks of producer ids.

import { features } from '@odradek/shared/contracts/features'
import type { CatalogRecord } from './catalog.records.ts'
import type { Catalog } from './catalog.ts'
import type { ClusterSetup } from './cluster-setup.ts'
import { featureRecord } from './features.rules.ts'

/** Kafka's `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`. */
const PRODUCER_ID_BLOCK = 1_000

/** What is missing in the log: features and cluster id in a fresh one, the registration of this run of the node in any. */
export function firstRecords(catalog: Catalog, setup: ClusterSetup): CatalogRecord[] {
  const records: CatalogRecord[] = []
  // metadata.version comes first, as in Kafka: it says how all others are to be read.
  if (catalog.features.size === 0) for (const { name, level } of features) records.push(featureRecord(name, level))
  if (catalog.clusterId === null) records.push({ type: 'ClusterIdRecord', value: { clusterId: setup.clusterId } })
  const registered = catalog.brokers.get(setup.nodeId)
  if (registered?.incarnationId !== setup.incarnationId) {
    records.push(registration(setup, (registered?.brokerEpoch ?? 0) + 1))
  }
  return records
}

/** Without end points: what clients are told belongs to the running listeners. */
function registration({ nodeId, incarnationId }: ClusterSetup, brokerEpoch: number): CatalogRecord {
  return {
    type: 'RegisterBrokerRecord',
    value: {
      brokerId: nodeId,
      isMigratingZkBroker: false,
      incarnationId,
      brokerEpoch,
      endPoints: [],
      features: features.map(({ name, minSupported, maxSupported }) => ({
        name,
        minSupportedVersion: minSupported,
        maxSupportedVersion: maxSupported,
      })),
      rack: null,
      fenced: false,
      inControlledShutdown: false,
      logDirs: [],
      cordonedLogDirs: null,
    },
  }
}

/** A block that nobody gets again; what is not used of it is lost, as in Kafka. */
export function allocateProducerIds(catalog: Catalog, { nodeId }: ClusterSetup) {
  const firstProducerId = catalog.nextProducerId
  const brokerEpoch = catalog.brokers.get(nodeId)?.brokerEpoch ?? -1
  const record: CatalogRecord = {
    type: 'ProducerIdsRecord',
    value: { brokerId: nodeId, brokerEpoch, nextProducerId: firstProducerId + PRODUCER_ID_BLOCK },
  }
  return { records: [record], response: { firstProducerId, length: PRODUCER_ID_BLOCK } }
}
