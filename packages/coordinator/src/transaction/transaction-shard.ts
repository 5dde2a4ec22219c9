// The transaction coordinator as a shard: the rules say which event a request is, the machine's table says what the event does, and the
// decision is written from both: a step into a state appends its record, the step that `record.logged` makes from there is what may be
// seen once the record is committed. Run by `transaction-coordinator.actor.ts`.
import { assert } from '@odradek/shared/base/assert'
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '@odradek/shared/protocol/messages/65-describe-transactions'
import type {
  ListTransactionsRequest,
  ListTransactionsResponse,
} from '@odradek/shared/protocol/messages/66-list-transactions'
import type { Effect } from '../runtime/effects.ts'
import type { Refusal } from '../runtime/refusal.rules.ts'
import { type Decision, defineShard, type ShardDefinition, type WriteHandler } from '../runtime/shard.ts'
import { describeTransactions, listTransactions } from './describe-transactions.rules.ts'
import type { ProducerIdAndEpoch } from './producer-ids.rules.ts'
import { missingFrom, type TopicPartitions } from './topic-partitions.rules.ts'
import type { TransactionEvent } from './transaction.machine.ts'
import {
  decodeTransactionRecord,
  encodeTransactionRecord,
  type TransactionMetadata,
  type TransactionRecord,
} from './transaction.records.ts'
import {
  completed,
  type EndTxnAsked,
  type InitProducerIdAsked,
  isDecided,
  isIdExpired,
  judgeAddPartitions,
  judgeEndTxn,
  judgeInitProducerId,
  judgeTimeout,
  judgeVerify,
  type PartitionsAsked,
  producerAfter,
  type Transaction,
  type Verdict,
} from './transaction.rules.ts'
import type { TransactionSettings } from './transaction-settings.ts'
import {
  knownStepOf,
  loggedMoveOf,
  restingState,
  type Step,
  stepOf,
  type TransactionState,
} from './transaction-steps.ts'

/** What partitions of an ended transaction are owed. */
export interface MarkerOrder extends ProducerIdAndEpoch {
  readonly transactionalId: string
  readonly committed: boolean
  readonly partitions: readonly TopicPartitions[]
  /** 2: the epoch was raised for this end, so an equal epoch at a leader is a repetition. */
  readonly transactionVersion: number
}

export type TransactionReply =
  /** Done and logged. */
  | ({ readonly kind: 'done' } & ProducerIdAndEpoch)
  /** Decided and logged; markers are owed. The producer is what it will be afterwards. */
  | ({ readonly kind: 'ending' } & ProducerIdAndEpoch)
  /** It meets a transaction that is being ended: ask again when that is over. */
  | { readonly kind: 'parked' }
  /** Ask again with a producer id that nobody has. */
  | { readonly kind: 'wantsFresh' }
  | { readonly kind: 'verified'; readonly missing: readonly TopicPartitions[] }
  | { readonly kind: 'refused'; readonly errorCode: number }

/** A move of a transaction, told when it is committed. */
export interface TransactionMoved {
  readonly transactionalId: string
  readonly event: TransactionEvent['type']
  readonly from: TransactionState
  /** Into the state whose record was written. */
  readonly step: Step
  /** What came with the record's commit. */
  readonly logged: Step
}
type MovedNotice = { readonly kind: 'moved' } & TransactionMoved
export type TransactionNotice = MovedNotice | { readonly kind: 'loaded' }

type Named<Asked> = Asked & { readonly transactionalId: string }
type Word<Request, Reply> = { readonly request: Request; readonly reply: Reply }
type Shown<Response> = { readonly response: Response } | { readonly refused: Refusal }

export type TransactionShard = {
  /** By transactional id. */
  state: Map<string, Transaction>
  record: TransactionRecord
  soft: { readonly transactionalId: string; readonly lastProducerEpoch: number }
  notice: TransactionNotice
  markers: MarkerOrder
  words: {
    initProducerId: Word<InitProducerIdAsked, TransactionReply>
    addPartitions: Word<Named<PartitionsAsked>, TransactionReply>
    verifyPartitions: Word<Named<PartitionsAsked>, TransactionReply>
    endTxn: Word<Named<EndTxnAsked>, TransactionReply>
    markersWritten: Word<Named<ProducerIdAndEpoch>, TransactionReply>
    sweepTimeouts: Word<Record<string, never>, TransactionReply>
    sweepExpired: Word<Record<string, never>, TransactionReply>
    describe: Word<DescribeTransactionsRequest, Shown<DescribeTransactionsResponse>>
    list: Word<ListTransactionsRequest, Shown<ListTransactionsResponse>>
  }
}

type TransactionDecision = Decision<TransactionShard, TransactionReply>
type Asked = { readonly transactionalId: string }

/** Transactions that one sweep changes at once, so that its records fit one batch and others get their turn. */
const SWEEP_MAX = 100
const SWEPT: TransactionReply = { kind: 'done', producerId: -1, producerEpoch: -1 }

