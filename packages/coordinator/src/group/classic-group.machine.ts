// The life of a group that speaks the classic protocol (Java: ClassicGroup, ClassicGroupState), as everyone who has met a rebalance knows
// it: members join, wait for each other, the leader divides the partitions, everyone gets its share.
//
//            rebalance.needed                          join.completed                        assignment.stored
//     Empty ──────────────────► PreparingRebalance ──────────────────► CompletingRebalance ──────────────────► Stable
//       ▲                        │  ▲   ▲   (with members)                    │                                  │
//       └── join.completed ──────┘  │   └──────── rebalance.needed ───────────┴──────── rebalance.needed ────────┘
//           (nobody is left)        └─ rebalance.needed (one more joined, or left)
//     any ──group.removed──► Dead
//
// What is true in each state (`assertClassicGroupInvariants` checks the same list):
// - Empty: no members and no leader; the group exists for its offsets, and for ids that were given out and did not come back yet.
// - PreparingRebalance: the coordinator waits until every member has joined anew (JoinGroup requests are parked), or until the longest
//   rebalance timeout of its members is over. Nobody waits for an assignment.
// - CompletingRebalance: a new generation has begun, with a protocol that every member supports and a leader; nobody waits in JoinGroup;
//   the coordinator waits for the leader's SyncGroup (those of others are parked). The log holds the previous generation.
// - Stable: every member of the generation has an assignment (it may be empty), and the log holds it. Nobody waits for anything.
// - Dead: the group is gone from the coordinator; whoever asks begins anew.
//
// One graph for all groups: their state is data (`classic-group.ts`), the step that an event makes is a pure function (`classic-group-step.ts`).
import { setup } from 'xstate'

export type ClassicGroupEvent =
  /** Somebody joined, rejoined with something new, left, or was removed: who is in the group, or what they support, is another. */
  | { readonly type: 'rebalance.needed' }
  /** All have joined, or the time for it is over; `members` are in the next generation. */
  | { readonly type: 'join.completed'; readonly members: number }
  /** The leader's assignment is in the log (with the append that the runner makes of this decision). */
  | { readonly type: 'assignment.stored' }
  /** Deleted, expired, or replaced by a group of another type. */
  | { readonly type: 'group.removed' }

export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export type ClassicGroupEffect =
  | 'delayInitialRebalance'
  | 'refuseSyncs'
  | 'cancelSyncTimeout'
  | 'tellMembers'
  | 'awaitJoins'
  | 'completeJoinWhenAllJoined'
  | 'beginGeneration'
  | 'answerJoins'
  | 'awaitSyncs'
  | 'storeEmptyGeneration'
  | 'answerSyncs'
  | 'refuseJoins'
  | 'refuseEvent'

const effects: { readonly [E in ClassicGroupEffect]: () => void } = {
  /** The first rebalance waits `group.initial.rebalance.delay.ms` for more members, longer while they keep coming. */
  delayInitialRebalance: () => {},
  /** Assignments of the generation that ends are void; who waits for one is told REBALANCE_IN_PROGRESS. */
  refuseSyncs: () => {},
  cancelSyncTimeout: () => {},
  /** In-process members are told to rejoin at once; others learn it from their next heartbeat. */
  tellMembers: () => {},
  /** Completes the join at once when all wait already, else at the longest rebalance timeout. */
  awaitJoins: () => {},
  completeJoinWhenAllJoined: () => {},
  /** The next generation id; with members also the protocol that wins their vote. */
  beginGeneration: () => {},
  answerJoins: () => {},
  awaitSyncs: () => {},
  storeEmptyGeneration: () => {},
  answerSyncs: () => {},
  refuseJoins: () => {},
  /** A bug of ours: no caller sends this event in this state. */
  refuseEvent: () => {},
}

export const classicGroupMachine = setup({
  types: {} as { events: ClassicGroupEvent },
  actions: effects,
  guards: { hasMembers: ({ event }) => event.type === 'join.completed' && event.members > 0 },
}).createMachine({
  id: 'classic-group',
  initial: 'Empty',
  on: {
    'group.removed': '.Dead',
    '*': { actions: 'refuseEvent' },
  },
  states: {
    Empty: {
      on: { 'rebalance.needed': { target: 'PreparingRebalance', actions: 'delayInitialRebalance' } },
    },
    PreparingRebalance: {
      on: {
        'rebalance.needed': { actions: 'completeJoinWhenAllJoined' },
        'join.completed': [
          { guard: 'hasMembers', target: 'CompletingRebalance', actions: 'beginGeneration' },
          { target: 'Empty', actions: ['beginGeneration', 'storeEmptyGeneration'] },
        ],
      },
    },
    CompletingRebalance: {
      entry: ['answerJoins', 'awaitSyncs'],
      on: {
        'rebalance.needed': {
          target: 'PreparingRebalance',
          actions: ['refuseSyncs', 'cancelSyncTimeout', 'tellMembers', 'awaitJoins'],
        },
        'assignment.stored': { target: 'Stable', actions: 'answerSyncs' },
      },
    },
    Stable: {
      on: {
        'rebalance.needed': {
          target: 'PreparingRebalance',
          actions: ['cancelSyncTimeout', 'tellMembers', 'awaitJoins'],
        },
      },
    },
    Dead: { entry: ['refuseJoins', 'refuseSyncs', 'cancelSyncTimeout'] },
  },
})
