import { describe, expect, it } from 'vitest'
import { getShortestPaths } from 'xstate/graph'
import { limits } from '../base/limits.ts'
import { runMachine } from './machine-runner.ts'
import { type SupervisorEvent, supervisorMachine } from './supervisor.machine.ts'

const died = { type: 'actor.died', reason: 'a bug', now: 1, chance: 0 } as const
const notStarted = { ...died, type: 'actor.notStarted' } as const
const started = { type: 'actor.started' } as const
const close = { type: 'actor.close' } as const
const ended = { type: 'actor.ended' } as const
const elapsed = { type: 'backoff.elapsed' } as const

/** A supervisor after these events; `did` lists its effects, without those before the last event. */
function after(events: readonly SupervisorEvent[], onDeath: 'restart' | 'stop' = 'restart') {
  let did: string[] = []
  const machine = runMachine(
    { trace: { on: false, transition() {} }, fail: reason => expect.unreachable(String(reason)) },
    supervisorMachine,
    {
      input: { onDeath, policy: limits },
      effects: {
        startActor: ({ incarnation }) => void did.push(`start ${incarnation}`),
        closeActor: () => void did.push('close'),
        armBackoff: ({ delayMs }) => void did.push(`arm ${delayMs}`),
        cancelBackoff: () => void did.push('cancel'),
        announceRunning: () => void did.push('announce running'),
        announceEnd: ({ reason }) => void did.push(`announce end: ${reason}`),
      },
    },
  )
  for (const event of events) {
    did = []
    machine.send(event)
  }
  return { state: machine.state, did, refused: machine.refused, context: machine.context }
}

describe('the supervisor of an actor', () => {
  it.each<[string, SupervisorEvent[], string, string[]]>([
    ['starts the first incarnation at once', [], 'Starting', ['start 1']],
    ['tells the spawner when it runs', [started], 'Running', ['announce running']],
    ['gives up when the first start fails', [notStarted], 'Failed', ['announce end: a bug']],
    ['backs off after a death', [started, died], 'BackingOff', ['arm 10']],
    ['starts the next incarnation after the backoff', [started, died, elapsed], 'Starting', ['start 2']],
    ['backs off longer when a restart fails', [started, died, elapsed, notStarted], 'BackingOff', ['arm 20']],
    ['closes what runs', [started, close], 'Closing', ['close']],
    ['closes what starts', [close], 'Closing', ['close']],
    ['closes what waits for its next start', [started, died, close], 'Closing', ['cancel', 'close']],
    ['tells the spawner when it is closed', [started, close, ended], 'Closed', ['announce end: closed']],
    ['does not restart what dies while it closes', [started, close, died], 'Closing', []],
    ['does not take a late start for a life', [close, started], 'Closing', []],
  ])('%s', (_, events, state, did) => {
    expect(after(events)).toMatchObject({ state, did, refused: 0 })
  })

  it('does not restart what should stop on death', () => {
    expect(after([started, died], 'stop')).toMatchObject({ state: 'Failed', did: ['announce end: a bug'] })
  })

  it('gives up after too many deaths in a short time', () => {
    const lives = Array.from({ length: limits.restartsMax }, () => [started, died, elapsed]).flat()
    expect(after(lives).state).toBe('Starting')
    expect(after([...lives, started, died])).toMatchObject({ state: 'Failed', did: ['announce end: a bug'] })
  })

  it('keeps its invariants on every shortest path', () => {
    const paths = getShortestPaths(supervisorMachine, {
      input: { onDeath: 'restart', policy: limits },
      events: [died, notStarted, started, close, ended, elapsed],
      limit: 3_000,
      stopWhen: snapshot => snapshot.context.incarnation > 3,
      serializeState: ({ value, context }) => `${String(value)} ${context.incarnation} ${context.deaths.length}`,
    })
    const states = new Set(paths.map(({ state }) => String(state.value)))
    expect(states).toEqual(new Set(['Starting', 'Running', 'BackingOff', 'Closing', 'Closed', 'Failed']))
    for (const { state } of paths) {
      const { incarnation, deaths, delayMs } = state.context
      expect(incarnation).toBeGreaterThanOrEqual(1)
      expect(incarnation).toBeLessThanOrEqual(deaths.length + 1)
      if (state.value === 'BackingOff') expect(delayMs).toBeGreaterThan(0)
    }
  })
})
