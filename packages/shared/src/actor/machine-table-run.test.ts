// A machine that runs by its table does what the same machine does when XState runs it.
import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { effect, runMachine } from './machine-runner.ts'
import { runTable } from './machine-table-run.ts'
import type { TraceEvent } from './trace.ts'

type DoorEvent = { readonly type: 'key' | 'push' | 'knock'; readonly by?: string }

const door = setup({
  types: {} as { events: DoorEvent },
  actions: { click: effect(), swing: effect(), creak: effect(), refuse: effect() },
}).createMachine({
  id: 'door',
  initial: 'Locked',
  on: { '*': { actions: 'refuse' } },
  states: {
    Locked: { on: { key: { target: 'Shut', actions: 'click' } } },
    Shut: { on: { push: 'Open', key: { target: 'Locked', actions: 'click' } } },
    Open: { entry: 'swing', exit: 'creak', on: { push: 'Shut' } },
  },
})

type Told = Omit<TraceEvent, 't' | 'kind' | 'actor'>

/** A host that keeps what it is told. */
function hostOf() {
  const told: Told[] = []
  const failures: unknown[] = []
  const trace = { on: true, transition: (event: Told) => void told.push(event) }
  return { told, failures, trace, fail: (reason: unknown) => void failures.push(reason) }
}

const story: DoorEvent[] = ['push', 'key', 'push', 'key', 'push', 'knock', 'push', 'push', 'key', 'key'].map(type => ({
  type: type as DoorEvent['type'],
}))

test('it goes the same way as with XState, with the same effects, refusals and trace', () => {
  const effectsOf = (names: string[]) => ({
    click: () => void names.push('click'),
    swing: () => void names.push('swing'),
    creak: () => void names.push('creak'),
  })
  const [plain, table] = [hostOf(), hostOf()]
  const [ofPlain, ofTable]: [string[], string[]] = [[], []]
  const running = runMachine(plain, door, { effects: effectsOf(ofPlain) })
  const looked = runTable(table, door, { effects: effectsOf(ofTable) })
  expect(looked.state).toBe(running.state)
  for (const event of story) {
    running.send(event)
    looked.send(event)
    expect(looked.state).toBe(running.state)
  }
  expect(ofTable).toEqual(ofPlain)
  expect(ofTable).toContain('creak')
  expect(looked.refused).toBe(running.refused)
  expect(looked.refused).toBeGreaterThan(0)
  expect(table.told).toEqual(plain.told)
})

test('an effect gets the event, and an event that it sends waits until the step is done', () => {
  const seen: string[] = []
  const effects = {
    click: ({ by }: DoorEvent) => {
      if (run.state === 'Shut') run.send({ type: 'push' })
      seen.push(`${by} turned the key`)
    },
    swing: () => void seen.push('it swings'),
    creak: () => {},
  }
  const run = runTable(hostOf(), door, { effects, settled: () => void seen.push(`settled ${run.state}`) })
  run.send({ type: 'key', by: 'ada' })
  expect(seen).toEqual(['ada turned the key', 'it swings', 'settled Open'])
  expect(run.state).toBe('Open')
})

test('an effect that throws fails the host, and the step is taken', () => {
  const host = hostOf()
  const bug = new Error('stuck')
  const breaks = () => {
    throw bug
  }
  const run = runTable(host, door, { effects: { click: breaks, swing: () => {}, creak: () => {} }, settled: breaks })
  run.send({ type: 'key' })
  expect(host.failures).toEqual([bug, bug])
  expect(run.state).toBe('Shut')
})

test('a machine in a final state refuses events, as with XState', () => {
  const candle = setup({
    types: {} as { events: { readonly type: 'light' | 'burn' } },
    actions: { melt: effect(), refuse: effect() },
  }).createMachine({
    id: 'candle',
    initial: 'Whole',
    on: { burn: '.Gone', '*': { actions: 'refuse' } },
    states: { Whole: {}, Gone: { type: 'final', entry: 'melt' } },
  })
  let melted = 0
  const effects = { melt: () => void melted++ }
  for (const run of [runTable(hostOf(), candle, { effects }), runMachine(hostOf(), candle, { effects })]) {
    melted = 0
    for (const type of ['light', 'burn', 'burn', 'light'] as const) run.send({ type })
    expect([run.state, run.refused, melted]).toEqual(['Gone', 3, 1])
  }
})

test('several of one actor are told apart in traces', () => {
  const host = hostOf()
  runTable(host, door, { subject: 'front', effects: { click() {}, swing() {}, creak() {} } }).send({ type: 'key' })
  expect(host.told).toEqual([
    { machine: 'door', subject: 'front', from: 'Locked', to: 'Shut', event: 'key', effects: ['click'] },
  ])
})

test('a machine whose initial state has effects cannot begin by its table', () => {
  const alarm = setup({ actions: { ring: effect(), refuse: effect() } }).createMachine({
    id: 'alarm',
    initial: 'On',
    on: { '*': { actions: 'refuse' } },
    states: { On: { entry: 'ring' } },
  })
  expect(() => runTable(hostOf(), alarm, { effects: { ring: () => {} } })).toThrow('begins without effects')
})
