// The states of a transactional producer, Kafka's names (`TransactionManager.State`). Run by transaction-manager in the sender's thread, by its table.
//
//   Uninitialized -> Initializing -> Ready -> InTransaction -> CommittingTransaction -> Ready
//                                                  |    '----> AbortingTransaction ---> Ready
//                                                  v                 ^
//                                           AbortableError ----------'
//   any --- transaction.fatal ---> FatalError
//
// Uninitialized: no producer id; nothing but `init` is possible.
// Initializing: InitProducerId is under way: earlier producers with this transactional id are being fenced.
// Ready: an id and an epoch, no transaction. InTransaction: batches and offsets may go out.
// CommittingTransaction, AbortingTransaction: what was taken before is settled first, then EndTxn ends the transaction.
// AbortableError: something of the transaction failed; only an abort leads on. FatalError: this producer is of no use any more.
import { effect } from '@odradek/shared/actor/machine-runner'
import type { ErrorData } from '@odradek/shared/base/errors'
import { setup } from 'xstate'
import type { ProducerIdentity } from './sequences.rules.ts'

export type ProducerTransactionEvent =
  | { readonly type: 'transactions.init' }
  | { readonly type: 'init.succeeded'; readonly identity: ProducerIdentity }
  /** It can be tried again. */
  | { readonly type: 'init.failed' }
  | { readonly type: 'transaction.begin' }
  | { readonly type: 'transaction.commit' }
  | { readonly type: 'transaction.abort' }
  /** EndTxn succeeded; under which identity to go on. */
  | { readonly type: 'transaction.ended'; readonly identity: ProducerIdentity }
  | { readonly type: 'transaction.failed'; readonly error: ErrorData }
  | { readonly type: 'transaction.fatal'; readonly error: ErrorData }

const abortable = { target: 'AbortableError', actions: 'keepError' } as const
const ended = { target: 'Ready', actions: 'useIdentity' } as const

export const producerTransactionMachine = setup({
  types: {} as { events: ProducerTransactionEvent },
  actions: {
    /** Answer `init.succeeded`, `init.failed` or `transaction.fatal`. */
    initProducerId: effect(),
    /** Go on as whom the event names; what went wrong before is over. */
    useIdentity: effect(),
    /** Batches may go out. */
    drain: effect(),
    /** Remember why, until the producer goes on under another identity. */
    keepError: effect(),
    /** End every batch of the transaction, with the error if there is one. */
    dropBatches: effect(),
    /** When nothing is left, or in flight, any more, EndTxn; answer `transaction.ended`, `transaction.failed` or `transaction.fatal`. */
    commitTransaction: effect(),
    abortTransaction: effect(),
    /** Every batch, old and new, fails with the error. */
    failAll: effect(),
    refuse: effect(),
  },
}).createMachine({
  id: 'producer-transaction',
  initial: 'Uninitialized',
  on: {
    'transaction.fatal': { target: '.FatalError', actions: 'keepError' },
    '*': { actions: 'refuse' },
  },
  states: {
    Uninitialized: { on: { 'transactions.init': 'Initializing' } },
    Initializing: {
      entry: 'initProducerId',
      on: { 'init.succeeded': ended, 'init.failed': 'Uninitialized' },
    },
    Ready: { on: { 'transaction.begin': 'InTransaction' } },
    InTransaction: {
      entry: 'drain',
      on: {
        'transaction.commit': 'CommittingTransaction',
        'transaction.abort': 'AbortingTransaction',
        'transaction.failed': abortable,
      },
    },
    CommittingTransaction: {
      entry: 'commitTransaction',
      on: { 'transaction.ended': ended, 'transaction.failed': abortable },
    },
    AbortableError: {
      entry: 'dropBatches',
      on: { 'transaction.abort': 'AbortingTransaction', 'transaction.failed': {} },
    },
    AbortingTransaction: {
      entry: ['dropBatches', 'abortTransaction'],
      on: { 'transaction.ended': ended, 'transaction.failed': {} },
    },
    FatalError: {
      entry: 'failAll',
      on: { 'transaction.*': {}, 'init.*': {} },
    },
  },
})
