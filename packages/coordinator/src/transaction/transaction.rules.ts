// What a request means to a transaction as it stands: which event it is to the machine, or why it is refused; and what the transaction
// becomes by it. Kafka's rules (Java: TransactionCoordinator, TransactionMetadata; KIP-98, KIP-360, KIP-890), pure.
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import {
  fencingEpoch,
  initialisedProducer,
  isEpochExhausted,
  isRepeatedEnd,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type ProducerIdAndEpoch,
} from './producer-ids.rules.ts'
import { missingFrom, type TopicPartitions, union } from './topic-partitions.rules.ts'
import type { TransactionEvent, TransactionStatus } from './transaction.machine.ts'
import type { TransactionMetadata } from './transaction.records.ts'

/** A transactional id as the coordinator holds it. */
export interface Transaction {
  readonly metadata: TransactionMetadata
  /** See `CurrentProducer`; gone after a restart, as in Kafka. */
  readonly lastProducerEpoch: number
}

/** What a transaction becomes when the machine moves it. */
export interface Change {
  /** The metadata of the state that is entered. */
  readonly metadata: (status: TransactionStatus, now: number) => TransactionMetadata
  readonly lastProducerEpoch?: number
}

export type Verdict =
  | { readonly kind: 'refused'; readonly errorCode: number }
  /** To be asked again with a producer id that nobody has. */
  | { readonly kind: 'wantsFresh' }
  /** Known already; nothing is to be written. */
  | { readonly kind: 'done' }
  | { readonly kind: 'event'; readonly event: TransactionEvent['type']; readonly change: Change }

export interface InitProducerIdAsked {
  readonly transactionalId: string
  readonly timeoutMs: number
  readonly expected: ProducerIdAndEpoch | null
  /** -1: none at hand. */
  readonly freshProducerId: number
}

/** InitProducerId: fences whoever had the id, ends what that left open, and hands out the next epoch. */
export function judgeInitProducerId(transaction: Transaction | undefined, asked: InitProducerIdAsked): Verdict {
  const { transactionalId, timeoutMs, expected, freshProducerId } = asked
  const current = transaction && { ...transaction.metadata, lastProducerEpoch: transaction.lastProducerEpoch }
  if (current?.status === 'Ongoing') {
    // Stricter than Kafka: who is fenced already cannot abort what its successor has begun.
    if (expected !== null && !isCurrent(current, expected)) return refused('PRODUCER_FENCED')
    return fence(current, expected?.producerEpoch ?? NO_PRODUCER_EPOCH)
  }
  if (current !== undefined && isDecided(current.status))
    return { kind: 'event', event: 'producer.init', change: UNCHANGEABLE }
  const next = initialisedProducer(current, expected, freshProducerId)
  if (next.kind === 'wantsFresh') return next
  if (next.kind === 'fenced') return refused('PRODUCER_FENCED')
  const { producerId, producerEpoch, previousProducerId, lastProducerEpoch } = next.producer
  return {
    kind: 'event',
    event: 'producer.init',
    change: {
      metadata: (status, updatedMs) => ({
        transactionalId,
        status,
        producerId,
        producerEpoch,
        previousProducerId,
        nextProducerId: NO_PRODUCER_ID,
        timeoutMs,
        partitions: [],
        startMs: -1,
        updatedMs,
        clientTransactionVersion: current?.clientTransactionVersion ?? 0,
      }),
      lastProducerEpoch,
    },
  }
}

export interface PartitionsAsked extends ProducerIdAndEpoch {
  readonly partitions: readonly TopicPartitions[]
  /** What the client speaks: 2 when its produce requests add partitions by themselves. */
  readonly clientTransactionVersion: number
}

/** AddPartitionsToTxn, AddOffsetsToTxn, and the implicit adds of transaction.version 2. */
export function judgeAddPartitions(transaction: Transaction | undefined, asked: PartitionsAsked): Verdict {
  const stranger = strangerOf(transaction, asked)
  if (stranger !== null) return stranger
  const { metadata } = transaction!
  if (metadata.status === 'Ongoing' && missingFrom(metadata.partitions, asked.partitions).length === 0)
    return { kind: 'done' }
  return {
    kind: 'event',
    event: 'partitions.add',
    change: {
      metadata: (status, now) => {
        const next = copyOf(metadata, status, now)
        next.partitions = union(metadata.partitions, asked.partitions)
        next.startMs = metadata.status === 'Ongoing' ? metadata.startMs : now
        next.clientTransactionVersion = asked.clientTransactionVersion
        return next
      },
    },
  }
}

