// The transaction machine as a table, and every path through it: nothing is shown before its record is logged, nothing decided is undone.
import { describe, expect, it } from 'vitest'
import { getShortestPaths } from 'xstate/graph'
import { assertTransactionInvariants, type TransactionEvent, transactionMachine } from './transaction.machine.ts'
import {
  knownStepOf,
  restingState,
  statusOf,
  stepOf,
  type TransactionEffect,
  type TransactionState,
} from './transaction-steps.ts'

type EventName = TransactionEvent['type']

const events: readonly EventName[] = [
  'producer.init',
  'partitions.add',
  'partitions.verify',
  'end.commit',
  'end.abort',
  'end.commit.again',
  'end.abort.again',
  'timeout.passed',
  'record.logged',
  'markers.written',
  'id.expired',
  'recovered',
]

/** From a resting state: event -> state after the record is logged, and effects (decision / commit). `-`: not known there. */
function line(from: TransactionState, event: EventName): string {
  const step = stepOf(from, event)
  if (step.effects.includes('refuse')) return '-'
  if (!step.effects.includes('append')) return `${step.to === from ? 'stays' : step.to}: ${step.effects.join(' ')}`
  const logged = knownStepOf(step.to, 'record.logged')
  return `${logged.to}: ${step.effects.join(' ')} / ${logged.effects.join(' ')}`
}

function table(from: TransactionState): Record<string, string> {
  return Object.fromEntries(events.map(event => [event, line(from, event)]).filter(([, what]) => what !== '-'))
}

const settledAnswers = {
  'producer.init': 'Empty.settled: append / answer',
  'partitions.add': 'Ongoing.open: append / answer',
  'partitions.verify': 'stays: answer',
  'end.abort': 'PrepareAbort.markersOwed: append / sendMarkers',
  'end.commit': 'stays: refuseEnd',
  'id.expired': 'Dead.forgotten: append / ',
}
const owedAnswers = {
  'producer.init': 'stays: park',
  'partitions.add': 'stays: park',
  'partitions.verify': 'stays: park',
  recovered: 'stays: sendMarkers',
}

describe('what each event does in each state', () => {
  it.each([
    ['Dead.forgotten', { 'producer.init': 'Empty.settled: append / answer' }],
    ['Empty.settled', settledAnswers],
    [
      'Ongoing.open',
      {
        'producer.init': 'PrepareAbort.markersOwed: park append / sendMarkers',
        'partitions.add': 'Ongoing.open: append / answer',
        'partitions.verify': 'stays: answer',
        'end.commit': 'PrepareCommit.markersOwed: append / sendMarkers',
        'end.abort': 'PrepareAbort.markersOwed: append / sendMarkers',
        'timeout.passed': 'PrepareAbort.markersOwed: append / sendMarkers',
      },
    ],
    [
      'PrepareCommit.markersOwed',
      {
        ...owedAnswers,
        'end.commit.again': 'stays: park',
        'end.abort.again': 'stays: refuseEnd',
        'markers.written': 'CompleteCommit.settled: append / answer wake',
      },
    ],
    [
      'PrepareAbort.markersOwed',
      {
        ...owedAnswers,
        'end.abort.again': 'stays: park',
        'end.commit.again': 'stays: refuseEnd',
        'markers.written': 'CompleteAbort.settled: append / answer wake',
      },
    ],
    [
      'CompleteCommit.settled',
      { ...settledAnswers, 'end.commit.again': 'stays: answer', 'end.abort.again': 'stays: refuseEnd' },
    ],
    [
      'CompleteAbort.settled',
      { ...settledAnswers, 'end.abort.again': 'stays: answer', 'end.commit.again': 'stays: refuseEnd' },
    ],
  ] as const)('%s', (from, expected) => {
    expect(table(from)).toEqual(expected)
  })

  it('while a record is on its way to the log nothing but its arrival moves the machine', () => {
    const logging = [
      'Dead.logging',
      'Empty.logging',
      'Ongoing.logging',
      'PrepareEpochFence',
      'PrepareCommit.logging',
    ] as const
    for (const state of [
      ...logging,
      'PrepareAbort.logging',
      'CompleteCommit.logging',
      'CompleteAbort.logging',
    ] as const)
      expect(Object.keys(table(state)), state).toEqual(['record.logged'])
  })
})

describe('on every shortest path through the machine', () => {
  const paths = getShortestPaths(transactionMachine, { events: events.map(type => ({ type })) })
  const visible: ReadonlySet<TransactionEffect> = new Set(['sendMarkers', 'answer', 'wake'])

  it('every state of Kafka is reached', () => {
    const reached = new Set(paths.map(({ state }) => statusOf(leafOf(state.value))))
    expect([...reached].sort()).toEqual([
      'CompleteAbort',
      'CompleteCommit',
      'Dead',
      'Empty',
      'Ongoing',
      'PrepareAbort',
      'PrepareCommit',
      'PrepareEpochFence',
    ])
  })

  it('nothing is shown of a state before its record is logged, and every move is logged', () => {
    for (const { state } of paths) {
      const from = leafOf(state.value)
      for (const event of events) {
        const { to, effects } = stepOf(from, event)
        if (effects.includes('refuse')) continue
        if (statusOf(to) !== statusOf(from) && event !== 'record.logged') {
          expect(effects, `${from} ${event}`).toContain('append')
          expect(
            effects.filter(effect => visible.has(effect)),
            `${from} ${event}`,
          ).toEqual([])
        }
      }
    }
  })

  it('a decision is never changed: from Prepare only Complete of the same outcome follows', () => {
    for (const outcome of ['Commit', 'Abort'] as const) {
      const targets = events.map(event => statusOf(stepOf(`Prepare${outcome}.markersOwed`, event).to))
      expect([...new Set(targets)].sort()).toEqual([`Complete${outcome}`, `Prepare${outcome}`])
    }
  })

  it('the invariants hold for what the state has by then', () => {
    for (const { state } of paths) {
      const status = statusOf(leafOf(state.value))
      if (status === 'PrepareEpochFence') continue
      const open = status === 'Ongoing' || status.startsWith('Prepare')
      const facts = { producerId: status === 'Dead' ? -1 : 7, partitions: open ? 2 : 0, startMs: open ? 5 : -1 }
      const markerOrders = status.startsWith('Prepare') ? 1 : 0
      expect(() => assertTransactionInvariants(status, { ...facts, markerOrders })).not.toThrow()
      expect(() => assertTransactionInvariants(status, { ...facts, markerOrders: 1 - markerOrders })).toThrow()
    }
  })

  it('a status that is loaded rests where its record is logged', () => {
    for (const status of [
      'Empty',
      'Ongoing',
      'PrepareCommit',
      'PrepareAbort',
      'CompleteCommit',
      'CompleteAbort',
    ] as const) {
      expect(knownStepOf(`${status}.logging`, 'record.logged').to).toBe(restingState(status))
    }
  })
})

function leafOf(value: unknown): TransactionState {
  if (typeof value === 'string') return value as TransactionState
  const [status, substate] = Object.entries(value as object)[0]!
  return `${status}.${substate}` as TransactionState
}
