// The life of one transactional id at its coordinator: which request may do what when, what is logged before it counts, and when markers
// are owed. The names are Kafka's (Java: `TransactionState`). `transaction-steps.ts` makes a table of this graph, the shard decides by
// that table; nothing here knows records, partitions or replies.
//
//   Dead ──producer.init──► Empty ──partitions.add──► Ongoing ──end.commit──► PrepareCommit ──markers.written──► CompleteCommit
//    ▲                        ▲                        │ │  ▲                                                       │
//    │                        └──producer.init── (any  │ │  └──partitions.add── (Empty, CompleteCommit, CompleteAbort)
//    │                                        settled) │ └──end.abort──► PrepareAbort ──markers.written──► CompleteAbort
//    └──id.expired── (any settled)                     │                    ▲
//                          producer.init, timeout.passed                    │
//                                                      └► PrepareEpochFence ┘
//
// A state is entered when its record is decided and left behind in `logging` until the log has the record. What others can see of a
// state, its answer and its markers, belongs to the substate after `logging` and so cannot come before the record is safe. Decisions
// do not wait for `logging`: the shard runtime decides on top of what is in flight and takes everything back together if the log refuses.
//
// What is true in each state (`assertTransactionInvariants` checks the same list):
// - Dead: nobody uses the id: there is no record of it, or a tombstone. No producer id.
// - Empty: a producer has its id and epoch, and has begun nothing. No partitions.
// - Ongoing: the transaction has partitions, a start time, and will be ended by its producer, by its timeout or by its successor.
// - PrepareEpochFence: a successor or the timeout ends an open transaction; the abort under a raised epoch is on its way to the log. Never stored.
// - PrepareCommit, PrepareAbort: decided. The decision can no longer change, every partition is owed a marker, and whoever wants to
//   begin something waits. An abort without partitions owes none.
// - CompleteCommit, CompleteAbort: all markers are written. No partitions; the next transaction may begin.
import { effect } from '@odradek/shared/actor/machine-runner'
import { assert } from '@odradek/shared/base/assert'
import { setup } from 'xstate'

export type TransactionEvent =
  /** InitProducerId by whoever may have the id. */
  | { readonly type: 'producer.init' }
  /** AddPartitionsToTxn or AddOffsetsToTxn of the current producer, or its first produce or offset commit to a partition (KIP-890). */
  | { readonly type: 'partitions.add' }
  /** Asked by a leader's door: are these partitions in the transaction? (KIP-890) */
  | { readonly type: 'partitions.verify' }
  /** EndTxn of the current producer and epoch. */
  | { readonly type: 'end.commit' }
  | { readonly type: 'end.abort' }
  /** The same EndTxn again: its reply was lost. */
  | { readonly type: 'end.commit.again' }
  | { readonly type: 'end.abort.again' }
  /** The transaction is open longer than its `transaction.timeout.ms`. */
  | { readonly type: 'timeout.passed' }
  /** The state's record is committed. */
  | { readonly type: 'record.logged' }
  /** Every partition of the transaction has its marker. */
  | { readonly type: 'markers.written' }
  /** Nobody used the id for `transactional.id.expiration.ms`. */
  | { readonly type: 'id.expired' }
  /** The coordinator has read its log and found this state. */
  | { readonly type: 'recovered' }

/** Who wants to begin something while a transaction is being ended waits for that (DESIGN 1.10). */
const waitForTheEnd = {
  'producer.init': { actions: 'park' },
  'partitions.add': { actions: 'park' },
  'partitions.verify': { actions: 'park' },
} as const

/** What may follow when nothing is open and nothing is owed. */
const beginAnew = {
  'producer.init': '#transaction.Empty',
  'partitions.add': '#transaction.Ongoing',
  'partitions.verify': { actions: 'answer' },
  // transaction.version 2: an abort of nothing still raises the epoch, so that what was sent under the old one is fenced.
  'end.abort': '#transaction.PrepareAbort',
  'end.commit': { actions: 'refuseEnd' },
  'id.expired': '#transaction.Dead.logging',
} as const

