// A table of steps says what the machine does.
import { expect, test } from 'vitest'
import { createActor, setup } from 'xstate'
import { effect, stateName } from './machine-runner.ts'
import { machineSteps } from './machine-steps.ts'

const lamp = setup({
  types: {} as { events: { type: 'press' } | { type: 'cut' } },
  actions: { glow: effect(), darken: effect(), click: effect(), refuse: effect() },
}).createMachine({
  id: 'lamp',
  initial: 'Off',
  on: { '*': { actions: 'refuse' } },
  states: {
    Off: { on: { press: { target: 'On', actions: 'click' } } },
    On: {
      initial: 'dim',
      exit: 'darken',
      states: { dim: { on: { press: 'bright' } }, bright: { entry: 'glow', on: { press: '#lamp.Off' } } },
    },
  },
})

test('a step is the state that is entered and the effects in order', () => {
  const step = machineSteps(lamp)
  expect(step('Off', 'press')).toEqual({ to: 'On.dim', effects: ['click'], isFinal: false })
  expect(step('On.dim', 'press')).toEqual({ to: 'On.bright', effects: ['glow'], isFinal: false })
  expect(step('On.bright', 'press')).toEqual({ to: 'Off', effects: ['darken'], isFinal: false })
})

test('an event that the machine does not know there is refused and moves nothing', () => {
  expect(machineSteps(lamp)('On.dim', 'cut')).toEqual({ to: 'On.dim', effects: ['refuse'], isFinal: false })
})

test('steps go the way of the running machine', () => {
  const step = machineSteps(lamp)
  const running = createActor(lamp).start()
  let state = 'Off'
  for (let press = 0; press < 7; press++) {
    running.send({ type: 'press' })
    state = step(state, 'press').to
    expect(stateName(running.getSnapshot().value)).toBe(state)
  }
})

test('a machine with guards has no table', () => {
  const guarded = setup({ types: {} as { events: { type: 'go' } }, guards: { may: () => true } }).createMachine({
    on: { go: { guard: 'may' } },
  })
  expect(() => machineSteps(guarded)).toThrow('no guards')
})
