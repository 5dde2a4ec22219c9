// What a handler module exports, for `consume`: types, and how a loaded module is checked.
import { KafkaError } from '@odradek/shared/base/errors'
import type { OffsetToCommit, Topics } from './consumer-calls.ts'
import type { ConsumerOptions, RebalanceHook } from './consumer-options.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { RecordBatch } from './delivery-runner.ts'

/** What the functions of a handler module are given beside a record. */
export interface HandlerContext {
  /** 0, 1, ... */
  readonly thread: number
  /** Fires when the threads are told to stop; what is in hand should be finished. */
  readonly signal: AbortSignal
  /** As `Consumer.commit`: what this thread has finished, refused with ODK_COMMIT_FAILED when its partitions went to others. */
  commit(offsets?: readonly OffsetToCommit[]): Promise<void>
}

/** A module that `consume` runs on several threads. It exports `each` or `batch`; the rest is optional. */
export interface HandlerModule {
  /** Awaited for every record; in order within a partition. */
  each?(record: ConsumerRecord<any, any>, context: HandlerContext): unknown
  /** Awaited for records of one partition that arrived together. */
  batch?(batch: RecordBatch<ConsumerRecord<any, any>>, context: HandlerContext): unknown
  /** Typed topics, whose codecs cannot cross threads; without it the option `topics` names them. */
  readonly topics?: Topics
  readonly onAssigned?: RebalanceHook
  readonly onRevoked?: RebalanceHook
  readonly onLost?: RebalanceHook
  /** Instead of the option: assignors of your own, which reach no other thread. */
  readonly partitionAssignmentStrategy?: ConsumerOptions['partitionAssignmentStrategy']
  /** Before the first record: open what the thread needs. */
  start?(context: HandlerContext): unknown
  /** After the last. */
  stop?(context: HandlerContext): unknown
}

const FUNCTIONS = ['each', 'batch', 'start', 'stop', 'onAssigned', 'onRevoked', 'onLost'] as const

/** Throws ODK_HANDLER_INVALID for a module that is no handler. */
export function checkHandler(href: string, loaded: HandlerModule): HandlerModule {
  for (const name of FUNCTIONS) {
    if (loaded[name] !== undefined && typeof loaded[name] !== 'function') invalid(href, `${name} is not a function`)
  }
  if ((loaded.each === undefined) === (loaded.batch === undefined)) invalid(href, 'it must export `each` or `batch`')
  return loaded
}

function invalid(href: string, why: string): never {
  throw new KafkaError('ODK_HANDLER_INVALID', `${href} is no handler module: ${why}`)
}
