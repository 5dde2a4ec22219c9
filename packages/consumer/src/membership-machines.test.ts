import { describe, expect, it } from 'vitest'
import { type ClassicMembershipEvent, classicMembershipMachine } from './classic-membership.machine.ts'
import { type ConsumerEvent, consumerMachine } from './consumer.machine.ts'
import { type ConsumerMembershipEvent, consumerMembershipMachine } from './consumer-membership.machine.ts'
import { shortestPaths, step, walk } from './machine-walk.suite.ts'

const error = { code: 'ODK_BROKER_ERROR', message: 'refused' }
const of = (type: string) => ({ type, error, partitions: [], subscription: { topics: [], pattern: null } })
const path = (text: string) => (text === '' ? [] : text.split(' ').map(of))

type Row = readonly [before: string, event: string, state: string, effects: readonly string[]]

describe('the membership of a classic group', () => {
  const steady = 'subscribed prepared joined synced assigned'
  const table: readonly Row[] = [
    ['', 'subscribed', 'Unjoined.Preparing', ['prepareJoin']],
    ['', 'leave.requested', 'Leaving', ['leave']],
    ['subscribed', 'prepared', 'PreparingRebalance', ['sendJoin']],
    ['subscribed', 'step.failed', 'Unjoined.Waiting', ['armRetry']],
    ['subscribed step.failed', 'retry.due', 'Unjoined.Preparing', ['cancelRetry', 'prepareJoin']],
    ['subscribed step.failed', 'leave.requested', 'Leaving', ['cancelRetry', 'leave']],
    ['subscribed prepared', 'join.again', 'PreparingRebalance', ['sendJoin']],
    ['subscribed prepared', 'joined', 'CompletingRebalance', ['startHeartbeat', 'sendSync']],
    ['subscribed prepared', 'membership.lost', 'Unjoined.Preparing', ['loseMembership', 'prepareJoin']],
    ['subscribed prepared', 'generation.lost', 'Unjoined.Preparing', ['loseGeneration', 'prepareJoin']],
    ['subscribed prepared', 'step.failed', 'Unjoined.Waiting', ['armRetry']],
    ['subscribed prepared', 'failed', 'Fatal', ['loseMembership', 'tellFailure']],
    [
      'subscribed prepared joined',
      'synced',
      'Stable.Assigning',
      ['stopHeartbeat', 'startHeartbeat', 'applyAssignment'],
    ],
    ['subscribed prepared joined', 'rebalance.started', 'PreparingRebalance', ['stopHeartbeat', 'sendJoin']],
    ['subscribed prepared joined', 'step.failed', 'Unjoined.Waiting', ['stopHeartbeat', 'armRetry']],
    ['subscribed prepared joined synced', 'assigned', 'Stable.Steady', []],
    ['subscribed prepared joined synced rebalance.started', 'assigned', 'Stable.Revoking', ['prepareJoin']],
    ['subscribed prepared joined subscribed synced', 'assigned', 'Stable.Revoking', ['prepareJoin']],
    [steady, 'rebalance.started', 'Stable.Revoking', ['prepareJoin']],
    [steady, 'rejoin.requested', 'Stable.Revoking', ['prepareJoin']],
    [steady, 'subscribed', 'Stable.Revoking', ['prepareJoin']],
    [`${steady} rebalance.started`, 'prepared', 'PreparingRebalance', ['stopHeartbeat', 'sendJoin']],
    [steady, 'membership.lost', 'Unjoined.Preparing', ['stopHeartbeat', 'loseMembership', 'prepareJoin']],
    [steady, 'generation.lost', 'Unjoined.Preparing', ['stopHeartbeat', 'loseGeneration', 'prepareJoin']],
    [steady, 'poll.expired', 'Stale', ['stopHeartbeat', 'leaveStale']],
    [`${steady} poll.expired`, 'polled', 'Unjoined.Preparing', ['prepareJoin']],
    [steady, 'leave.requested', 'Leaving', ['stopHeartbeat', 'leave']],
    [`${steady} leave.requested`, 'left', 'Unsubscribed', []],
    [`${steady} failed`, 'leave.requested', 'Leaving', ['leave']],
    [steady, 'joined', 'Stable.Steady', []],
  ]

  it.each(table)('after "%s", %s leads to %s', (before, event, state, effects) => {
    expect(step(classicMembershipMachine, path(before), of(event))).toMatchObject({ state, effects })
  })

  const types: ClassicMembershipEvent['type'][] = [
    'subscribed',
    'prepared',
    'retry.due',
    'joined',
    'join.again',
    'synced',
    'assigned',
    'rebalance.started',
    'rejoin.requested',
    'step.failed',
    'membership.lost',
    'generation.lost',
    'poll.expired',
    'polled',
    'leave.requested',
    'left',
    'failed',
  ]

  it('refuses an answer that nobody waits for', () => {
    expect(walk(classicMembershipMachine, path(`${steady} joined`)).refused).toBe(1)
  })

  it('reaches every state, and in each keeps what is said of it', () => {
    const paths = shortestPaths(classicMembershipMachine, types.map(of))
    const states = new Set(paths.map(way => walk(classicMembershipMachine, way).state))
    expect([...states].sort()).toEqual([
      'CompletingRebalance',
      'Fatal',
      'Leaving',
      'PreparingRebalance',
      'Stable.Assigning',
      'Stable.Revoking',
      'Stable.Steady',
      'Stale',
      'Unjoined.Preparing',
      'Unjoined.Waiting',
      'Unsubscribed',
    ])
    for (const way of paths) {
      const { state, effects, heartbeating } = walk(classicMembershipMachine, way)
      const last = (name: string) => effects.lastIndexOf(name)
      expect(heartbeating, state).toBe(state === 'CompletingRebalance' || state.startsWith('Stable'))
      expect(last('startHeartbeat') > last('stopHeartbeat'), state).toBe(heartbeating)
      if (state.startsWith('Stable')) expect(last('sendSync')).toBeGreaterThan(last('sendJoin'))
      expect(last('armRetry') > last('cancelRetry'), state).toBe(state === 'Unjoined.Waiting')
      // Whatever happens, a member can leave.
      if (state !== 'Leaving') expect(step(classicMembershipMachine, way, of('leave.requested')).state).toBe('Leaving')
    }
  })
})

