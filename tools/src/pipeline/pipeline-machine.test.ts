// When a pipeline may do what: every transition by its rule, and what is true in each state on every shortest path.

import { runMachine } from '@odradek/shared/actor/machine-runner'
import { describe, expect, test } from 'vitest'
import { type PipelineEvent, pipelineMachine } from './pipeline.machine.ts'

const error = new Error('fenced')
const events = {
  started: { type: 'pipeline.started' },
  initialized: { type: 'transactions.initialized' },
  wanted: { type: 'transaction.wanted' },
  begun: { type: 'transaction.begun' },
  commit: { type: 'commit.wanted' },
  committed: { type: 'transaction.committed' },
  abort: { type: 'abort.wanted' },
  failed: { type: 'transaction.failed' },
  aborted: { type: 'transaction.aborted' },
  rewound: { type: 'rewound' },
  lost: { type: 'sender.lost' },
  fatal: { type: 'pipeline.fatal', error },
  stopped: { type: 'stopped' },
} as const satisfies { readonly [name: string]: PipelineEvent }
type Name = keyof typeof events

function after(...names: Name[]) {
  const effects: string[] = []
  const note = (name: string) => () => void effects.push(name)
  const host = { trace: { on: false, transition: () => undefined }, fail: () => undefined }
  const machine = runMachine(host as never, pipelineMachine, {
    effects: {
      initialize: note('initialize'),
      begin: note('begin'),
      commit: note('commit'),
      abort: note('abort'),
      rewind: note('rewind'),
      recover: note('recover'),
      settle: note('settle'),
    },
  })
  effects.length = 0
  for (const name of names) machine.send(events[name])
  return { state: machine.state, effects, context: machine.context, refused: machine.refused }
}

describe('a pipeline', () => {
  test.each([
    ['ends what its predecessor left open', ['started', 'initialized'], 'Idle', ['initialize', 'settle']],
    [
      'recovers when its sender dies over that',
      ['started', 'lost', 'rewound'],
      'Idle',
      ['initialize', 'recover', 'settle'],
    ],
    ['begins a transaction for records', ['wanted'], 'Beginning', ['begin']],
    ['processes when it has one', ['wanted', 'begun'], 'Processing', ['begin', 'settle']],
    [
      'commits what it processed',
      ['wanted', 'begun', 'commit', 'committed'],
      'Idle',
      ['begin', 'settle', 'commit', 'settle'],
    ],
    [
      'undoes what was refused, and goes back',
      ['wanted', 'begun', 'commit', 'failed', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'settle', 'commit', 'abort', 'rewind', 'settle'],
    ],
    [
      'undoes what failed, and goes back',
      ['wanted', 'begun', 'abort', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'settle', 'abort', 'rewind', 'settle'],
    ],
    [
      'learns the fate of a commit whose sender died',
      ['wanted', 'begun', 'commit', 'lost', 'rewound'],
      'Idle',
      ['begin', 'settle', 'commit', 'recover', 'settle'],
    ],
    [
      'recovers again when the next sender dies too',
      ['wanted', 'lost', 'lost'],
      'Recovering',
      ['begin', 'recover', 'recover'],
    ],
    ['has nothing to commit or to undo while no transaction is open', ['commit', 'abort'], 'Idle', []],
    ['ends when it is idle', ['stopped'], 'Stopped', ['settle']],
  ] as const)('%s', (_, names, state, effects) => {
    expect(after(...names)).toMatchObject({ state, effects, refused: 0 })
  })

  test.each([
    [['started', 'wanted'], 'Initializing'],
    [['wanted', 'stopped'], 'Beginning'],
    [['wanted', 'begun', 'stopped'], 'Processing'],
    [['wanted', 'begun', 'commit', 'abort'], 'Committing'],
    [['wanted', 'begun', 'commit', 'wanted'], 'Committing'],
    [['committed'], 'Idle'],
  ] as const)('refuses what does not fit: %s', (names, state) => {
    expect(after(...names)).toMatchObject({ state, refused: 1 })
  })

  test.each([
    [],
    ['started'],
    ['wanted'],
    ['wanted', 'begun'],
    ['wanted', 'begun', 'commit'],
    ['wanted', 'begun', 'abort'],
    ['lost'],
  ] as const)('fails for good from everywhere (after %s), whatever answers still come', (...names) => {
    const { state, context, refused } = after(
      ...names,
      'fatal',
      'initialized',
      'committed',
      'aborted',
      'rewound',
      'lost',
      'fatal',
    )
    expect([state, context.error, refused]).toEqual(['Failed', error, 0])
  })

  test('counts commits and aborts', () => {
    const round = ['wanted', 'begun', 'commit', 'committed'] as const
    expect(after(...round, ...round, 'wanted', 'lost', 'rewound').context).toMatchObject({ transactions: 2, aborts: 1 })
  })
})
