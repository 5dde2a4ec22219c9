// The transaction machine as a table: a coordinator may hold a hundred thousand transactional ids and takes four steps per transaction, so
// the state is a word in its data and a step is looked up.
import { machineSteps } from '@odradek/shared/actor/machine-steps'
import { assert } from '@odradek/shared/base/assert'
import { type TransactionEvent, type TransactionStatus, transactionMachine } from './transaction.machine.ts'

/** A leaf of the machine. */
export type TransactionState =
  | 'Dead.logging'
  | 'Dead.forgotten'
  | 'Empty.logging'
  | 'Empty.settled'
  | 'Ongoing.logging'
  | 'Ongoing.open'
  | 'PrepareEpochFence'
  | `${'PrepareCommit' | 'PrepareAbort'}.${'logging' | 'markersOwed'}`
  | `${'CompleteCommit' | 'CompleteAbort'}.${'logging' | 'settled'}`

export type TransactionEffect = 'append' | 'sendMarkers' | 'park' | 'answer' | 'refuseEnd' | 'wake' | 'refuse'

export interface Step {
  readonly to: TransactionState
  /** In order. `refuse`: the machine does not know this event there. */
  readonly effects: readonly TransactionEffect[]
}

/** Where a transaction rests whose last record is in the log. */
const restingStates = {
  Dead: 'Dead.forgotten',
  Empty: 'Empty.settled',
  Ongoing: 'Ongoing.open',
  PrepareEpochFence: 'PrepareEpochFence',
  PrepareCommit: 'PrepareCommit.markersOwed',
  PrepareAbort: 'PrepareAbort.markersOwed',
  CompleteCommit: 'CompleteCommit.settled',
  CompleteAbort: 'CompleteAbort.settled',
} as const satisfies { readonly [S in TransactionStatus]: TransactionState }

export function restingState(status: TransactionStatus): TransactionState {
  return restingStates[status]
}

/** Kafka's state of a leaf. */
export function statusOf(state: TransactionState): TransactionStatus {
  return state.split('.')[0] as TransactionStatus
}

const step = machineSteps(transactionMachine)

/** What follows a step that appends. */
export interface LoggedMove {
  /** The step that the record's commit makes. */
  readonly logged: Step
  /** Kafka's state that the record names. */
  readonly status: TransactionStatus
}

const moves = new Map<Step, LoggedMove>()

/** Of a step that appends. */
export function loggedMoveOf(begun: Step): LoggedMove {
  let move = moves.get(begun)
  if (move === undefined) {
    const logged = knownStepOf(begun.to, 'record.logged')
    // PrepareEpochFence is not stored (nor is it in Kafka): its record is that of the state it leads to.
    move = { logged, status: statusOf(logged.to) }
    moves.set(begun, move)
  }
  return move
}

/** The step that an event makes from a state. */
export function stepOf(from: TransactionState, event: TransactionEvent['type']): Step {
  return step(from, event) as Step
}

/** As `stepOf`, where anything but a known event is a bug of the caller. */
export function knownStepOf(from: TransactionState, event: TransactionEvent['type']): Step {
  const known = stepOf(from, event)
  if (known.effects.includes('refuse')) assert(false, `${from} does not know ${event}`)
  return known
}
