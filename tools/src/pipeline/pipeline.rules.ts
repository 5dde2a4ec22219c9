// What a pipeline's transaction holds, when it is due, where reading goes back to, and what an error means for it. Pure.
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'

/** When a transaction is committed: at the first of both. */
export interface CommitEvery {
  /** Records read. */
  readonly records: number
  /** Milliseconds since its first record. */
  readonly ms: number
}

/** What the open transaction has processed of one partition. */
export interface Progress extends TopicPartition {
  /** Offset of the first record that it read: where reading goes back to. */
  readonly from: number
  /** Offset after the last: what it commits. */
  readonly next: number
  /** Of the last record; -1 unknown. */
  readonly leaderEpoch: number
}

/** By `topic-partition`. */
export type Positions = ReadonlyMap<string, Progress>

/** The transaction has processed a partition up to `next`, beginning at `from`. */
export function advanced(positions: Positions, { topic, partition, from, next, leaderEpoch }: Progress): Positions {
  const key = `${topic}-${partition}`
  const before = positions.get(key)
  return new Map(positions).set(key, { topic, partition, from: before?.from ?? from, next, leaderEpoch })
}

/** What two transactions have processed together, the second behind the first. */
export function joined(first: Positions, second: Positions): Positions {
  return [...second.values()].reduce(advanced, first)
}

/** The offsets that the transaction commits. */
export function offsetsOf(positions: Positions) {
  return [...positions.values()].map(({ topic, partition, next, leaderEpoch }) => ({
    topic,
    partition,
    offset: next,
    leaderEpoch,
  }))
}

/** Where reading goes back to, of what is still assigned. */
export function rewindsOf(positions: Positions, assigned: readonly TopicPartition[]): readonly Progress[] {
  const ours = new Set(assigned.map(({ topic, partition }) => `${topic}-${partition}`))
  return [...positions].filter(([key]) => ours.has(key)).map(([, progress]) => progress)
}

export function isDue(
  every: CommitEvery,
  transaction: { readonly records: number; readonly beganMs: number },
  nowMs: number,
): boolean {
  return transaction.records >= every.records || nowMs - transaction.beganMs >= every.ms
}

/**
 * What an error of a transaction means (KIP-1050): `abort` it and go on; `recover`, because its fate is not known but can be learned; `fatal`: nothing may be
 * written under this id any more.
 */
export function verdictOn(error: { readonly code?: unknown; readonly fatal?: unknown }): 'abort' | 'recover' | 'fatal' {
  if (error.code === 'ODK_SENDER_DIED') return 'recover'
  if (error.fatal === true || error.code === 'ODK_PRODUCER_CLOSED') return 'fatal'
  return 'abort'
}

/** Refusals of a record for what it is, ours and then a broker's: the same record would be refused again. */
const OF_THE_OUTPUT: ReadonlySet<unknown> = new Set([
  'ODK_RECORD_INVALID',
  'ODK_ENCODE_FAILED',
  'ODK_RECORD_TOO_LARGE',
  'ODK_PARTITION_INVALID',
  'ODK_TOPIC_INVALID',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNSUPPORTED_COMPRESSION_TYPE',
])

interface SendError {
  readonly code: string
  readonly kafkaName?: string | undefined
  /** Of many records that were sent together: what became of each. */
  readonly results?: readonly unknown[]
}

/** The output's own fault among what a send was refused with; null when another try may do. */
export function unsendable(error: SendError): SendError | null {
  const refusals = (error.results ?? [error]) as readonly SendError[]
  return refusals.find(({ code, kafkaName }) => OF_THE_OUTPUT.has(code) || OF_THE_OUTPUT.has(kafkaName)) ?? null
}

/** Adds what the function made of a record: nothing, one record, or several. */
export function addOutputs<R>(outputs: R[], made: R | readonly R[] | null | undefined): void {
  if (made === null || made === undefined) return
  if (Array.isArray(made)) for (const output of made as readonly R[]) outputs.push(output)
  else outputs.push(made as R)
}
