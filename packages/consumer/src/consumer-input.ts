// What the calls of a consumer are given, read and checked before anything is done. Throws KafkaError ODK_OPTION_*; asks nobody.
import { KafkaError } from '@odradek/shared/base/errors'
import {
  callFields,
  flag,
  offset,
  optionsIn,
  partitionFields,
  partitionsIn,
  text,
} from '@odradek/shared/client/call-input'
import { custom, isObject, notTaken, shown } from '@odradek/shared/client/options'
import type { CommittedOffset } from '@odradek/shared/contracts/consumer.contract'
import type { BatchOptions, OffsetToCommit, RunOptions, SeekTo } from './consumer-calls.ts'

const EARLIEST = -2
const LATEST = -1

const partitionConcurrency = custom<number>(
  null,
  'an integer from 1',
  given => (Number.isInteger(given) && (given as number) >= 1 ? (given as number) : undefined),
  1,
)
const runFields = { ...callFields, partitionConcurrency }

export function runOptionsIn(given: RunOptions): RunOptions {
  return optionsIn('each', given, runFields)
}

export function batchOptionsIn(given: BatchOptions): BatchOptions {
  return optionsIn('batch', given, { ...runFields, emptyBatches: flag })
}

/** Where to go on, as the consumer's thread is told. */
export function seekTarget(to: SeekTo): { readonly offset: number } | { readonly timestamp: number } {
  if (to === 'earliest') return { timestamp: EARLIEST }
  if (to === 'latest') return { timestamp: LATEST }
  if (isObject(to))
    return { timestamp: wholeNumber((to as { readonly timestamp: number }).timestamp, 'seek: timestamp') }
  if (typeof to === 'bigint' || typeof to === 'number') return { offset: wholeNumber(to, 'seek: offset') }
  throw notTaken('seek', "an offset, 'earliest', 'latest' or { timestamp }", to)
}

const commitFields = { ...partitionFields, offset }
const commitFieldsOptional = { metadata: text }

export function committedOffsets(given: readonly OffsetToCommit[]): CommittedOffset[] {
  const list = partitionsIn('commit', given, commitFields, commitFieldsOptional)
  return list.map(({ topic, partition, offset, metadata = '' }) => {
    return { topic, partition, offset: wholeNumber(offset, 'commit: offset'), leaderEpoch: -1, metadata }
  })
}

/** `name` says what of: `seek: offset`. */
export function wholeNumber(given: number | bigint, name: string): number {
  const value = typeof given === 'bigint' ? Number(given) : given
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new KafkaError('ODK_OPTION_INVALID', `${name} must be an integer from 0 to 2^53-1, got ${shown(given)}`)
}

/** What stands for a time where the first or the next offset is meant (Kafka: ListOffsetsRequest). */
export const timestampOf = { earliest: EARLIEST, latest: LATEST } as const
