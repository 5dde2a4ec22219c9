// When a pipeline may do what: transactions in order, each with records, outputs and offsets, or with nothing; while one is being committed, the next one may be open,
// or on its way behind it, but no third. Its hands are pipeline-lane; what is committed and where reading goes back to is in pipeline.rules. An event per
// transaction, never per record.
//
//              transaction.wanted          transaction.begun              commit.wanted
//      Idle -----------------------> Beginning ------------> Processing -----------------> Committing
//       ^  ^                             ^                    ^  | abort.wanted               |   |  ^
//       |  |                             |                    |  v                            |   |  |
//       |  +-- rewound -- Rewinding <-- Aborting <------------|------- transaction.failed ----+   |  | transaction.
//       |                                |                    |                               |   |  | committed
//       +--------------------------------|--------------------|------- transaction.committed -+   |  |
//                                        |                    |                                   |  |
//               transaction.committed ---+--------------------+      transaction.wanted           |  |
//                                        |                    |   +-------------------------------+  |
//                                        |                    |   v                                  |
//                                 BeginningNext ---------> ProcessingNext ---------------> CommittingNext
//                                          transaction.begun            commit.wanted
//
// From every state: `pipeline.fatal` -> Failed, `sender.lost` -> Recovering -> Idle; from those of two transactions `transaction.failed` -> Aborting. From Idle:
// `pipeline.started` -> Initializing -> Idle, `stopped` -> Stopped.
import { effect } from '@odradek/shared/actor/machine-runner'
import { assert } from '@odradek/shared/base/assert'
import { setup } from 'xstate'

export type PipelineEvent =
  /** Before anything is read. */
  | { readonly type: 'pipeline.started' }
  | { readonly type: 'transactions.initialized' }
  /** There are records to process, and no transaction takes them. */
  | { readonly type: 'transaction.wanted' }
  | { readonly type: 'transaction.begun' }
  /** The transaction is large or old enough, or its partitions are about to go. */
  | { readonly type: 'commit.wanted' }
  /** The older one, where there are two. */
  | { readonly type: 'transaction.committed' }
  /** The function threw, or partitions were lost: what the transaction did must not count. */
  | { readonly type: 'abort.wanted' }
  /** The commit (of the older one) was refused in a way that an abort mends (a record failed, the group moved on). What follows it never happens. */
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
    /** `settled`: nothing is under way. `open`: a transaction takes outputs. `free`: none does, and one may begin. */
    tags: {} as 'settled' | 'open' | 'free',
  },
  actions: {
    /** Ends what a predecessor with the same id left open. */
    initialize: effect(),
    begin: effect(),
    /** Sends the offsets of the transaction that takes outputs, then commits it. */
    commit: effect(),
    abort: effect(),
    /** Seeks every partition that is still ours back to where what was undone began. */
    rewind: effect(),
    /** Has a new sender end what the old one left, then seeks to what the group has committed. */
    recover: effect(),
    /** Whoever waits may look. */
    wake: effect(),
    refuse: effect(),
  },
})

const noteError = vocabulary.assign({ error: ({ event }) => (event.type === 'pipeline.fatal' ? event.error : null) })
const countCommit = vocabulary.assign({ transactions: ({ context }) => context.transactions + 1 })
const committed = (target: string) => ({ target, actions: countCommit }) as const
const countAbort = vocabulary.assign({ aborts: ({ context }) => context.aborts + 1 })

/**
 * States, and what is true in them:
 * - Idle: no transaction; the committed offsets are the positions.
 * - Initializing: nothing was read. What a predecessor with this id left open is being ended: the group's offsets in it stay hidden until then (KIP-447), so
 *   reading would wait for the transaction's timeout.
 * - Beginning: the producer is being asked for a transaction; nothing was processed in it.
 * - Processing: a transaction is open; outputs belong to it, positions run ahead of the committed offsets by what it processed.
 * - Committing: offsets and end are on their way; nothing is sent.
 * - BeginningNext, ProcessingNext: as Beginning and Processing, while the transaction before is as in Committing.
 * - CommittingNext: offsets and ends of two are on their way, the second behind the first; nothing is sent.
 * - Aborting: the end is on its way; nothing is sent. What was begun behind it is dropped.
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
      tags: ['settled', 'free'],
      entry: 'wake',
      // A commit of nothing is done.
      on: {
        'pipeline.started': 'Initializing',
        'transaction.wanted': { target: 'Beginning', actions: 'begin' },
        'commit.wanted': {},
        'abort.wanted': {},
        stopped: 'Stopped',
      },
    },
    Initializing: { entry: 'initialize', on: { 'transactions.initialized': 'Idle' } },
    Beginning: { on: { 'transaction.begun': 'Processing' } },
    Processing: {
      tags: ['settled', 'open'],
      entry: 'wake',
      on: { 'commit.wanted': { target: 'Committing', actions: 'commit' }, 'abort.wanted': 'Aborting' },
    },
    Committing: {
      tags: 'free',
      entry: 'wake',
      on: {
        'transaction.wanted': { target: 'BeginningNext', actions: 'begin' },
        'transaction.committed': committed('Idle'),
        'transaction.failed': 'Aborting',
      },
    },
    BeginningNext: {
      on: {
        'transaction.begun': 'ProcessingNext',
        'transaction.committed': committed('Beginning'),
        'transaction.failed': 'Aborting',
      },
    },
    ProcessingNext: {
      tags: 'open',
      entry: 'wake',
      on: {
        'commit.wanted': { target: 'CommittingNext', actions: 'commit' },
        'transaction.committed': committed('Processing'),
        'transaction.failed': 'Aborting',
      },
    },
    CommittingNext: {
      on: { 'transaction.committed': committed('Committing'), 'transaction.failed': 'Aborting' },
    },
    Aborting: { entry: 'abort', on: { 'transaction.aborted': { target: 'Rewinding', actions: countAbort } } },
    Rewinding: { entry: 'rewind', on: { rewound: 'Idle' } },
    // Lost again meanwhile: once more.
    Recovering: { entry: 'recover', on: { rewound: { target: 'Idle', actions: countAbort } } },
    Stopped: { type: 'final', tags: 'settled', entry: 'wake' },
    Failed: {
      tags: 'settled',
      entry: [noteError, 'wake'],
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
  /** Begun, and not known to have ended. */
  readonly transactions: number
  /** Partitions whose position is ahead of what is committed. */
  readonly partitionsAhead: number
  readonly error: Error | null
}

const transactionsIn: { readonly [state: string]: number } = {
  Idle: 0,
  Beginning: 0,
  Processing: 1,
  Committing: 1,
  BeginningNext: 1,
  ProcessingNext: 2,
  CommittingNext: 2,
  Stopped: 0,
}

/** Checks what is said above about each state. */
export function assertPipelineInvariants(state: string, facts: PipelineFacts): void {
  const expected = transactionsIn[state] ?? facts.transactions
  assert(facts.transactions === expected, `${state}: ${expected} transactions are begun and not ended`)
  if (state === 'Idle' || state === 'Stopped')
    assert(facts.partitionsAhead === 0, `${state}: positions are what is committed`)
  assert((state === 'Failed') === (facts.error !== null), 'an error is known exactly when the pipeline has failed')
}
