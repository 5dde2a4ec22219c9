// Makes a lane with a consumer and a producer of its own; what makes it exactly once is set here and nowhere else.
import type { ConsumerOptions } from '@odradek/consumer/consumer-options'
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import type { ProducerOptions } from '@odradek/producer/options'
import { type Clock, systemClock } from '@odradek/shared/base/clock'
import { type Random, systemRandom } from '@odradek/shared/base/random'
import type { ClusterOptions } from '@odradek/shared/client/common-options'
import type { Topic } from '@odradek/shared/client/topic'
import type { CommitEvery } from './pipeline.rules.ts'
import type { OnError } from './pipeline-function.ts'
import { PipelineLane } from './pipeline-lane.ts'

/** What a pipeline does, wherever it runs. */
export interface PipelineWork {
  readonly from: Topic<any, any> | string
  readonly to: Topic<any, any> | string
  readonly transform: (record: ConsumerRecord<any, any>) => unknown
  readonly onError: OnError
}

/** With what it does it; plain data but for `cluster`. */
export interface LaneSettings {
  readonly cluster: ClusterOptions
  readonly transactionalId: string
  readonly groupId: string
  readonly commitEvery: CommitEvery
  readonly consumer: Partial<ConsumerOptions>
  readonly producer: Partial<ProducerOptions>
}

/**
 * Outputs are sent together at the end of a slice, so a batch is as large as there is to send: what has no key goes to one partition
 * per transaction, which then owes one addition, one produce and one marker. With Kafka's 16 KiB it would be one per 16 KiB.
 */
const BATCH_SIZE = 131_072

/** `host`: whose time and chance it lives in; the simulator's are virtual. */
export function openLane(
  work: PipelineWork,
  settings: LaneSettings,
  host: { readonly clock: Clock; readonly random: Random } = { clock: systemClock, random: systemRandom() },
): PipelineLane {
  const { cluster, transactionalId, groupId, commitEvery, consumer, producer } = settings
  return new PipelineLane({
    ...work,
    ...host,
    commitEvery,
    producer: createProducer({ batchSize: BATCH_SIZE, ...producer, ...cluster, transactionalId }),
    consumer: hooks =>
      createConsumer({
        autoOffsetReset: 'earliest',
        ...consumer,
        ...hooks,
        ...cluster,
        groupId,
        enableAutoCommit: false,
        isolationLevel: 'readCommitted',
      }),
  })
}
