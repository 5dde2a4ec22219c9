// The leader's machine: which event leads where with which effects, and that no path breaks what is said of each state.
import { describe, expect, it } from 'vitest'
import { createActor } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import {
  assertPartitionLeaderInvariants,
  type PartitionLeaderEvent,
  type PartitionLeaderSnapshot,
  partitionLeaderMachine,
} from './partition-leader.machine.ts'

const EFFECTS = [
  'startLeading',
  'stopLeading',
  'reportFailure',
  'reportRecovery',
  'closeLog',
  'deleteLog',
  'refuse',
] as const

const opened: PartitionLeaderEvent = { type: 'log.opened', latestEpoch: 5 }
const openedBySomebodyNewer: PartitionLeaderEvent = { type: 'log.opened', latestEpoch: 6 }
const appendFailed: PartitionLeaderEvent = { type: 'append.failed', reason: 'disk full' }
const appendSucceeded: PartitionLeaderEvent = { type: 'append.succeeded' }
const deleteRequested: PartitionLeaderEvent = { type: 'delete.requested' }
const deleteFailed: PartitionLeaderEvent = { type: 'delete.failed', reason: 'busy' }
const deleted: PartitionLeaderEvent = { type: 'log.deleted' }
const closeRequested: PartitionLeaderEvent = { type: 'close.requested' }
const closed: PartitionLeaderEvent = { type: 'log.closed' }
const everything = [
  opened,
  openedBySomebodyNewer,
  appendFailed,
  appendSucceeded,
  deleteRequested,
  deleteFailed,
  deleted,
  closeRequested,
  closed,
]

/** Starts a leader of epoch 5, sends the events, and returns the last state with the effects of the last event. */
function after(...events: readonly PartitionLeaderEvent[]) {
  let effects: string[] = []
  const actions = Object.fromEntries(EFFECTS.map(name => [name, () => void effects.push(name)]))
  const machine = createActor(partitionLeaderMachine.provide({ actions }), { input: { leaderEpoch: 5 } }).start()
  for (const event of events) {
    effects = []
    machine.send(event)
  }
  const snapshot = machine.getSnapshot()
  return { state: JSON.stringify(snapshot.value).replaceAll('"', ''), effects, snapshot }
}

describe('the partition leader', () => {
  it.each(
    [
      { on: [opened], state: '{Leading:Writable}', effects: ['startLeading'] },
      { on: [openedBySomebodyNewer], state: 'Fenced', effects: [] },
      { on: [opened, appendFailed], state: '{Leading:Failing}', effects: ['reportFailure'] },
      { on: [opened, appendFailed, appendSucceeded], state: '{Leading:Writable}', effects: ['reportRecovery'] },
      { on: [opened, deleteRequested], state: 'Deleting', effects: ['stopLeading', 'deleteLog'] },
      { on: [openedBySomebodyNewer, deleteRequested], state: 'Deleting', effects: ['deleteLog'] },
      { on: [opened, deleteRequested, deleted], state: 'Closed', effects: [] },
      { on: [opened, deleteRequested, deleteFailed], state: 'Fenced', effects: [] },
      { on: [opened, deleteRequested, deleteFailed, deleteRequested], state: 'Deleting', effects: ['deleteLog'] },
      { on: [opened, closeRequested], state: 'Closing', effects: ['stopLeading', 'closeLog'] },
      { on: [openedBySomebodyNewer, closeRequested], state: 'Closing', effects: ['closeLog'] },
      { on: [opened, closeRequested, closed], state: 'Closed', effects: [] },
      { on: [closeRequested], state: 'Opening', effects: ['refuse'] },
      { on: [opened, opened], state: '{Leading:Writable}', effects: ['refuse'] },
      { on: [opened, closeRequested, deleteRequested], state: 'Closing', effects: ['refuse'] },
    ].map(row => ({ ...row, events: row.on.map(({ type }) => type).join(', ') })),
  )('after $events is $state', ({ on, state, effects }) => {
    expect(after(...on)).toMatchObject({ state, effects })
  })

  it('serves appends and fetches while it leads, also while appends fail, and never else', () => {
    const serving = (...events: PartitionLeaderEvent[]) => {
      const { snapshot } = after(...events)
      return [snapshot.hasTag('writable'), snapshot.hasTag('readable')]
    }
    expect(serving()).toEqual([false, false])
    expect(serving(opened)).toEqual([true, true])
    expect(serving(opened, appendFailed)).toEqual([true, true])
    expect(serving(openedBySomebodyNewer)).toEqual([false, false])
    expect(serving(opened, deleteRequested)).toEqual([false, false])
  })

  it('keeps its invariants on all shortest paths', () => {
    const paths = getShortestPaths(partitionLeaderMachine, { events: everything, input: { leaderEpoch: 5 } })
    const reached = new Set<string>()
    for (const { state, steps } of paths) {
      for (const step of steps) assertPartitionLeaderInvariants(step.state as PartitionLeaderSnapshot)
      assertPartitionLeaderInvariants(state as PartitionLeaderSnapshot)
      reached.add(JSON.stringify(state.value))
    }
    expect([...reached].toSorted()).toEqual(
      [
        '"Closed"',
        '"Closing"',
        '"Deleting"',
        '"Fenced"',
        '"Opening"',
        '{"Leading":"Failing"}',
        '{"Leading":"Writable"}',
      ].toSorted(),
    )
  })
})
