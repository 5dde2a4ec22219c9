// When a connection may carry requests: every state and what each event does there.
import { describe, expect, test } from 'vitest'
import { getShortestPaths } from 'xstate/graph'
import { recordedMachine } from '../../actor/recorded-machine.suite.ts'
import { type ConnectionEvent, connectionMachine } from './connection.machine.ts'

const wanted: ConnectionEvent = { type: 'wanted' }
const opened: ConnectionEvent = { type: 'socket.opened' }
const plain: ConnectionEvent = { type: 'versions.negotiated', authenticate: false }
const secured: ConnectionEvent = { type: 'versions.negotiated', authenticate: true }
const authenticated: ConnectionEvent = { type: 'authenticated' }
const sessionEnding: ConnectionEvent = { type: 'session.ending' }
const refused: ConnectionEvent = { type: 'refused', reason: 'r' }
const lost: ConnectionEvent = { type: 'socket.lost', reason: 'l' }
const throttled: ConnectionEvent = { type: 'throttled' }
const throttleOver: ConnectionEvent = { type: 'throttle.over' }
const idle: ConnectionEvent = { type: 'idle' }
const backoffOver: ConnectionEvent = { type: 'backoff.over' }
const close: ConnectionEvent = { type: 'close' }

const connecting = [wanted]
const checking = [wanted, opened]
const authenticating = [...checking, secured]
const ready = [...checking, plain]
const silent = [...ready, throttled]
const backingOff = [...connecting, lost]
const failed = [...checking, refused]

function after(...events: readonly ConnectionEvent[]) {
  const { run: machine, effects } = recordedMachine(connectionMachine)
  for (const event of events) {
    effects.length = 0
    machine.send(event)
  }
  return { state: machine.state, effects, refused: machine.refused }
}

const LOST = ['failInFlight', 'failWaiting', 'closeSocket', 'armBackoff']

describe('the connection', () => {
  test.each(
    [
      { on: connecting, state: 'Connecting', effects: ['openSocket', 'armSetup'] },
      { on: checking, state: 'CheckingApiVersions', effects: ['cancelSetup', 'askVersions'] },
      { on: authenticating, state: 'Authenticating', effects: ['authenticate'] },
      { on: ready, state: 'Ready', effects: ['release'] },
      { on: [...authenticating, authenticated], state: 'Ready', effects: ['release'] },
      { on: backingOff, state: 'BackingOff', effects: ['cancelSetup', ...LOST] },
      { on: [...checking, lost], state: 'BackingOff', effects: LOST },
      { on: [...authenticating, lost], state: 'BackingOff', effects: LOST },
      { on: [...ready, lost], state: 'BackingOff', effects: LOST },
      { on: [...silent, lost], state: 'BackingOff', effects: ['cancelThrottle', ...LOST] },
      { on: [...backingOff, backoffOver], state: 'Disconnected', effects: ['cancelBackoff'] },
      {
        on: [...connecting, refused],
        state: 'AuthenticationFailed',
        effects: ['cancelSetup', 'failRefused', 'closeSocket', 'armBackoff'],
      },
      { on: failed, state: 'AuthenticationFailed', effects: ['failRefused', 'closeSocket', 'armBackoff'] },
      {
        on: [...authenticating, refused],
        state: 'AuthenticationFailed',
        effects: ['failRefused', 'closeSocket', 'armBackoff'],
      },
      { on: [...failed, backoffOver], state: 'Disconnected', effects: ['cancelBackoff'] },
      { on: silent, state: 'Throttled', effects: ['armThrottle'] },
      { on: [...silent, throttled], state: 'Throttled', effects: ['cancelThrottle', 'armThrottle'] },
      { on: [...silent, throttleOver], state: 'Ready', effects: ['cancelThrottle', 'release'] },
      { on: [...ready, sessionEnding], state: 'Authenticating', effects: ['authenticate'] },
      { on: [...silent, sessionEnding], state: 'Authenticating', effects: ['cancelThrottle', 'authenticate'] },
      { on: [...ready, idle], state: 'Disconnected', effects: ['closeSocket'] },
      { on: [...ready, idle, wanted], state: 'Connecting', effects: ['openSocket', 'armSetup'] },
    ].map(row => ({ ...row, events: row.on.map(({ type }) => type).join(', ') })),
  )('after $events is $state', ({ on, state, effects }) => {
    expect(after(...on)).toMatchObject({ state, effects, refused: 0 })
  })

  test.each([
    ['Disconnected', [], []],
    ['Connecting', connecting, ['cancelSetup']],
    ['CheckingApiVersions', checking, []],
    ['Authenticating', authenticating, []],
    ['Ready', ready, []],
    ['Throttled', silent, ['cancelThrottle']],
    ['BackingOff', backingOff, ['cancelBackoff']],
    ['AuthenticationFailed', failed, ['cancelBackoff']],
  ])('close in %s ends everything, its timer too', (_, events, exit) => {
    expect(after(...events, close)).toEqual({
      state: 'Closed',
      effects: [...exit, 'closeSocket', 'failClosed'],
      refused: 0,
    })
    expect(after(...events, close, wanted, lost, backoffOver)).toMatchObject({ state: 'Closed', effects: [] })
  })

  test('a request that comes meanwhile changes nothing', () => {
    for (const events of [connecting, checking, authenticating, ready, silent, backingOff, failed])
      expect(after(...events, wanted)).toEqual({ state: after(...events).state, effects: [], refused: 0 })
  })

  test('what no state expects is refused and counted, not dropped', () => {
    expect(after(authenticated)).toMatchObject({ state: 'Disconnected', refused: 1 })
    expect(after(...ready, backoffOver)).toMatchObject({ state: 'Ready', refused: 1 })
  })

  test('from every state the way leads back to requests that flow, except from Closed', () => {
    const events: ConnectionEvent[] = [wanted, opened, plain, secured, authenticated, sessionEnding]
    events.push(refused, lost, throttled, throttleOver, idle, backoffOver, close)
    const states = getShortestPaths(connectionMachine, { events }).map(({ state }) => String(state.value))
    expect(new Set(states)).toEqual(new Set(Object.keys(connectionMachine.states)))
    for (const from of states.filter(state => state !== 'Closed')) {
      const paths = getShortestPaths(connectionMachine, {
        events,
        fromState: connectionMachine.resolveState({ value: from, context: {} }),
      })
      expect(paths.map(({ state }) => String(state.value))).toContain('Ready')
    }
  })
})