/** The transaction shard of a broker. */
export function transactionShard(settings: TransactionSettings): ShardDefinition<TransactionShard> {
  return defineShard<TransactionShard>({
    name: 'transaction',
    initial: () => new Map(),
    replay,
    applySoft(transactions, { transactionalId, lastProducerEpoch }) {
      const transaction = transactions.get(transactionalId)
      assert(transaction !== undefined, 'what is remembered of a producer follows its record')
      transactions.set(transactionalId, { ...transaction, lastProducerEpoch })
    },
    encodeRecord: encodeTransactionRecord,
    decodeRecord: decodeTransactionRecord,
    onLoaded: transactions => ({
      effects: [
        ...owedMarkers(transactions),
        sweepLater('sweepTimeouts', settings.timeoutSweepMs),
        sweepLater('sweepExpired', settings.expirationSweepMs),
        { kind: 'notify', notice: { kind: 'loaded' } },
      ],
    }),
    handlers: {
      initProducerId: write(judgeInitProducerId),
      addPartitions: write<Named<PartitionsAsked>>(judgeAddPartitions),
      verifyPartitions: write<Named<PartitionsAsked>>(judgeVerify, ({ metadata }, { partitions }) => ({
        kind: 'verified',
        missing: missingFrom(metadata.partitions, partitions),
      })),
      endTxn: write<Named<EndTxnAsked>>(judgeEndTxn),
      markersWritten: { kind: 'write', decide: (state, request, { now }) => complete(state, request, now), refuse },
      sweepTimeouts: { kind: 'write', decide: (state, _, { now }) => sweepTimeouts(state, settings, now), refuse },
      sweepExpired: { kind: 'write', decide: (state, _, { now }) => sweepExpired(state, settings, now), refuse },
      describe: {
        kind: 'read',
        read: (transactions, request) => ({ response: describeTransactions(transactions, request) }),
        refuse: (_, refused) => ({ refused }),
      },
      list: {
        kind: 'read',
        read: (transactions, request, { now }) => ({ response: listTransactions(transactions, request, now) }),
        refuse: (_, refused) => ({ refused }),
      },
    },
  })
}

function replay(transactions: Map<string, Transaction>, { transactionalId, metadata }: TransactionRecord): void {
  if (metadata === null) transactions.delete(transactionalId)
  else {
    const lastProducerEpoch = transactions.get(transactionalId)?.lastProducerEpoch ?? -1
    transactions.set(transactionalId, { metadata, lastProducerEpoch })
  }
}

function refuse(_request: unknown, { errorCode }: Refusal): TransactionReply {
  return { kind: 'refused', errorCode }
}

/** The handler of a word that concerns one transaction: judged by a rule, moved by the machine. */
function write<A extends Asked>(
  judge: (transaction: Transaction | undefined, asked: A) => Verdict,
  answer = (transaction: Transaction, _asked: A): TransactionReply => doneAs(transaction.metadata),
): WriteHandler<TransactionShard, A, TransactionReply> {
  return {
    kind: 'write',
    decide(transactions, asked, { now }) {
      const transaction = transactions.get(asked.transactionalId)
      const verdict = judge(transaction, asked)
      switch (verdict.kind) {
        case 'refused':
        case 'wantsFresh':
          return { reply: verdict }
        case 'done':
          return { reply: doneAs(transaction!.metadata) }
        case 'event':
          return decided(asked.transactionalId, transaction, verdict, now, () => answer(transaction!, asked))
      }
    },
    refuse,
  }
}

function doneAs({ producerId, producerEpoch }: ProducerIdAndEpoch): TransactionReply {
  return { kind: 'done', producerId, producerEpoch }
}

/** Writes the decision from the machine's steps. */
function decided(
  transactionalId: string,
  transaction: Transaction | undefined,
  { event, change }: Verdict & { kind: 'event' },
  now: number,
  answer: () => TransactionReply,
): TransactionDecision {
  const from = restingState(transaction?.metadata.status ?? 'Dead')
  const step = knownStepOf(from, event)
  if (!step.effects.includes('append')) return { reply: unmovedReply(step, answer) }
  const { logged, status } = loggedMoveOf(step)
  const metadata = change.metadata(status, now)
  const { lastProducerEpoch } = change
  return {
    records: [{ transactionalId, metadata }],
    soft: lastProducerEpoch === undefined ? [] : [{ transactionalId, lastProducerEpoch }],
    reply: movedReply(step, logged, metadata),
    effects: effectsOf({ kind: 'moved', transactionalId, event, from, step, logged }, metadata),
    // A load that does not find that all is written pays the markers again, which changes nothing: it can go with the next transaction's beginning.
    isPatient: event === 'markers.written',
  }
}

function unmovedReply({ effects }: Step, answer: () => TransactionReply): TransactionReply {
  if (effects.includes('park')) return { kind: 'parked' }
  if (effects.includes('refuseEnd')) return { kind: 'refused', errorCode: errors.INVALID_TXN_STATE.code }
  assert(effects.includes('answer'), 'what is not written is parked, refused or answered')
  return answer()
}

