// When a partition leader may do what. The hands (`partition-leader.actor`) send it control events only; appends and fetches are
// plain functions behind its tags (DESIGN 1.7).
//
//             log.opened, epoch current
//    Opening ---------------------------> Leading ---------------------+
//        \                                |  Writable <-> Failing      |
//         \ log.opened,                   |   |                        | delete.requested
//          \ epoch superseded             |   | close.requested        v
//           +---------------> Fenced      |   |                     Deleting
//             close.requested  |  ^-------- | - | - delete.failed ----+ |
//                              v            |   |                       |
//                           Closing <-------+---+                       |
//                              v log.closed               log.deleted   |
//                           Closed <------------------------------------+
import { effect } from '@odradek/shared/actor/machine-runner'
import { assert, unreachable } from '@odradek/shared/base/assert'
import { type SnapshotFrom, setup } from 'xstate'

interface Facts {
  /** The epoch that this leader was started with. */
  readonly leaderEpoch: number
  /** The highest leader epoch known of the partition; above `leaderEpoch` somebody newer leads. */
  readonly latestEpoch: number
  /** The hands hold an open log. */
  readonly logOpen: boolean
  /** Why it leads no more, or why its appends fail. */
  readonly reason: string | null
}

export type PartitionLeaderEvent =
  | { readonly type: 'log.opened'; readonly latestEpoch: number }
  /** The log refused an append for an I/O error; sent for the first of a series. */
  | { readonly type: 'append.failed'; readonly reason: string }
  /** An append succeeded after a series of failures. */
  | { readonly type: 'append.succeeded' }
  | { readonly type: 'delete.requested' }
  | { readonly type: 'log.deleted' }
  | { readonly type: 'delete.failed'; readonly reason: string }
  | { readonly type: 'close.requested' }
  | { readonly type: 'log.closed' }

/** Effects: what the hands do when the machine says so. */
const vocabulary = setup({
  types: {
    context: {} as Facts,
    events: {} as PartitionLeaderEvent,
    input: {} as { readonly leaderEpoch: number },
    tags: {} as 'writable' | 'readable',
  },
  actions: {
    /** Arm housekeeping; appends and fetches are served from now on. */
    startLeading: effect(),
    /** Answer everything staged or parked with NOT_LEADER_OR_FOLLOWER, disarm timers. */
    stopLeading: effect(),
    /** Tell people that appends fail, and why. */
    reportFailure: effect<{ readonly reason: string }>(),
    /** Tell people that appends succeed again. */
    reportRecovery: effect(),
    /** Close the log with its clean mark, then send `log.closed`. */
    closeLog: effect(),
    /** Remove the log, then send `log.deleted` or `delete.failed`. */
    deleteLog: effect(),
    refuse: effect(),
  },
  guards: {
    isCurrent: ({ context, event }) => event.type === 'log.opened' && event.latestEpoch <= context.leaderEpoch,
  },
})

const rememberOpened = vocabulary.assign({
  logOpen: true,
  latestEpoch: ({ context, event }) =>
    event.type === 'log.opened' ? Math.max(event.latestEpoch, context.leaderEpoch) : context.latestEpoch,
})
const rememberReason = vocabulary.assign({ reason: ({ event }) => ('reason' in event ? event.reason : null) })
const forgetReason = vocabulary.assign({ reason: null })
const forgetLog = vocabulary.assign({ logOpen: false })

/**
 * States:
 * - Opening: no log yet; nothing is answered. A log that does not open makes the actor's start fail, so there is no way back from here.
 * - Leading: the log is open and no newer epoch is known. In Failing the last append met an I/O error: appends are still tried (each
 *   failure answers KAFKA_STORAGE_ERROR), reads are served; the first success leads back to Writable.
 * - Fenced: the log is open, but a newer leader exists or its deletion failed; requests are refused.
 * - Deleting, Closing: the log is being let go; requests are refused.
 * - Closed: no log; the end.
 */
export const partitionLeaderMachine = vocabulary.createMachine({
  id: 'partition-leader',
  initial: 'Opening',
  context: ({ input }) => ({
    leaderEpoch: input.leaderEpoch,
    latestEpoch: input.leaderEpoch,
    logOpen: false,
    reason: null,
  }),
  on: { '*': { actions: 'refuse' } },
  states: {
    Opening: {
      on: {
        'log.opened': [
          { guard: 'isCurrent', target: 'Leading', actions: rememberOpened },
          { target: 'Fenced', actions: rememberOpened },
        ],
      },
    },
    Leading: {
      tags: ['writable', 'readable'],
      entry: 'startLeading',
      exit: ['stopLeading', forgetReason],
      initial: 'Writable',
      on: {
        'delete.requested': 'Deleting',
        'close.requested': 'Closing',
      },
      states: {
        Writable: {
          on: {
            'append.failed': {
              target: 'Failing',
              actions: [rememberReason, { type: 'reportFailure', params: ({ event }) => ({ reason: event.reason }) }],
            },
          },
        },
        Failing: { on: { 'append.succeeded': { target: 'Writable', actions: [forgetReason, 'reportRecovery'] } } },
      },
    },
    Fenced: { on: { 'delete.requested': 'Deleting', 'close.requested': 'Closing' } },
    Deleting: {
      entry: 'deleteLog',
      on: {
        'log.deleted': { target: 'Closed', actions: forgetLog },
        'delete.failed': { target: 'Fenced', actions: rememberReason },
      },
    },
    Closing: { entry: 'closeLog', on: { 'log.closed': { target: 'Closed', actions: forgetLog } } },
    Closed: { type: 'final' },
  },
})

export type PartitionLeaderSnapshot = SnapshotFrom<typeof partitionLeaderMachine>

/** What is true in each state; the same list as above the machine. */
export function assertPartitionLeaderInvariants(snapshot: PartitionLeaderSnapshot): void {
  const { leaderEpoch, latestEpoch, logOpen, reason } = snapshot.context
  const state = typeof snapshot.value === 'string' ? snapshot.value : `Leading.${snapshot.value.Leading}`
  assert(latestEpoch >= leaderEpoch, 'a leader knows at least its own epoch')
  assert(snapshot.hasTag('writable') === snapshot.matches('Leading'), 'only a leader writes')
  assert(snapshot.hasTag('readable') === snapshot.matches('Leading'), 'only a leader is read from')
  switch (state) {
    case 'Opening':
    case 'Closed':
      assert(!logOpen, `${state} holds no log`)
      return
    case 'Leading.Writable':
      assert(reason === null, 'nothing is wrong while writable')
      break
    case 'Leading.Failing':
      assert(reason !== null, 'a failing leader knows why')
      break
    case 'Fenced':
      assert(
        latestEpoch > leaderEpoch || reason !== null,
        'a fenced leader knows a newer epoch, or why it could not delete',
      )
      break
    case 'Deleting':
    case 'Closing':
      break
    default:
      unreachable(state as never, 'a state without invariants')
  }
  assert(logOpen, `${state} holds the log`)
  if (snapshot.matches('Leading')) assert(latestEpoch === leaderEpoch, 'nobody newer is known while leading')
}
