// Also the example of how a machine is written and run; see the header of machine-runner.
import { describe, expect, it } from 'vitest'
import { setup } from 'xstate'
import { effect, type MachineHost, runMachine } from './machine-runner.ts'
import type { TraceEvent } from './trace.ts'

type DoorEvent =
  | { readonly type: 'guest.came'; readonly name: string }
  | { readonly type: 'timer.fired' }
  | { readonly type: 'door.break' }

const vocabulary = setup({
  types: {} as { context: { readonly guests: number }; events: DoorEvent; input: { readonly guests: number } },
  actions: {
    greet: effect<{ readonly name: string }>(),
    armTimer: effect<{ readonly delayMs: number }>(),
    refuse: effect(),
  },
})
const countGuest = vocabulary.assign({ guests: ({ context }) => context.guests + 1 })

const doorMachine = vocabulary.createMachine({
  id: 'door',
  context: ({ input }) => ({ guests: input.guests }),
  initial: 'Closed',
  on: { '*': { actions: 'refuse' } },
  states: {
    Closed: {
      on: {
        'guest.came': {
          target: 'Open',
          actions: [countGuest, { type: 'greet', params: ({ event }) => ({ name: event.name }) }],
        },
      },
    },
    Open: {
      initial: 'Waiting',
      entry: { type: 'armTimer', params: { delayMs: 5 } },
      on: { 'timer.fired': 'Closed' },
      states: { Waiting: {} },
    },
  },
})

function door(host: Partial<MachineHost> = {}, greet: (name: string) => void = () => {}) {
  const did: string[] = []
  const machine = runMachine({ trace: silent, fail: () => {}, ...host }, doorMachine, {
    input: { guests: 10 },
    effects: {
      greet: ({ name }) => {
        did.push(`greet ${name}`)
        greet(name)
      },
      armTimer: ({ delayMs }) => void did.push(`arm ${delayMs}`),
    },
  })
  return { machine, did }
}
const silent = { on: false, transition() {} }

describe('a machine in an actor', () => {
  it('runs the effects of a transition in order, with their params', () => {
    const { machine, did } = door()
    machine.send({ type: 'guest.came', name: 'Ada' })
    expect(did).toEqual(['greet Ada', 'arm 5'])
    expect(machine.state).toBe('Open.Waiting')
    expect(machine.context).toEqual({ guests: 11 })
  })

  it('does not compile without an effect, or with params of another type', () => {
    const options = { input: { guests: 0 } }
    const host = { trace: silent, fail() {} }
    // @ts-expect-error greet is missing
    runMachine(host, doorMachine, { ...options, effects: { armTimer: () => {} } })
    const wrong = { greet: () => {}, armTimer: (_: { delayMs: string }) => {} }
    // @ts-expect-error delayMs is a number
    runMachine(host, doorMachine, { ...options, effects: wrong })
    expect(runMachine(host, doorMachine, { ...options, effects: { greet() {}, armTimer() {} } }).state).toBe('Closed')
  })

  it('keeps two runs of one machine apart', () => {
    const [first, second] = [door(), door()]
    first.machine.send({ type: 'guest.came', name: 'Ada' })
    second.machine.send({ type: 'guest.came', name: 'Bob' })
    expect(second.did).toEqual(['greet Bob', 'arm 5'])
    expect(first.did).toEqual(['greet Ada', 'arm 5'])
  })

  it('refuses and counts an event that no state handles', () => {
    const { machine } = door()
    machine.send({ type: 'timer.fired' })
    expect(machine).toMatchObject({ state: 'Closed', refused: 1, lastRefused: 'timer.fired' })
  })

  it('refuses and counts what comes after the end', () => {
    const brief = setup({ types: {} as { events: { type: 'ended' } }, actions: { refuse: effect() } }).createMachine({
      initial: 'Open',
      on: { '*': { actions: 'refuse' } },
      states: { Open: { on: { ended: 'Ended' } }, Ended: { type: 'final' } },
    })
    const machine = runMachine({ trace: silent, fail() {} }, brief, { effects: {} })
    machine.send({ type: 'ended' })
    machine.send({ type: 'ended' })
    expect(machine).toMatchObject({ state: 'Ended', isDone: true, refused: 1, lastRefused: 'ended' })
  })

  it('handles an event that an effect sends after the one that is being handled', () => {
    const states: string[] = []
    const { machine, did } = door({}, () => {
      machine.send({ type: 'timer.fired' })
      states.push(machine.state)
    })
    machine.send({ type: 'guest.came', name: 'Ada' })
    expect(did).toEqual(['greet Ada', 'arm 5'])
    expect(states).toHaveLength(1)
    expect(machine.state).toBe('Closed')
  })

  it('makes a throwing effect the death of the actor, not of the machine', () => {
    const failures: unknown[] = []
    const { machine } = door({ fail: reason => failures.push(reason) }, () => {
      throw new Error('no voice')
    })
    machine.send({ type: 'guest.came', name: 'Ada' })
    expect(failures).toEqual([new Error('no voice')])
    expect(machine.state).toBe('Open.Waiting')
  })

  it('traces each transition by itself while somebody watches', () => {
    const events: Omit<TraceEvent, 't' | 'kind' | 'actor'>[] = []
    const { machine } = door({ trace: { on: true, transition: event => void events.push(event) } }, () =>
      machine.send({ type: 'timer.fired' }),
    )
    machine.send({ type: 'guest.came', name: 'Ada' })
    expect(events).toEqual([
      { machine: 'door', from: 'Closed', to: 'Open.Waiting', event: 'guest.came', effects: ['greet', 'armTimer'] },
      { machine: 'door', from: 'Open.Waiting', to: 'Closed', event: 'timer.fired', effects: [] },
    ])
  })

  it('does not run a machine whose root would drop events silently', () => {
    const careless = setup({ actions: { refuse: effect() } }).createMachine({ initial: 'Idle', states: { Idle: {} } })
    expect(() => runMachine({ trace: silent, fail() {} }, careless, { effects: {} })).toThrow(/must refuse/)
  })
})