export const transactionMachine = setup({
  types: {} as { events: TransactionEvent },
  actions: {
    /** Appends the record of the state that is entered; a tombstone for Dead. */
    append: effect(),
    /** Sends what each partition of the transaction is owed. */
    sendMarkers: effect(),
    /** The request waits until the transaction has ended, then is judged anew. */
    park: effect(),
    /** Answers from what is known. */
    answer: effect(),
    /** Answers INVALID_TXN_STATE: it asks for what was not decided, or for the end of nothing. */
    refuseEnd: effect(),
    /** Lets those go on who waited for the end. */
    wake: effect(),
    refuse: effect(),
  },
}).createMachine({
  id: 'transaction',
  initial: 'Dead',
  on: { '*': { actions: 'refuse' } },
  states: {
    Dead: {
      initial: 'forgotten',
      states: {
        logging: { entry: 'append', on: { 'record.logged': 'forgotten' } },
        forgotten: { on: { 'producer.init': '#transaction.Empty' } },
      },
    },
    Empty: {
      initial: 'logging',
      states: {
        logging: { entry: 'append', on: { 'record.logged': 'settled' } },
        settled: { entry: 'answer', on: beginAnew },
      },
    },
    Ongoing: {
      initial: 'logging',
      states: {
        logging: { entry: 'append', on: { 'record.logged': 'open' } },
        open: {
          entry: 'answer',
          on: {
            'partitions.add': '#transaction.Ongoing',
            'partitions.verify': { actions: 'answer' },
            'end.commit': '#transaction.PrepareCommit',
            'end.abort': '#transaction.PrepareAbort',
            'producer.init': { target: '#transaction.PrepareEpochFence', actions: 'park' },
            'timeout.passed': '#transaction.PrepareEpochFence',
          },
        },
      },
    },
    PrepareEpochFence: {
      entry: 'append',
      on: { 'record.logged': 'PrepareAbort.markersOwed' },
    },
    PrepareCommit: {
      initial: 'logging',
      states: {
        logging: { entry: 'append', on: { 'record.logged': 'markersOwed' } },
        markersOwed: {
          entry: 'sendMarkers',
          on: {
            ...waitForTheEnd,
            'end.commit.again': { actions: 'park' },
            'end.abort.again': { actions: 'refuseEnd' },
            'markers.written': '#transaction.CompleteCommit',
            recovered: { target: 'markersOwed', reenter: true },
          },
        },
      },
    },
    PrepareAbort: {
      initial: 'logging',
      states: {
        logging: { entry: 'append', on: { 'record.logged': 'markersOwed' } },
        markersOwed: {
          entry: 'sendMarkers',
          on: {
            ...waitForTheEnd,
            'end.abort.again': { actions: 'park' },
            'end.commit.again': { actions: 'refuseEnd' },
            'markers.written': '#transaction.CompleteAbort',
            recovered: { target: 'markersOwed', reenter: true },
          },
        },
      },
    },
    CompleteCommit: {
      initial: 'logging',
      states: {
        logging: { entry: 'append', on: { 'record.logged': 'settled' } },
        settled: {
          entry: ['answer', 'wake'],
          on: {
            ...beginAnew,
            'end.commit.again': { actions: 'answer' },
            'end.abort.again': { actions: 'refuseEnd' },
          },
        },
      },
    },
    CompleteAbort: {
      initial: 'logging',
      states: {
        logging: { entry: 'append', on: { 'record.logged': 'settled' } },
        settled: {
          entry: ['answer', 'wake'],
          on: {
            ...beginAnew,
            'end.abort.again': { actions: 'answer' },
            'end.commit.again': { actions: 'refuseEnd' },
          },
        },
      },
    },
  },
})

/** Kafka's states, as they are stored and shown. */
export type TransactionStatus =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'
  | 'Dead'
  | 'PrepareEpochFence'

/** What the invariants speak of. */
export interface TransactionFacts {
  readonly producerId: number
  /** Partitions that are in the transaction. */
  readonly partitions: number
  /** Milliseconds since 1970; -1: nothing was begun. */
  readonly startMs: number
  /** Marker orders under way for the transaction. */
  readonly markerOrders: number
}

/** Throws an AssertionError unless what the header says of `status` holds; for a transaction whose last record is committed. */
export function assertTransactionInvariants(status: TransactionStatus, facts: TransactionFacts): void {
  const { producerId, partitions, startMs, markerOrders } = facts
  assert(status !== 'PrepareEpochFence', 'PrepareEpochFence is never stored')
  if (status === 'Dead') assert(producerId === -1, 'Dead: no producer id')
  else assert(producerId >= 0, `${status}: a producer id`)
  if (status === 'Ongoing' || status === 'PrepareCommit') {
    assert(partitions > 0, `${status}: partitions`)
    assert(startMs >= 0, `${status}: a start time`)
  } else if (status !== 'PrepareAbort') assert(partitions === 0, `${status}: no partitions`)
  const owes = status === 'PrepareCommit' || status === 'PrepareAbort'
  assert(markerOrders === (owes ? 1 : 0), `${status}: ${markerOrders} marker orders`)
}
