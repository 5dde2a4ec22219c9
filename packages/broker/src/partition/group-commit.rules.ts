// One event turn's appends as one group: each is judged against the state as the group will leave it, and the group's changes are kept
// apart until the log has taken it. Then `applyGroup` makes them true, or the group is thrown away and nothing has happened (PROMISES 7).
import type { Verification } from '@odradek/shared/contracts/partition-leader.contract'
import * as batch from '@odradek/shared/records/record-batch'
import type { AppendGroup, ProducerState, StampedBatch } from '../log/partition-log.ts'
import { judgeBatch, judgeMarker, type Marker, type ProducerRefusal } from './producer-state.rules.ts'
import {
  applyTransactionChanges,
  lastStableOffset,
  noTransactionChanges,
  type OngoingTransaction,
  oldestUndecided,
  type TransactionChanges,
  transactionEnded,
  transactionStarted,
} from './transaction-index.rules.ts'
import { isVerified, type VerificationState } from './verification.rules.ts'

/** A producer as this leader remembers it. */
export interface KnownProducer {
  readonly state: ProducerState
  /** Wall clock of its last append at this leader, ms; after a restart its last timestamp. */
  readonly lastAppendMs: number
}

/** What a leader holds in memory about its partition: exactly what follows from the log as committed. */
export interface PartitionState {
  logEndOffset: number
  /** Bytes appended since this leader opened the log: the ruler of parked fetches. */
  position: number
  /** Least recently appending first. */
  readonly producers: Map<number, KnownProducer>
  readonly ongoing: Map<number, OngoingTransaction>
  readonly verifications: Map<number, VerificationState>
}

/** What a turn has gathered so far. */
export interface Group {
  nextOffset: number
  position: number
  readonly batches: StampedBatch[]
  readonly producers: Map<number, ProducerState>
  readonly transactions: TransactionChanges
}

/** Where an append went, or why not. */
export type Staged =
  | { readonly kind: 'staged'; readonly baseOffset: number }
  | {
      readonly kind: 'duplicate'
      readonly baseOffset: number
      readonly timestamp: number
      /** True: it repeats a batch of this very group, so it may be answered only when the group is committed. */
      readonly pending: boolean
    }
  | { readonly kind: 'refused'; readonly error: ProducerRefusal | 'INVALID_RECORD'; readonly message: string }

export interface StageCircumstances {
  readonly origin: 'client' | 'coordinator'
  readonly leaderEpoch: number
  /** False: KIP-890 verification is switched off. */
  readonly verificationEnabled: boolean
  /** What came with the append. */
  readonly verification: Verification | undefined
}

export function beginGroup(state: PartitionState): Group {
  const { logEndOffset, position } = state
  return {
    nextOffset: logEndOffset,
    position,
    batches: [],
    producers: new Map(),
    transactions: noTransactionChanges(),
  }
}

/** A producer's state as the group will leave it. */
export function producerIn(state: PartitionState, group: Group, producerId: number): ProducerState | undefined {
  return group.producers.get(producerId) ?? state.producers.get(producerId)?.state
}

/** Adds accepted records to the group: all their batches, or none. Writes base offsets and leader epoch into `records`. */
export function stageRecords(
  state: PartitionState,
  group: Group,
  records: Uint8Array,
  circumstances: StageCircumstances,
): Staged {
  const baseOffset = group.nextOffset
  if (batch.hasProducerId(records, 0)) {
    if (batch.batchSizeInBytes(records, 0) !== records.length) return severalBatches()
    const outcome = judgeProducer(state, group, records, circumstances)
    if (outcome !== undefined) return outcome
  } else if (!isAnonymous(records)) {
    return severalBatches()
  }
  batch.forEachBatch(records, (at, sizeInBytes) => {
    push(group, records.subarray(at, at + sizeInBytes), circumstances.leaderEpoch)
  })
  return { kind: 'staged', baseOffset }
}

/** Adds a transaction marker's control batch. `repeated`: nothing to do, answer success when the group is committed. */
export function stageMarker(
  state: PartitionState,
  group: Group,
  marker: Marker,
  controlBatch: () => Uint8Array,
  leaderEpoch: number,
): Staged | { readonly kind: 'repeated' } {
  const { producerId, committed } = marker
  const before = producerIn(state, group, producerId)
  const verdict = judgeMarker(before, marker)
  if (verdict.kind !== 'accepted') return verdict
  const baseOffset = group.nextOffset
  push(group, controlBatch(), leaderEpoch)
  group.producers.set(producerId, verdict.next)
  if (verdict.endsTransaction) {
    const firstOffset = before!.currentTxnFirstOffset
    transactionEnded(state.ongoing, group.transactions, { producerId, offset: baseOffset, committed, firstOffset })
  }
  return { kind: 'staged', baseOffset }
}

/** What the group alone does not say of its append. */
export interface AppendCircumstances {
  /** Wall clock, ms. */
  readonly now: number
  readonly logStartOffset: number
  /** From {@link producersToForget}. */
  readonly forgotten: readonly number[]
}

