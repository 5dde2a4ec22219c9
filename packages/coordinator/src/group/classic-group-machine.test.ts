import { describe, expect, test } from 'vitest'
import { initialTransition, transition } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import { type ClassicGroupEvent, type ClassicGroupState, classicGroupMachine } from './classic-group.machine.ts'
import { classicGroupStep } from './classic-group-step.ts'

const events: readonly ClassicGroupEvent[] = [
  { type: 'rebalance.needed' },
  { type: 'join.completed', members: 0 },
  { type: 'join.completed', members: 2 },
  { type: 'assignment.stored' },
  { type: 'group.removed' },
]
const states: readonly ClassicGroupState[] = ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead']

const table: readonly [ClassicGroupState, ClassicGroupEvent, ClassicGroupState, readonly string[]][] = [
  ['Empty', { type: 'rebalance.needed' }, 'PreparingRebalance', ['delayInitialRebalance']],
  ['PreparingRebalance', { type: 'rebalance.needed' }, 'PreparingRebalance', ['completeJoinWhenAllJoined']],
  [
    'PreparingRebalance',
    { type: 'join.completed', members: 2 },
    'CompletingRebalance',
    ['beginGeneration', 'answerJoins', 'awaitSyncs'],
  ],
  ['PreparingRebalance', { type: 'join.completed', members: 0 }, 'Empty', ['beginGeneration', 'storeEmptyGeneration']],
  [
    'CompletingRebalance',
    { type: 'rebalance.needed' },
    'PreparingRebalance',
    ['refuseSyncs', 'cancelSyncTimeout', 'tellMembers', 'awaitJoins'],
  ],
  ['CompletingRebalance', { type: 'assignment.stored' }, 'Stable', ['answerSyncs']],
  ['Stable', { type: 'rebalance.needed' }, 'PreparingRebalance', ['cancelSyncTimeout', 'tellMembers', 'awaitJoins']],
]

describe('the classic group’s machine', () => {
  test.each(table)('%s on %o becomes %s', (from, event, to, effects) => {
    expect(classicGroupStep(from, event)).toEqual({ state: to, effects })
  })

  test('every state ends when the group is removed, and who waits is told', () => {
    for (const state of states) {
      if (state === 'Dead') continue
      const step = classicGroupStep(state, { type: 'group.removed' })
      expect(step).toEqual({ state: 'Dead', effects: ['refuseJoins', 'refuseSyncs', 'cancelSyncTimeout'] })
    }
  })

  test('what no state expects is refused and changes nothing', () => {
    for (const state of states) {
      for (const event of events) {
        const isInTable = table.some(([from, { type }]) => from === state && type === event.type)
        if (isInTable || event.type === 'group.removed') continue
        expect(classicGroupStep(state, event)).toEqual({ state, effects: ['refuseEvent'] })
      }
    }
  })

  test('the table makes the steps that XState makes, in every state on every event', () => {
    for (const state of states) {
      for (const event of events) {
        const [initial] = initialTransition(classicGroupMachine)
        const before = state === 'Empty' ? initial : classicGroupMachine.resolveState({ value: state })
        const [after, actions] = transition(classicGroupMachine, before, event)
        const step = classicGroupStep(state, event)
        expect(step.state).toBe(after.value)
        expect(step.effects).toEqual(actions.map(({ type }) => type))
      }
    }
  })

  test('every state can be reached', () => {
    const paths = getShortestPaths(classicGroupMachine, { events: events as ClassicGroupEvent[] })
    expect(new Set(paths.map(({ state }) => state.value))).toEqual(new Set(states))
  })
})
