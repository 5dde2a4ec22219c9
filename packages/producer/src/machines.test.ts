// The producer's two machines as tables: (state, event) -> (state, effects). What no row names is refused, never dropped silently.
import { runMachine } from '@odradek/shared/actor/machine-runner'
import { runTable } from '@odradek/shared/actor/machine-table-run'
import { describe, expect, test } from 'vitest'
import { type ProducerTransactionEvent, producerTransactionMachine } from './producer-transaction.machine.ts'
import { type SenderEvent, senderMachine } from './sender.machine.ts'

const ERROR = { code: 'ODK_BROKER_ERROR', message: 'no' }
const identity = { producerId: 7, producerEpoch: 0 }

const host = {
  trace: { on: false, transition() {} },
  fail(reason: unknown) {
    throw reason
  },
}

/** Effects that note their names. */
function noting<const N extends string>(names: readonly N[]) {
  const run: string[] = []
  const effects = Object.fromEntries(names.map(name => [name, () => void run.push(name)])) as { [K in N]: () => void }
  return { run, effects }
}

describe('sender', () => {
  const names = ['requestProducerId', 'useIdentity', 'armRetry', 'drain', 'failAll'] as const

  function at(needsProducerId: boolean, ...events: SenderEvent[]) {
    const { run, effects } = noting(names)
    const machine = runMachine(host, senderMachine, { input: { needsProducerId }, effects })
    for (const event of events) {
      run.length = 0
      machine.send(event)
    }
    return { state: machine.state, effects: run, refused: machine.refused }
  }

  const assigned: SenderEvent = { type: 'producerId.assigned', identity }
  const failed: SenderEvent = { type: 'producer.failed', error: ERROR }

  test.each<[string, boolean, SenderEvent[], string, string[]]>([
    ['begins by asking for an id', true, [], 'Identifying', ['requestProducerId']],
    ['without need of an id it sends at once', false, [], 'Sending', ['drain']],
    ['an id lets it send', true, [assigned], 'Sending', ['useIdentity', 'drain']],
    ['a refusal waits', true, [{ type: 'producerId.refused' }], 'Identifying', ['armRetry']],
    [
      'then asks again',
      true,
      [{ type: 'producerId.refused' }, { type: 'retry.due' }],
      'Identifying',
      ['requestProducerId'],
    ],
    [
      'a used-up epoch needs a new id',
      true,
      [assigned, { type: 'epoch.exhausted' }],
      'Identifying',
      ['requestProducerId'],
    ],
    ['a fatal error fails everything', true, [assigned, failed], 'Failed', ['failAll']],
    ['a late id changes nothing after it', true, [failed, assigned], 'Failed', []],
    ['closing fails what is left', false, [{ type: 'sender.close' }], 'Closed', ['failAll']],
    ['closing works after a failure', false, [failed, { type: 'sender.close' }], 'Closed', ['failAll']],
  ])('%s', (_, needsProducerId, events, state, effects) => {
    expect(at(needsProducerId, ...events)).toEqual({ state, effects, refused: 0 })
  })

  test('an event out of place is refused and counted', () => {
    expect(at(false, assigned)).toMatchObject({ state: 'Sending', refused: 1 })
  })
})

describe('producer-transaction', () => {
  const names = [
    'initProducerId',
    'useIdentity',
    'drain',
    'keepError',
    'dropBatches',
    'commitTransaction',
    'abortTransaction',
    'failAll',
  ] as const
  const init: ProducerTransactionEvent = { type: 'transactions.init' }
  const ready: ProducerTransactionEvent[] = [init, { type: 'init.succeeded', identity }]
  const open: ProducerTransactionEvent[] = [...ready, { type: 'transaction.begin' }]
  const failed: ProducerTransactionEvent = { type: 'transaction.failed', error: ERROR }
  const fatal: ProducerTransactionEvent = { type: 'transaction.fatal', error: ERROR }
  const commit: ProducerTransactionEvent = { type: 'transaction.commit' }
  const abort: ProducerTransactionEvent = { type: 'transaction.abort' }
  const ended: ProducerTransactionEvent = { type: 'transaction.ended', identity }

  function after(...events: ProducerTransactionEvent[]) {
    const { run, effects } = noting(names)
    const machine = runTable(host, producerTransactionMachine, { effects })
    for (const event of events) {
      run.length = 0
      machine.send(event)
    }
    return { state: machine.state, effects: run, refused: machine.refused }
  }

  test.each<[string, ProducerTransactionEvent[], string, string[]]>([
    ['begins without an id', [], 'Uninitialized', []],
    ['init asks the coordinator', [init], 'Initializing', ['initProducerId']],
    ['and leads to Ready', ready, 'Ready', ['useIdentity']],
    ['a failed init may be tried again', [init, { type: 'init.failed' }, init], 'Initializing', ['initProducerId']],
    ['a transaction lets batches go', open, 'InTransaction', ['drain']],
    ['a commit ends it', [...open, commit], 'CommittingTransaction', ['commitTransaction']],
    ['and then the next may begin', [...open, commit, ended], 'Ready', ['useIdentity']],
    [
      'an abort drops what waits and ends it',
      [...open, abort],
      'AbortingTransaction',
      ['dropBatches', 'abortTransaction'],
    ],
    ['a failure drops everything', [...open, failed], 'AbortableError', ['keepError', 'dropBatches']],
    ['a failure during the commit too', [...open, commit, failed], 'AbortableError', ['keepError', 'dropBatches']],
    [
      'from which an abort leads on',
      [...open, failed, abort],
      'AbortingTransaction',
      ['dropBatches', 'abortTransaction'],
    ],
    ['to Ready', [...open, failed, abort, ended], 'Ready', ['useIdentity']],
    ['a fatal error is final', [...open, fatal, abort], 'FatalError', []],
    ['wherever it happens', [init, fatal], 'FatalError', ['keepError', 'failAll']],
  ])('%s', (_, events, state, effects) => {
    expect(after(...events)).toEqual({ state, effects, refused: 0 })
  })

  test.each<[string, ProducerTransactionEvent[]]>([
    ['a commit without a transaction', [...ready, commit]],
    ['a second begin', [...open, { type: 'transaction.begin' }]],
    ['a commit after a failure', [...open, failed, commit]],
    ['an end that nobody asked for', [...open, ended]],
  ])('%s is refused', (_, events) => {
    expect(after(...events).refused).toBe(1)
  })
})
