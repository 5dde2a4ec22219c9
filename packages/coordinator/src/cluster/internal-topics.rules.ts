// The topics in which coordinators keep their state: names, partitions and configs as Kafka creates them (Java: AutoTopicCreationManager,
// OffsetConfig, TransactionLogConfig).

const OFFSETS_TOPIC = '__consumer_offsets'
const TRANSACTION_STATE_TOPIC = '__transaction_state'
/** Holds the catalog itself; not a topic of the catalog, so that no client sees it. */
export const METADATA_TOPIC = '__cluster_metadata'

/** The largest batch in `__cluster_metadata` (Kafka's raft log: 8 MiB), so that a topic with many partitions is one batch. */
export const METADATA_BATCH_BYTES_MAX = 8 * 1_048_576

export interface InternalTopic {
  readonly partitions: number
  readonly configs: { readonly [name: string]: string }
}

export function isInternalTopic(name: string): boolean {
  return name === OFFSETS_TOPIC || name === TRANSACTION_STATE_TOPIC
}

/** How an internal topic is created; undefined for other topics. `broker` gives the value in force of a broker config. */
export function internalTopic(name: string, broker: (config: string) => string): InternalTopic | undefined {
  if (name === OFFSETS_TOPIC) {
    return {
      partitions: Number(broker('offsets.topic.num.partitions')),
      configs: {
        'compression.type': 'producer',
        'cleanup.policy': 'compact',
        'segment.bytes': atLeastMinimum(broker('offsets.topic.segment.bytes')),
      },
    }
  }
  if (name === TRANSACTION_STATE_TOPIC) {
    return {
      partitions: Number(broker('transaction.state.log.num.partitions')),
      configs: {
        'compression.type': 'uncompressed',
        'cleanup.policy': 'compact',
        'segment.bytes': atLeastMinimum(broker('transaction.state.log.segment.bytes')),
        'unclean.leader.election.enable': 'false',
        // Kafka asks for transaction.state.log.min.isr of its three replicas; of one replica only one can be in sync.
        'min.insync.replicas': '1',
      },
    }
  }
  return undefined
}

/** The broker configs allow 1 byte, the topic config not less than 1 MiB. */
function atLeastMinimum(segmentBytes: string): string {
  return String(Math.max(Number(segmentBytes), 1_048_576))
}

/**
 * Configs with which the leader of `__cluster_metadata` is started. Its records have no keys, so it is not compacted; nothing in it ends by
 * age or size. Every change is forced to disk before it is acknowledged: they are few, and a lost topic is lost data.
 */
export const metadataTopicConfigs: { readonly [name: string]: string } = {
  'cleanup.policy': 'delete',
  'max.message.bytes': String(METADATA_BATCH_BYTES_MAX),
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'flush.messages': '1',
}
