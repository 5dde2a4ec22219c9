// A record gets its partition, and its place in that partition's open batch.
import { KafkaError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { shown } from '@odradek/shared/client/options'
import type { Accumulator, AppendContext, PartitionQueue } from './accumulator.ts'
import type { RecordBatchInProgress } from './batch-in-progress.ts'
import type { PartitionerFunction, ResolvedProducerOptions } from './options.ts'
import { countSticky, leaveSticky, partitionForKey, roundRobinPartition, stickyPartition } from './partitioner.rules.ts'
import { whyOf } from './producer-errors.ts'
import type { EncodedRecord } from './record-encoder.ts'
import type { TopicQueues } from './topic-queues.ts'

export class RecordPlacer {
  readonly #options: Pick<ResolvedProducerOptions, 'batchSize' | 'partitioner' | 'partitionerIgnoreKeys'>
  readonly #accumulator: Accumulator
  readonly #random: Random

  constructor(
    options: Pick<ResolvedProducerOptions, 'batchSize' | 'partitioner' | 'partitionerIgnoreKeys'>,
    accumulator: Accumulator,
    random: Random,
  ) {
    this.#options = options
    this.#accumulator = accumulator
    this.#random = random
  }

  /** Puts a record into its partition's batch. There is room, and the topic is known. */
  place(queues: TopicQueues, record: EncodedRecord, context: AppendContext): RecordBatchInProgress {
    const { keyless } = queues
    const keyed = record.key !== null && !this.#options.partitionerIgnoreKeys
    const sticky = record.partition === undefined && !keyed && this.#options.partitioner === 'default'
    const queue = sticky ? this.#stickyQueue(queues, record) : this.#partitionOf(queues, record)
    const before = this.#accumulator.usedBytes
    const batch = this.#accumulator.append(queue, record.timestamp, record.key, record.value, record.headers, context)
    if (sticky) {
      const bytes = this.#accumulator.usedBytes - before
      countSticky(keyless, { bytes, batchIsOpen: batch.builder !== null }, this.#options.batchSize)
    }
    return batch
  }

  /**
   * The sticky partition, or, when its batch is full, another: the moment to move on is between two batches, because a batch that is left half-filled
   * lingers, and all that wait for it with it.
   */
  #stickyQueue(queues: TopicQueues, { sizeUpperBound }: EncodedRecord): PartitionQueue {
    const { keyless } = queues
    const queue = queues.partitions[stickyPartition(keyless, queues, this.#random)]!
    if (queue.open === null) return queue
    if (queue.open.builder!.sizeInBytes + sizeUpperBound <= this.#options.batchSize) return queue
    this.#accumulator.close(queue)
    leaveSticky(keyless)
    return queues.partitions[stickyPartition(keyless, queues, this.#random)]!
  }

  #partitionOf(queues: TopicQueues, record: EncodedRecord): PartitionQueue {
    const { partitioner } = this.#options
    const chosen =
      record.partition ??
      (typeof partitioner === 'function'
        ? choose(partitioner, queues, record)
        : partitioner === 'roundRobin'
          ? roundRobinPartition(queues.keyless, queues)
          : partitionForKey(record.key!, queues.partitionCount))
    const queue = typeof chosen === 'number' ? queues.partitions[chosen] : undefined
    if (queue !== undefined) return queue
    throw new KafkaError(
      'ODK_PARTITION_INVALID',
      `${queues.name} has partitions 0 to ${queues.partitionCount - 1}, not ${shown(chosen)}`,
    )
  }
}

/** A partitioner of the application's own: what it throws is an answer that cannot be used. */
function choose(partitioner: PartitionerFunction, queues: TopicQueues, { key, value }: EncodedRecord): number {
  const { name: topic, partitionCount, available } = queues
  try {
    return partitioner({ topic, key, value, partitionCount, available })
  } catch (cause) {
    const words = `the partitioner threw for a record for ${topic}: ${whyOf(cause)}`
    throw new KafkaError('ODK_PARTITION_INVALID', words, { cause })
  }
}
