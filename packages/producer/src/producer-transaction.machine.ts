// The states of a transactional producer, Kafka's names (`TransactionManager.State`). Run by transaction-manager in the sender's thread.
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

const vocabulary = setup({
  types: {} as {
    context: { readonly error: ErrorData | null }
    events: ProducerTransactionEvent
  },
  actions: {
    /** Answer `init.succeeded`, `init.failed` or `transaction.fatal`. */
    initProducerId: effect(),
    useIdentity: effect<{ identity: ProducerIdentity }>(),
    /** Batches may go out. */
    drain: effect(),
    /** End every batch of the transaction with the error. */
    dropBatches: effect<{ error: ErrorData }>(),
    /** When nothing is in flight any more, EndTxn; answer `transaction.ended`, `transaction.failed` or `transaction.fatal`. */
    endTransaction: effect<{ committed: boolean }>(),
    /** Every batch, old and new, fails with the error. */
    failAll: effect<{ error: ErrorData }>(),
    refuse: effect(),
  },
})

const keepError = vocabulary.assign({
  error: ({ context, event }) =>
    event.type === 'transaction.failed' || event.type === 'transaction.fatal' ? event.error : context.error,
})
const forgetError = vocabulary.assign({ error: null })

const ABORTED: ErrorData = { code: 'ODK_TRANSACTION_ABORTED', message: 'the transaction was aborted' }

const abortable = { target: 'AbortableError', actions: keepError } as const

const ended = {
  target: 'Ready',
  actions: [
    forgetError,
    {
      type: 'useIdentity',
      params: ({ event }: { event: { readonly identity: ProducerIdentity } }) => ({ identity: event.identity }),
    },
  ],
} as const

export const producerTransactionMachine = vocabulary.createMachine({
  id: 'producer-transaction',
  initial: 'Uninitialized',
  context: { error: null },
  on: {
    'transaction.fatal': { target: '.FatalError', actions: keepError },
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
      entry: { type: 'endTransaction', params: { committed: true } },
      on: { 'transaction.ended': ended, 'transaction.failed': abortable },
    },
    AbortableError: {
      entry: { type: 'dropBatches', params: ({ context }) => ({ error: context.error ?? ABORTED }) },
      on: { 'transaction.abort': 'AbortingTransaction', 'transaction.failed': {} },
    },
    AbortingTransaction: {
      entry: [
        { type: 'dropBatches', params: { error: ABORTED } },
        { type: 'endTransaction', params: { committed: false } },
      ],
      on: { 'transaction.ended': ended, 'transaction.failed': {} },
    },
    FatalError: {
      entry: { type: 'failAll', params: ({ context }) => ({ error: context.error ?? ABORTED }) },
      on: { 'transaction.*': {}, 'init.*': {} },
    },
  },
})