/** The question of a leader's door (KIP-890); which partitions are outside is the answer's business. */
export function judgeVerify(transaction: Transaction | undefined, asked: ProducerIdAndEpoch): Verdict {
  const stranger = strangerOf(transaction, asked)
  return stranger ?? { kind: 'event', event: 'partitions.verify', change: UNCHANGEABLE }
}

export interface EndTxnAsked extends ProducerIdAndEpoch {
  readonly committed: boolean
  /** 2: EndTxn 5 and above, every end raises the epoch. */
  readonly clientTransactionVersion: number
  /** -1: none at hand. */
  readonly freshProducerId: number
}

/** EndTxn of a client (PROMISES, Transactions). */
export function judgeEndTxn(transaction: Transaction | undefined, asked: EndTxnAsked): Verdict {
  if (transaction === undefined) return refused('INVALID_PRODUCER_ID_MAPPING')
  const relation =
    asked.clientTransactionVersion >= 2 ? relationOf(transaction, asked) : oldRelationOf(transaction, asked)
  if (typeof relation !== 'string') return relation
  const verb = asked.committed ? 'end.commit' : 'end.abort'
  if (relation === 'again') return { kind: 'event', event: `${verb}.again`, change: UNCHANGEABLE }
  const bumps = asked.clientTransactionVersion >= 2
  const { metadata } = transaction
  const exhausted = bumps && isEpochExhausted(metadata.producerEpoch)
  // Only what will be logged needs a new id: an end that the machine refuses must not wait for one.
  if (exhausted && asked.freshProducerId === NO_PRODUCER_ID && mayEnd(metadata.status, asked.committed))
    return { kind: 'wantsFresh' }
  return {
    kind: 'event',
    event: verb,
    change: {
      metadata: (status, now) => {
        const next = copyOf(metadata, status, now)
        next.producerEpoch = metadata.producerEpoch + (bumps ? 1 : 0)
        next.nextProducerId = exhausted ? asked.freshProducerId : NO_PRODUCER_ID
        next.startMs = metadata.status === 'Ongoing' ? metadata.startMs : now
        next.clientTransactionVersion = asked.clientTransactionVersion
        return next
      },
      lastProducerEpoch: bumps ? metadata.producerEpoch : transaction.lastProducerEpoch,
    },
  }
}

/** With transaction.version 2 anything but a commit of nothing is written. */
function mayEnd(status: TransactionStatus, committed: boolean): boolean {
  return status === 'Ongoing' || !committed
}

/** An EndTxn against the transaction: its own end, the repetition of one, or nobody's. */
function relationOf({ metadata }: Transaction, asked: EndTxnAsked): 'own' | 'again' | Verdict {
  const isComplete = metadata.status === 'CompleteCommit' || metadata.status === 'CompleteAbort'
  const isPrepared = isDecided(metadata.status)
  const repeated = (isComplete || isPrepared) && isRepeatedEnd(metadata, asked, isComplete)
  if (repeated) return 'again'
  if (asked.producerId !== metadata.producerId) return refused('INVALID_PRODUCER_ID_MAPPING')
  if (isPrepared || asked.producerEpoch !== metadata.producerEpoch) return refused('PRODUCER_FENCED')
  return 'own'
}

/** Before KIP-890 the epoch stays, so that a repetition and a second end look the same: what is ended already stays ended. */
function oldRelationOf({ metadata }: Transaction, asked: EndTxnAsked): 'own' | 'again' | Verdict {
  if (asked.producerId !== metadata.producerId) return refused('INVALID_PRODUCER_ID_MAPPING')
  if (asked.producerEpoch !== metadata.producerEpoch) return refused('PRODUCER_FENCED')
  if (metadata.status === 'Empty') return refused('INVALID_TXN_STATE')
  return metadata.status === 'Ongoing' ? 'own' : 'again'
}

/**
 * The timeout's abort, or null when the transaction is in time. It stands where the producer's own abort would: nobody has taken over, so who learns of it and
 * asks for an abort is answered as by a repetition, and goes on (KIP-588; Kafka 4.3 does the same).
 */
export function judgeTimeout({ metadata }: Transaction, now: number): Verdict | null {
  if (metadata.status !== 'Ongoing' || now - metadata.startMs < metadata.timeoutMs) return null
  return endWithout(metadata, { event: 'timeout.passed', producerEpoch: metadata.producerEpoch + 1 })
}

