import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ShardEvent, ShardStateName } from './shard.machine.ts'
import { ShardState } from './shard-state.ts'

const host = {
  trace: { on: false, transition: () => {} },
  fail: (reason: unknown) => {
    throw reason
  },
}

function shardAfter(...events: ShardEvent['type'][]): ShardState {
  const shard = new ShardState(host, 'test')
  for (const type of events) shard.send(event(type))
  return shard
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
  expect(shard.current).toBe(from)
  expect(shard.send(event(type)).map(({ name }) => name)).toEqual(effects)
  expect(shard.current).toBe(to)
  expect(shard.refused).toBe(handled ? 0 : 1)
})

test('a closed shard ignores every event', () => {
  const shard = shardAfter('leader.found', 'load.done', 'close')
  for (const type of ['leader.found', 'batch.sent', 'close', 'retry'] as const) {
    expect(shard.send(event(type))).toEqual([])
    expect(shard.current).toBe('Closed')
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
      const shard = new ShardState(host, 'test')
      for (const type of events) {
        const wasActive = shard.isActive
        const names = shard.send(event(type)).map(({ name }) => name)
        expect(names.includes('abandonPending')).toBe(wasActive && !shard.isActive)
        if (shard.current === 'Loading' && type !== 'append.committed') expect(names).not.toContain('admitWaiting')
      }
    }),
  )
})
