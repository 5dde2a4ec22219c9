// When a connection reads, and when it ends.
import { recordedMachine } from '@odradek/shared/actor/recorded-machine.suite'
import { describe, expect, test } from 'vitest'
import { getShortestPaths } from 'xstate/graph'
import { type ConnectionEvent, connectionMachine } from './connection.machine.ts'

const full: ConnectionEvent = { type: 'window.full' }
const open: ConnectionEvent = { type: 'window.open' }
const peerEnded: ConnectionEvent = { type: 'peer.ended' }
const endAsked: ConnectionEvent = { type: 'end.asked', reason: 'idle' }
const repliesLeft: ConnectionEvent = { type: 'replies.left' }
const lost: ConnectionEvent = { type: 'socket.lost' }

function after(...events: readonly ConnectionEvent[]) {
  const { run: machine, effects } = recordedMachine(connectionMachine)
  for (const event of events) {
    effects.length = 0
    machine.send(event)
  }
  return { state: machine.state, effects, serving: machine.hasTag('serving'), refused: machine.refused }
}

describe('the connection', () => {
  test.each(
    [
      { on: [full], state: 'Serving.Paused', effects: ['pause'] },
      { on: [full, full], state: 'Serving.Paused', effects: [] },
      { on: [open], state: 'Serving.Reading', effects: [] },
      { on: [full, open], state: 'Serving.Reading', effects: ['resume'] },
      { on: [peerEnded], state: 'Draining', effects: ['pause', 'drain'] },
      { on: [endAsked], state: 'Draining', effects: ['noteReason', 'pause', 'drain'] },
      { on: [full, endAsked], state: 'Draining', effects: ['resume', 'noteReason', 'pause', 'drain'] },
      { on: [endAsked, peerEnded, full, open, endAsked], state: 'Draining', effects: [] },
      { on: [endAsked, repliesLeft], state: 'Closed', effects: ['release'] },
      { on: [endAsked, lost], state: 'Closed', effects: ['release'] },
      { on: [lost], state: 'Closed', effects: ['release'] },
      { on: [full, lost], state: 'Closed', effects: ['resume', 'release'] },
    ].map(row => ({ ...row, events: row.on.map(({ type }) => type).join(', ') })),
  )('after $events is $state', ({ on, state, effects }) => {
    expect(after(...on)).toMatchObject({ state, effects, refused: 0 })
  })

  test('what no state expects is refused and counted, not dropped', () => {
    expect(after(repliesLeft)).toMatchObject({ state: 'Serving.Reading', refused: 1 })
  })

  test('serves only until it ends, and every way leads to the end', () => {
    const events = [full, open, peerEnded, endAsked, repliesLeft, lost]
    const known = new Set<string>(events.map(({ type }) => type))
    const paths = getShortestPaths(connectionMachine, { events })
    const states = paths.map(({ state }) => JSON.stringify(state.value)).toSorted()
    expect(states).toEqual(['"Closed"', '"Draining"', '{"Serving":"Paused"}', '{"Serving":"Reading"}'])
    for (const { steps } of paths) {
      const way = steps.map(({ event }) => event).filter(({ type }) => known.has(type))
      const { state, serving } = after(...way)
      expect(serving).toBe(state.startsWith('Serving'))
      if (state !== 'Closed') expect(after(...way, lost).state).toBe('Closed')
    }
  })
})