/** Whether the id may be forgotten (`transactional.id.expiration.ms`). */
export function isIdExpired({ metadata }: Transaction, now: number, expirationMs: number): boolean {
  const { status, updatedMs } = metadata
  const settled = status === 'Empty' || status === 'CompleteCommit' || status === 'CompleteAbort'
  return settled && now - updatedMs >= expirationMs
}

/** What all markers make of a decided transaction. */
export function completed(metadata: TransactionMetadata, status: TransactionStatus, now: number): TransactionMetadata {
  const done = copyOf(metadata, status, now)
  done.partitions = []
  if (metadata.nextProducerId === NO_PRODUCER_ID) return done
  done.producerId = metadata.nextProducerId
  done.producerEpoch = 0
  done.previousProducerId = metadata.producerId
  done.nextProducerId = NO_PRODUCER_ID
  return done
}

/** Who the producer is when a decided transaction has ended: what EndTxn 5 answers. */
export function producerAfter({ producerId, producerEpoch, nextProducerId }: TransactionMetadata): ProducerIdAndEpoch {
  return nextProducerId === NO_PRODUCER_ID
    ? { producerId, producerEpoch }
    : { producerId: nextProducerId, producerEpoch: 0 }
}

/** Aborts an open transaction against its producer, which a successor has replaced. */
function fence(metadata: TransactionMetadata, lastProducerEpoch: number): Verdict {
  return endWithout(metadata, {
    event: 'producer.init',
    producerEpoch: fencingEpoch(metadata.producerEpoch),
    lastProducerEpoch,
  })
}

/** Aborts an open transaction, under a higher epoch, without having been asked by its producer. */
function endWithout(
  metadata: TransactionMetadata,
  ending: {
    readonly event: 'producer.init' | 'timeout.passed'
    readonly producerEpoch: number
    readonly lastProducerEpoch?: number
  },
): Verdict {
  const { event, producerEpoch, lastProducerEpoch = NO_PRODUCER_EPOCH } = ending
  return {
    kind: 'event',
    event,
    change: {
      metadata: (status, now) => {
        const next = copyOf(metadata, status, now)
        next.producerEpoch = producerEpoch
        next.nextProducerId = NO_PRODUCER_ID
        next.clientTransactionVersion = 2
        return next
      },
      lastProducerEpoch,
    },
  }
}

/** To be changed further. Not `{ ...metadata, status }`: a literal that says a field again after a spread is a call of V8's runtime (decision 0043). */
function copyOf(
  metadata: TransactionMetadata,
  status: TransactionStatus,
  updatedMs: number,
): { -readonly [Field in keyof TransactionMetadata]: TransactionMetadata[Field] } {
  return {
    transactionalId: metadata.transactionalId,
    status,
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    previousProducerId: metadata.previousProducerId,
    nextProducerId: metadata.nextProducerId,
    timeoutMs: metadata.timeoutMs,
    partitions: metadata.partitions,
    startMs: metadata.startMs,
    updatedMs,
    clientTransactionVersion: metadata.clientTransactionVersion,
  }
}

/** Why somebody may not speak for the transaction's producer; null: it may. */
function strangerOf(transaction: Transaction | undefined, asked: ProducerIdAndEpoch): Verdict | null {
  if (transaction === undefined) return refused('INVALID_PRODUCER_ID_MAPPING')
  const { producerId, producerEpoch } = nameableProducer(transaction.metadata, asked)
  if (asked.producerId !== producerId) return refused('INVALID_PRODUCER_ID_MAPPING')
  return asked.producerEpoch === producerEpoch ? null : refused('PRODUCER_FENCED')
}

/** While the epoch runs over, the client may know its new id before the transaction has ended. */
function nameableProducer(metadata: TransactionMetadata, asked: ProducerIdAndEpoch): ProducerIdAndEpoch {
  return asked.producerId === metadata.nextProducerId ? producerAfter(metadata) : metadata
}

/** Decided, and its markers are owed. */
export function isDecided(status: TransactionStatus): boolean {
  return status === 'PrepareCommit' || status === 'PrepareAbort'
}

function isCurrent(current: ProducerIdAndEpoch, { producerId, producerEpoch }: ProducerIdAndEpoch): boolean {
  return current.producerId === producerId && current.producerEpoch === producerEpoch
}

function refused(error: ErrorName): Verdict & { readonly kind: 'refused' } {
  return { kind: 'refused', errorCode: errors[error].code }
}

const UNCHANGEABLE: Change = {
  metadata: () => {
    throw new Error('the machine moved a transaction by a question')
  },
}