function movedReply(step: Step, logged: Step, metadata: TransactionMetadata): TransactionReply {
  if (step.effects.includes('park')) return { kind: 'parked' }
  if (!logged.effects.includes('sendMarkers')) return doneAs(metadata)
  const { producerId, producerEpoch } = producerAfter(metadata)
  return { kind: 'ending', producerId, producerEpoch }
}

function effectsOf(notice: MovedNotice, metadata: TransactionMetadata): Effect<TransactionShard>[] {
  const told: Effect<TransactionShard> = { kind: 'notify', notice }
  return notice.logged.effects.includes('sendMarkers')
    ? [told, { kind: 'writeMarkers', markers: orderOf(metadata) }]
    : [told]
}

function orderOf(metadata: TransactionMetadata): MarkerOrder {
  const { transactionalId, status, producerId, producerEpoch, partitions, clientTransactionVersion } = metadata
  const committed = status === 'PrepareCommit'
  const transactionVersion = clientTransactionVersion >= 2 ? 2 : 1
  return { transactionalId, producerId, producerEpoch, committed, partitions, transactionVersion }
}

/** After a load, what is decided and not complete is owed its markers: some may have been written, and are repeated without harm. */
function owedMarkers(transactions: ReadonlyMap<string, Transaction>): Effect<TransactionShard>[] {
  const effects: Effect<TransactionShard>[] = []
  for (const { metadata } of transactions.values()) {
    if (!isDecided(metadata.status)) continue
    const step = stepOf(restingState(metadata.status), 'recovered')
    assert(step.effects.includes('sendMarkers'), 'a decided transaction is recovered by its markers')
    effects.push({ kind: 'writeMarkers', markers: orderOf(metadata) })
  }
  return effects
}

/** All markers are written. What speaks of another end than the one that is owed came late: it changes nothing. */
function complete(
  transactions: ReadonlyMap<string, Transaction>,
  { transactionalId, producerId, producerEpoch }: Named<ProducerIdAndEpoch>,
  now: number,
): TransactionDecision {
  const transaction = transactions.get(transactionalId)
  if (transaction === undefined || !isDecided(transaction.metadata.status)) return { reply: { kind: 'parked' } }
  const { metadata } = transaction
  if (metadata.producerId !== producerId || metadata.producerEpoch !== producerEpoch)
    return { reply: { kind: 'parked' } }
  const change = { metadata: (status: TransactionMetadata['status']) => completed(metadata, status, now) }
  const verdict = { kind: 'event', event: 'markers.written', change } as const
  return decided(transactionalId, transaction, verdict, now, () => SWEPT)
}

/** Ends what is open for too long; comes again after its interval, or at once when there is more. */
function sweepTimeouts(
  transactions: ReadonlyMap<string, Transaction>,
  { timeoutSweepMs }: TransactionSettings,
  now: number,
): TransactionDecision {
  const decisions: TransactionDecision[] = []
  for (const transaction of transactions.values()) {
    const verdict = judgeTimeout(transaction, now)
    if (verdict?.kind !== 'event') continue
    decisions.push(decided(transaction.metadata.transactionalId, transaction, verdict, now, () => SWEPT))
    if (decisions.length === SWEEP_MAX) break
  }
  return swept(decisions, 'sweepTimeouts', timeoutSweepMs)
}

/** Forgets ids that nobody used for long. */
function sweepExpired(
  transactions: ReadonlyMap<string, Transaction>,
  { expirationSweepMs, idExpirationMs }: TransactionSettings,
  now: number,
): TransactionDecision {
  const decisions: TransactionDecision[] = []
  for (const transaction of transactions.values()) {
    if (!isIdExpired(transaction, now, idExpirationMs)) continue
    const { transactionalId, status } = transaction.metadata
    const from = restingState(status)
    const step = knownStepOf(from, 'id.expired')
    const { logged } = loggedMoveOf(step)
    const notice = { kind: 'moved', transactionalId, event: 'id.expired', from, step, logged } as const
    decisions.push({ records: [{ transactionalId, metadata: null }], effects: [{ kind: 'notify', notice }] })
    if (decisions.length === SWEEP_MAX) break
  }
  return swept(decisions, 'sweepExpired', expirationSweepMs)
}

type Sweep = 'sweepTimeouts' | 'sweepExpired'

function swept(decisions: readonly TransactionDecision[], name: Sweep, intervalMs: number): TransactionDecision {
  const again = sweepLater(name, decisions.length === SWEEP_MAX ? 0 : intervalMs)
  return {
    records: decisions.flatMap(({ records = [] }) => records),
    soft: decisions.flatMap(({ soft = [] }) => soft),
    effects: [again, ...decisions.flatMap(({ effects = [] }) => effects)],
    reply: SWEPT,
  }
}

function sweepLater(name: Sweep, delayMs: number): Effect<TransactionShard> {
  return { kind: 'armTimer', key: name, delayMs, name, request: {} }
}
