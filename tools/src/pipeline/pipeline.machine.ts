// When a pipeline may do what: one transaction after another, each with records, outputs and offsets, or with nothing. Its hands are pipeline-lane; what is
// committed and where reading goes back to is in pipeline.rules. An event per transaction, never per record.
//
//              transaction.wanted          transaction.begun              commit.wanted
//      Idle -----------------------> Beginning ------------> Processing -----------------> Committing
//       ^  ^                           | |                       | abort.wanted               |  |
//       |  |                transaction| |                       v                            |  |
//       |  +------ rewound ---- Rewinding|<----aborted------- Aborting <-- transaction.failed-+  |
//       |                                |                                                       |
//       +--------------------------------+------------------- transaction.committed -------------+
//
// From every state: `pipeline.fatal` -> Failed, `sender.lost` -> Recovering -> Idle. From Idle: `pipeline.started` -> Initializing -> Idle, `stopped` -> Stopped.
import { effect } from '@odradek/shared/actor/machine-runner'
import { assert } from '@odradek/shared/base/assert'
import { setup } from 'xstate'

export type PipelineEvent =
  /** Before anything is read. */
  | { readonly type: 'pipeline.started' }
  | { readonly type: 'transactions.initialized' }
  /** There are records to process, and no transaction is open. */
  | { readonly type: 'transaction.wanted' }
  | { readonly type: 'transaction.begun' }
  /** The transaction is large or old enough, or its partitions are about to go. */
  | { readonly type: 'commit.wanted' }
  | { readonly type: 'transaction.committed' }
  /** The function threw, or partitions were lost: what the transaction did must not count. */
  | { readonly type: 'abort.wanted' }
  /** The commit was refused in a way that an abort mends (a record failed, the group moved on). */
  | { readonly type: 'transaction.failed' }
  | { readonly type: 'transaction.aborted' }
  /** Reading has gone back to what is committed. */
  | { readonly type: 'rewound' }
  /** The producer's thread died: what became of the transaction is not known here. */
  | { readonly type: 'sender.lost' }
  /** Fenced, or the fate of a commit is not known: nothing more may be written under this id. */
  | { readonly type: 'pipeline.fatal'; readonly error: Error }
  | { readonly type: 'stopped' }

const vocabulary = setup({
  types: {
    context: {} as { readonly error: Error | null; readonly transactions: number; readonly aborts: number },
    events: {} as PipelineEvent,
    /** `settled`: nothing is under way, whoever waits may look. */
    tags: {} as 'settled',
  },
  actions: {
    /** Ends what a predecessor with the same id left open. */
    initialize: effect(),
    begin: effect(),
    /** Sends the offsets, then commits. */
    commit: effect(),
    abort: effect(),
    /** Seeks every partition that is still ours back to where the transaction began. */
    rewind: effect(),
    /** Has a new sender end what the old one left, then seeks to what the group has committed. */
    recover: effect(),
    /** A settled state was reached. */
    settle: effect(),
    refuse: effect(),
  },
})

const noteError = vocabulary.assign({ error: ({ event }) => (event.type === 'pipeline.fatal' ? event.error : null) })
const countCommit = vocabulary.assign({ transactions: ({ context }) => context.transactions + 1 })
const countAbort = vocabulary.assign({ aborts: ({ context }) => context.aborts + 1 })

/**
 * States, and what is true in them:
 * - Idle: no transaction; the committed offsets are the positions.
 * - Initializing: nothing was read. What a predecessor with this id left open is being ended: the group's offsets in it stay hidden until then (KIP-447), so
 *   reading would wait for the transaction's timeout.
 * - Beginning: the producer is being asked for a transaction; nothing was processed in it.
 * - Processing: a transaction is open; outputs belong to it, positions run ahead of the committed offsets by what it processed.
 * - Committing: offsets and end are on their way; nothing is processed, nothing is sent.
 * - Aborting: the end is on its way; nothing is processed.
 * - Rewinding: no transaction; positions go back to the committed offsets.
 * - Recovering: the transaction was left behind, committed or not; a new producer epoch ends it, then the group's committed offsets say which it was.
 * - Stopped: the end; what was processed is committed. Failed: the end; `error` says why, an open transaction is left to whoever fenced it, or to its timeout.
 */
export const pipelineMachine = vocabulary.createMachine({
  id: 'pipeline',
  initial: 'Idle',
  context: { error: null, transactions: 0, aborts: 0 },
  on: { '*': { actions: 'refuse' }, 'pipeline.fatal': '.Failed', 'sender.lost': '.Recovering' },
  states: {
    Idle: {
      tags: 'settled',
      entry: 'settle',
      // A commit of nothing is done.
      on: {
        'pipeline.started': 'Initializing',
        'transaction.wanted': 'Beginning',
        'commit.wanted': {},
        'abort.wanted': {},
        stopped: 'Stopped',
      },
    },
    Initializing: { entry: 'initialize', on: { 'transactions.initialized': 'Idle' } },
    Beginning: { entry: 'begin', on: { 'transaction.begun': 'Processing' } },
    Processing: {
      tags: 'settled',
      entry: 'settle',
      on: { 'commit.wanted': 'Committing', 'abort.wanted': 'Aborting' },
    },
    Committing: {
      entry: 'commit',
      on: {
        'transaction.committed': { target: 'Idle', actions: countCommit },
        'transaction.failed': 'Aborting',
      },
    },
    Aborting: { entry: 'abort', on: { 'transaction.aborted': { target: 'Rewinding', actions: countAbort } } },
    Rewinding: { entry: 'rewind', on: { rewound: 'Idle' } },
    // Lost again meanwhile: once more.
    Recovering: { entry: 'recover', on: { rewound: { target: 'Idle', actions: countAbort } } },
    Stopped: { type: 'final', tags: 'settled', entry: 'settle' },
    Failed: {
      tags: 'settled',
      entry: [noteError, 'settle'],
      // What was under way when it failed answers in vain.
      on: {
        'transaction.*': {},
        'transactions.initialized': {},
        'commit.wanted': {},
        'abort.wanted': {},
        rewound: {},
        stopped: {},
        'sender.lost': {},
        'pipeline.fatal': {},
      },
    },
  },
})

/** What the invariants speak of. */
export interface PipelineFacts {
  readonly isTransactionOpen: boolean
  /** Partitions whose position is ahead of what is committed. */
  readonly partitionsAhead: number
  readonly error: Error | null
}

/** Checks what is said above about each state. */
export function assertPipelineInvariants(state: string, facts: PipelineFacts): void {
  if (state === 'Idle' || state === 'Stopped') {
    assert(!facts.isTransactionOpen, `${state}: no transaction is open`)
    assert(facts.partitionsAhead === 0, `${state}: positions are what is committed`)
  }
  if (state === 'Processing') assert(facts.isTransactionOpen, 'Processing: a transaction is open')
  assert((state === 'Failed') === (facts.error !== null), 'an error is known exactly when the pipeline has failed')
}