/** The group as the log takes it. */
export function appendGroupOf(
  state: PartitionState,
  group: Group,
  { now, logStartOffset, forgotten }: AppendCircumstances,
): AppendGroup {
  const { batches, nextOffset, producers, transactions } = group
  const { started, ended, aborted } = transactions
  const undecided = started.size > 0 || ended.size > 0 || state.ongoing.size > 0
  const stable = undecided ? lastStableOffset(nextOffset, oldestUndecided(state.ongoing, transactions)) : nextOffset
  return {
    batches,
    producers: producers.size === 0 ? undefined : [...producers.values()],
    expiredProducers: forgotten,
    aborted: aborted.length === 0 ? undefined : aborted,
    highWatermark: nextOffset,
    // Retention may have passed the beginning of an open transaction: the LSO went along with the log start, and never goes back.
    lastStableOffset: Math.max(stable, logStartOffset),
    isDerived: true,
    now,
  }
}

/**
 * Producers to forget so that no more than `max` are known after the group: those that were silent longest, never one with an open
 * transaction or one that the group changes. Kafka has only the expiry by time; a bound keeps a flood of new ids from eating the broker.
 */
export function producersToForget(state: PartitionState, group: Group, max: number): readonly number[] {
  if (group.producers.size === 0 || state.producers.size + group.producers.size <= max) return NOBODY
  const forgotten: number[] = []
  let excess = state.producers.size - max
  for (const producerId of group.producers.keys()) if (!state.producers.has(producerId)) excess++
  for (const [producerId, known] of state.producers) {
    if (forgotten.length >= excess) break
    if (known.state.currentTxnFirstOffset < 0 && !group.producers.has(producerId)) forgotten.push(producerId)
  }
  return forgotten
}

const NOBODY: readonly number[] = []

/** Makes a committed group true. */
export function applyGroup(state: PartitionState, group: Group, now: number): void {
  state.logEndOffset = group.nextOffset
  state.position = group.position
  for (const [producerId, next] of group.producers) {
    state.producers.delete(producerId)
    state.producers.set(producerId, { state: next, lastAppendMs: now })
    state.verifications.delete(producerId)
  }
  applyTransactionChanges(state.ongoing, group.transactions)
}

function judgeProducer(
  state: PartitionState,
  group: Group,
  records: Uint8Array,
  { origin, verificationEnabled, verification: shown }: StageCircumstances,
): Staged | undefined {
  const producerId = batch.producerId(records, 0)
  const firstOffset = group.nextOffset
  // A guard is void once the producer's state has changed, also by this very group (KIP-890).
  const verification = group.producers.has(producerId) ? undefined : state.verifications.get(producerId)
  const before = producerIn(state, group, producerId)
  const verdict = judgeBatch(
    before,
    {
      producerId,
      producerEpoch: batch.producerEpoch(records, 0),
      baseSequence: batch.baseSequence(records, 0),
      lastSequence: batch.lastSequence(records, 0),
      baseOffset: firstOffset,
      lastOffset: firstOffset + batch.lastOffsetDelta(records, 0),
      maxTimestamp: batch.maxTimestamp(records, 0),
      transactional: batch.isTransactional(records, 0),
    },
    {
      origin,
      verification,
      verified: !verificationEnabled || isVerified(verification, shown),
      added: shown === 'added',
    },
  )
  if (verdict.kind === 'refused') return verdict
  if (verdict.kind === 'duplicate') {
    const { firstOffset: baseOffset, timestamp } = verdict.batch
    return { kind: 'duplicate', baseOffset, timestamp, pending: baseOffset >= state.logEndOffset }
  }
  group.producers.set(producerId, verdict.next)
  if (verdict.startsTransaction) {
    transactionStarted(group.transactions, { producerId, firstOffset, position: group.position })
  }
  return undefined
}

function push(group: Group, bytes: Uint8Array, leaderEpoch: number): void {
  const baseOffset = group.nextOffset
  batch.setBaseOffset(bytes, 0, baseOffset)
  batch.setPartitionLeaderEpoch(bytes, 0, leaderEpoch)
  const lastOffset = baseOffset + batch.lastOffsetDelta(bytes, 0)
  group.batches.push({
    bytes,
    baseOffset,
    lastOffset,
    maxTimestamp: batch.maxTimestamp(bytes, 0),
    partitionLeaderEpoch: leaderEpoch,
  })
  group.nextOffset = lastOffset + 1
  group.position += bytes.length
}

/** No batch has a producer id: then several may come at once, because none can be refused after another was taken. */
function isAnonymous(records: Uint8Array): boolean {
  for (let at = 0; at < records.length; at += batch.batchSizeInBytes(records, at)) {
    if (batch.hasProducerId(records, at)) return false
  }
  return true
}

function severalBatches(): Staged {
  return { kind: 'refused', error: 'INVALID_RECORD', message: 'a batch with a producer id comes alone' }
}
