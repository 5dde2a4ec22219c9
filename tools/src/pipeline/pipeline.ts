// The recommended way to exactly once: records of one topic become records of another, with the offsets in the same transaction. In this thread with a
// function, or on several threads with a module.
import type { RecordOf } from '@odradek/consumer/consumer-calls'
import { readConsumerOptions } from '@odradek/consumer/consumer-options'
import type { RecordFor } from '@odradek/producer/record-encoder'
import { KafkaError } from '@odradek/shared/base/errors'
import { functionIn } from '@odradek/shared/client/call-input'
import { ModuleThreads } from '@odradek/shared/client/module-threads'
import { openClusterDoor } from '@odradek/shared/client/open-door'
import { type RawTopic, type Topic, topicOf } from '@odradek/shared/client/topic'
import { openLane } from './open-lane.ts'
import type { PipelineMetrics } from './pipeline-lane.ts'
import { type PipelineOptions, type ReadPipelineOptions, readPipelineOptions } from './pipeline-options.ts'

/** What the function may make of a record: nothing, one record, or several; or a promise of it. */
export type Made<T> = RecordFor<T extends Topic<any, any> ? T : RawTopic>
export type Outputs<T> = Made<T> | readonly Made<T>[] | null | undefined

/** A pipeline that runs. */
export interface Pipeline extends AsyncDisposable {
  /** Resolves when it was closed; rejects with what ended it: what the function threw, ODK_PRODUCER_FENCED, or another fatal error. */
  readonly done: Promise<void>
  /** Summed over its threads; of other threads at most 200 ms old, and without what threads that died had counted. */
  metrics(): PipelineMetrics
  /** Ends a thread of a module's pipeline as if it had crashed; it is replaced. For study and tests. */
  kill(thread: number): Promise<void>
  /** Finishes the record in hand, commits, leaves the group. Idempotent; does not throw what `done` rejects with. */
  close(): Promise<void>
}

/**
 * Reads `from`, gives each record to `transform`, and sends what it makes to `to`: each record counts exactly once in the output, through crashes, rebalances and
 * restarts, for readers with `isolationLevel: 'readCommitted'`. Records of a partition are processed in order, one after another; what `transform`
 * does besides (a database, a mail) may happen again when a transaction is undone.
 * An output that cannot be sent (no record, a codec that refuses it, a partition that there is not) ends it.
 *
 *     await using invoices = pipeline(orders, bills, ({ key, value }) => ({ key, value: billOf(value) }), {
 *       bootstrapServers: broker, transactionalId: 'billing-1', groupId: 'billing' })
 *     await invoices.done
 *
 * Given a module that exports `from`, `to`, `transform` (and perhaps `onError`), it runs on `threads` threads, which share the partitions.
 * Throws KafkaError ODK_OPTION_*.
 */
export function pipeline<const F extends Topic<any, any> | string, const T extends Topic<any, any> | string>(
  from: F,
  to: T,
  transform: (record: RecordOf<F>) => Outputs<T> | Promise<Outputs<T>>,
  options: PipelineOptions,
): Pipeline
export function pipeline(module: URL, options: PipelineOptions): Pipeline
export function pipeline(
  first: Topic<any, any> | string | URL,
  second: Topic<any, any> | string | PipelineOptions,
  transform?: (record: any) => unknown,
  given?: PipelineOptions,
): Pipeline {
  if (first instanceof URL) return inThreads(first, readPipelineOptions(second as PipelineOptions))
  functionIn('pipeline', 'topics, a function of a record, and options; or the URL of a module, and options', transform)
  const options = readPipelineOptions(given!)
  if (options.threads > 1) {
    const why = 'threads: a function reaches no other thread; put from, to and transform into a module and give its URL'
    throw new KafkaError('ODK_OPTION_CONFLICT', `pipeline: ${why}`)
  }
  const work = { from: topicOf(first), to: topicOf(second as Topic), transform: transform!, onError: options.onError }
  const lane = openLane(work, options)
  const kill = async () => undefined
  return running(lane.run(), { stop: () => lane.stop(), metrics: () => lane.metrics(), kill }, options.signal)
}

function inThreads(module: URL, options: ReadPipelineOptions): Pipeline {
  const { cluster, transactionalId, groupId, commitEvery, consumer, producer, onError, threads } = options
  if (typeof onError === 'function') {
    throw new KafkaError('ODK_OPTION_INVALID', 'pipeline: a module exports its function onError itself')
  }
  const door = openClusterDoor('pipeline', readConsumerOptions({ ...consumer, ...cluster, groupId }), threads)
  if (door.ticket === undefined) {
    throw new KafkaError('ODK_OPTION_INVALID', 'pipeline: give the broker itself, in the thread that created it')
  }
  const lanes = new ModuleThreads({
    clock: door.host.clock,
    entry: new URL('./pipeline.worker.ts', import.meta.url),
    threads,
    ticket: () => door.ticket!(),
    input: thread => ({
      module: module.href,
      transactionalId: `${transactionalId}-${thread}`,
      groupId,
      commitEvery,
      consumer,
      producer,
      onError,
    }),
    answer: () => undefined,
    onDeath: 'restart',
  })
  const done = lanes.done.finally(() => door.release?.())
  const metrics = () => summed(lanes.metrics as readonly (PipelineMetrics | null)[])
  return running(done, { stop: () => lanes.stop(), metrics, kill: thread => lanes.kill(thread) }, options.signal)
}

function running(
  done: Promise<void>,
  { stop, metrics, kill }: Pick<Pipeline, 'metrics' | 'kill'> & { stop(): void },
  signal: AbortSignal | undefined,
): Pipeline {
  // Who does not look at `done` must not have his process ended by it.
  done.catch(() => undefined)
  const close = async () => {
    stop()
    await done.catch(() => undefined)
  }
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  return { done, metrics, kill, close, [Symbol.asyncDispose]: close }
}

function summed(all: readonly (PipelineMetrics | null)[]): PipelineMetrics {
  const sum = { records: 0, outputs: 0, skipped: 0, transactions: 0, aborts: 0 }
  for (const metrics of all) {
    for (const name of Object.keys(sum) as (keyof PipelineMetrics)[]) sum[name] += metrics?.[name] ?? 0
  }
  return sum
}
