import { recordedTable } from '@odradek/shared/actor/recorded-machine.suite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isActive, type ShardEvent, type ShardStateName, shardMachine } from './shard.machine.ts'

/** The machine after these events, and a step from there: what it does and where it leads. */
function shardAfter(...events: ShardEvent['type'][]) {
  const { run, effects } = recordedTable(shardMachine)
  for (const type of events) run.send(event(type))
  return {
    get state() {
      return run.state as ShardStateName
    },
    get refused() {
      return run.refused
    },
    send(type: ShardEvent['type']): string[] {
      effects.length = 0
      run.send(event(type))
      return [...effects]
    },
  }
}

function event(type: ShardEvent['type']): ShardEvent {
  return { type, reason: 'because' } as ShardEvent
}

const paths: Record<ShardStateName, ShardEvent['type'][]> = {
  Initial: [],
  Loading: ['leader.found'],
  'Active.idle': ['leader.found', 'load.done'],
  'Active.appending': ['leader.found', 'load.done', 'batch.sent'],
  'Active.atBarrier': ['leader.found', 'load.done', 'barrier.sent'],
  Failed: ['leader.found', 'leader.lost'],
  Closed: ['close'],
}

const table: [ShardStateName, ShardEvent['type'], ShardStateName, string[]][] = [
  ['Initial', 'leader.found', 'Loading', ['startLoading']],
  ['Initial', 'leader.lost', 'Failed', []],
  ['Loading', 'load.done', 'Active.idle', ['finishLoading', 'admitWaiting', 'sendNext']],
  ['Loading', 'load.failed', 'Failed', ['armRetry']],
  ['Loading', 'leader.found', 'Loading', ['startLoading']],
  ['Loading', 'leader.lost', 'Failed', []],
  ['Active.idle', 'batch.sent', 'Active.appending', []],
  ['Active.idle', 'barrier.sent', 'Active.atBarrier', []],
  ['Active.idle', 'leader.found', 'Loading', ['abandonPending', 'startLoading']],
  ['Active.appending', 'append.committed', 'Active.idle', ['admitWaiting', 'sendNext']],
  ['Active.appending', 'append.failed', 'Loading', ['abandonPending', 'startLoading']],
  ['Active.appending', 'leader.lost', 'Failed', ['abandonPending']],
  ['Active.appending', 'close', 'Closed', ['abandonPending', 'refuseEverything']],
  ['Active.atBarrier', 'barrier.passed', 'Active.idle', ['admitWaiting', 'sendNext']],
  ['Active.atBarrier', 'append.failed', 'Loading', ['abandonPending', 'startLoading']],
  ['Failed', 'retry', 'Loading', ['cancelRetry', 'startLoading']],
  ['Failed', 'leader.found', 'Loading', ['cancelRetry', 'startLoading']],
  ['Failed', 'leader.lost', 'Failed', ['cancelRetry']],
  ['Failed', 'close', 'Closed', ['cancelRetry', 'refuseEverything']],
  ['Initial', 'append.committed', 'Initial', []],
  ['Active.idle', 'append.committed', 'Active.idle', []],
  ['Active.appending', 'batch.sent', 'Active.appending', []],
]

const refused = new Set(['Initial append.committed', 'Active.idle append.committed', 'Active.appending batch.sent'])

test.each(table)('in %s, %s leads to %s with %j', (from, type, to, effects) => {
  const handled = !refused.has(`${from} ${type}`)
  const shard = shardAfter(...paths[from])
  expect(shard.state).toBe(from)
  expect(shard.send(type)).toEqual(effects)
  expect(shard.state).toBe(to)
  expect(shard.refused).toBe(handled ? 0 : 1)
})

test('a closed shard ignores every event', () => {
  const shard = shardAfter('leader.found', 'load.done', 'close')
  for (const type of ['leader.found', 'batch.sent', 'close', 'retry'] as const) {
    expect(shard.send(type)).toEqual([])
    expect(shard.state).toBe('Closed')
  }
})

test('whatever happens, a shard that was active abandons what is pending before it loads or fails', () => {
  const types = [
    'leader.found',
    'leader.lost',
    'load.done',
    'load.failed',
    'retry',
    'batch.sent',
    'append.committed',
    'append.failed',
    'barrier.sent',
    'barrier.passed',
  ] as const
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...types), { maxLength: 40 }), events => {
      const shard = shardAfter()
      for (const type of events) {
        const wasActive = isActive(shard.state)
        const names = shard.send(type)
        expect(names.includes('abandonPending')).toBe(wasActive && !isActive(shard.state))
        if (shard.state === 'Loading' && type !== 'append.committed') expect(names).not.toContain('admitWaiting')
      }
    }),
  )
})