describe('the membership of the consumer protocol', () => {
  const stable = 'subscribed confirmed'
  const table: readonly Row[] = [
    ['', 'subscribed', 'Joining', ['joinAnew', 'heartbeatNow']],
    ['subscribed', 'confirmed', 'Stable', []],
    ['subscribed', 'target.received', 'Reconciling', ['reconcile']],
    ['subscribed target.received', 'target.received', 'Reconciling', []],
    ['subscribed target.received', 'reconciled', 'Acknowledging', ['heartbeatNow']],
    ['subscribed target.received reconciled', 'confirmed', 'Stable', []],
    ['subscribed target.received target.received', 'reconciled', 'Reconciling', ['heartbeatNow', 'reconcile']],
    ['subscribed target.received target.received reconciled', 'reconciled', 'Acknowledging', ['heartbeatNow']],
    ['subscribed target.received reconciled', 'target.received', 'Reconciling', ['reconcile']],
    [stable, 'target.received', 'Reconciling', ['reconcile']],
    [stable, 'subscribed', 'Stable', ['heartbeatNow']],
    [stable, 'member.fenced', 'Fenced', ['stopHeartbeat', 'tellLoss']],
    [`${stable} member.fenced`, 'loss.told', 'Joining', ['joinAnew', 'heartbeatNow']],
    [`${stable} target.received`, 'member.fenced', 'Fenced', ['stopHeartbeat', 'tellLoss']],
    [stable, 'poll.expired', 'Stale', ['stopHeartbeat', 'leaveStale']],
    [`${stable} poll.expired`, 'polled', 'Joining', ['joinAnew', 'heartbeatNow']],
    [stable, 'leave.requested', 'PrepareLeaving', ['stopHeartbeat', 'release']],
    [`${stable} leave.requested`, 'member.fenced', 'PrepareLeaving', ['forgetEpoch']],
    [`${stable} leave.requested`, 'released', 'Leaving', ['sendLeave']],
    [`${stable} leave.requested released`, 'left', 'Unsubscribed', []],
    [stable, 'failed', 'Fatal', ['tellFailure', 'tellLoss', 'stopHeartbeat']],
    [`${stable} failed`, 'leave.requested', 'PrepareLeaving', ['stopHeartbeat', 'release']],
  ]

  it.each(table)('after "%s", %s leads to %s', (before, event, state, effects) => {
    expect(step(consumerMembershipMachine, path(before), of(event))).toMatchObject({ state, effects })
  })

  const types: ConsumerMembershipEvent['type'][] = [
    'subscribed',
    'confirmed',
    'target.received',
    'reconciled',
    'member.fenced',
    'loss.told',
    'poll.expired',
    'polled',
    'leave.requested',
    'released',
    'left',
    'failed',
  ]

  it('reaches every state, and in each keeps what is said of it', () => {
    const paths = shortestPaths(consumerMembershipMachine, types.map(of))
    const states = new Set(paths.map(way => walk(consumerMembershipMachine, way).state))
    expect([...states].sort()).toEqual([
      'Acknowledging',
      'Fatal',
      'Fenced',
      'Joining',
      'Leaving',
      'PrepareLeaving',
      'Reconciling',
      'Stable',
      'Stale',
      'Unsubscribed',
    ])
    for (const way of paths) {
      const { state, effects, heartbeating, context } = walk(consumerMembershipMachine, way)
      expect(heartbeating, state).toBe(['Joining', 'Reconciling', 'Acknowledging', 'Stable'].includes(state))
      if ('targetPending' in context && context.targetPending) expect(state).not.toBe('Stable')
      // What was said after the last loss begins with a new epoch.
      if (heartbeating) expect(effects.lastIndexOf('joinAnew')).toBeGreaterThan(effects.lastIndexOf('tellLoss'))
      if (state !== 'Leaving') {
        expect(step(consumerMembershipMachine, way, of('leave.requested')).state).toBe('PrepareLeaving')
      }
    }
  })
})

