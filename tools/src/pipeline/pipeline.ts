// The recommended way to exactly once: records of one topic become records of another, with the offsets in the same transaction.

import type { RecordOf } from '@odradek/consumer/consumer-calls'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import type { RecordFor } from '@odradek/producer/record-encoder'
import { systemClock } from '@odradek/shared/base/clock'
import { systemRandom } from '@odradek/shared/base/random'
import type { RawTopic, Topic } from '@odradek/shared/client/topic'
import { PipelineLane, type PipelineMetrics } from './pipeline-lane.ts'
import { type PipelineOptions, readPipelineOptions } from './pipeline-options.ts'

/** What the function may make of a record: nothing, one record, or several; or a promise of it. */
export type Made<T> = RecordFor<T extends Topic<any, any> ? T : RawTopic>
export type Outputs<T> = Made<T> | readonly Made<T>[] | null | undefined

/** A pipeline that runs. */
export interface Pipeline extends AsyncDisposable {
  /** Resolves when it was closed; rejects with what ended it: what the function threw, ODK_PRODUCER_FENCED, or another fatal error. */
  readonly done: Promise<void>
  metrics(): PipelineMetrics
  /** Finishes the record in hand, commits, leaves the group. Idempotent; does not throw what `done` rejects with. */
  close(): Promise<void>
}

/**
 * Reads `from`, gives each record to `transform`, and sends what it makes to `to`: each record counts exactly once in the output, through crashes, rebalances and
 * restarts, for readers with `isolationLevel: 'readCommitted'`. Records of a partition are processed in order, one after another; what `transform`
 * does besides (a database, a mail) may happen again when a transaction is undone.
 *
 *     await using totals = pipeline(orders, invoices, ({ key, value }) => ({ key, value: invoiceOf(value) }), {
 *       bootstrapServers: broker, transactionalId: 'invoices-1', groupId: 'invoices' })
 *     await totals.done
 *
 * Throws KafkaError ODK_OPTION_*.
 */
export function pipeline<const F extends Topic<any, any> | string, const T extends Topic<any, any> | string>(
  from: F,
  to: T,
  transform: (record: RecordOf<F>) => Outputs<T> | Promise<Outputs<T>>,
  options: PipelineOptions,
): Pipeline {
  const { bootstrapServers, transactionalId, groupId, commitEvery, onError, signal, ...others } =
    readPipelineOptions(options)
  const lane = new PipelineLane({
    clock: systemClock,
    random: systemRandom(),
    from,
    to,
    transform: transform as (record: unknown) => unknown,
    commitEvery,
    onError,
    producer: createProducer({ ...others.producer, bootstrapServers, transactionalId }),
    consumer: hooks =>
      createConsumer({
        autoOffsetReset: 'earliest',
        ...others.consumer,
        ...hooks,
        bootstrapServers,
        groupId,
        enableAutoCommit: false,
        isolationLevel: 'readCommitted',
      }),
  })
  const done = lane.run()
  // Who does not look at `done` hears of a failure from `close`, which does not throw: a pipeline must not end its process.
  done.catch(() => undefined)
  const close = async () => {
    lane.stop()
    await done.catch(() => undefined)
  }
  signal?.addEventListener('abort', () => lane.stop(), { once: true })
  if (signal?.aborted) lane.stop()
  return { done, metrics: () => lane.metrics(), close, [Symbol.asyncDispose]: close }
}