describe('the consumer', () => {
  const table: readonly Row[] = [
    ['', 'partitions.assigned', 'Assigned', ['replaceAssignment']],
    ['', 'topics.subscribed', 'Subscribed', ['subscribe']],
    ['', 'unsubscribed', 'Idle', []],
    ['partitions.assigned', 'partitions.assigned', 'Assigned', ['replaceAssignment']],
    ['partitions.assigned', 'unsubscribed', 'Idle', ['replaceAssignment']],
    ['partitions.assigned', 'topics.subscribed', 'Assigned', []],
    ['topics.subscribed', 'topics.subscribed', 'Subscribed', ['subscribe']],
    ['topics.subscribed', 'partitions.assigned', 'Subscribed', []],
    ['topics.subscribed', 'unsubscribed', 'Idle', []],
    ['topics.subscribed', 'close.requested', 'Closing', ['finish']],
    ['close.requested', 'closed', 'Closed', []],
  ]

  it.each(table)('after "%s", %s leads to %s', (before, event, state, effects) => {
    expect(step(consumerMachine, path(before), of(event))).toMatchObject({ state, effects })
  })

  it('never assigns what is subscribed, nor the reverse', () => {
    const types: ConsumerEvent['type'][] = [
      'partitions.assigned',
      'topics.subscribed',
      'unsubscribed',
      'close.requested',
      'closed',
    ]
    const paths = shortestPaths(consumerMachine, types.map(of))
    expect(paths).toHaveLength(5)
    expect(walk(consumerMachine, path('topics.subscribed partitions.assigned')).refused).toBe(1)
    expect(walk(consumerMachine, path('partitions.assigned topics.subscribed')).refused).toBe(1)
  })
})
