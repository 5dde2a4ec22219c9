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
      wake: note('wake'),
    },
  })
  effects.length = 0
  for (const name of names) machine.send(events[name])
  return { state: machine.state, effects, context: machine.context, refused: machine.refused }
}

/** Up to where a second transaction is open behind one that is being committed. */
const two = ['wanted', 'begun', 'commit', 'wanted', 'begun'] as const

describe('a pipeline', () => {
  test.each([
    ['ends what its predecessor left open', ['started', 'initialized'], 'Idle', ['initialize']],
    ['recovers when its sender dies over that', ['started', 'lost', 'rewound'], 'Idle', ['initialize', 'recover']],
    ['begins a transaction for records', ['wanted'], 'Beginning', ['begin']],
    ['processes when it has one', ['wanted', 'begun'], 'Processing', ['begin']],
    ['commits what it processed', ['wanted', 'begun', 'commit', 'committed'], 'Idle', ['begin', 'commit']],
    [
      'undoes what was refused, and goes back',
      ['wanted', 'begun', 'commit', 'failed', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'commit', 'abort', 'rewind'],
    ],
    [
      'undoes what failed, and goes back',
      ['wanted', 'begun', 'abort', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'abort', 'rewind'],
    ],
    [
      'learns the fate of a commit whose sender died',
      ['wanted', 'begun', 'commit', 'lost', 'rewound'],
      'Idle',
      ['begin', 'commit', 'recover'],
    ],
    [
      'recovers again when the next sender dies too',
      ['wanted', 'lost', 'lost'],
      'Recovering',
      ['begin', 'recover', 'recover'],
    ],
    ['has nothing to commit or to undo while no transaction is open', ['commit', 'abort'], 'Idle', []],
    ['ends when it is idle', ['stopped'], 'Stopped', []],
    ['processes the next one while one is being committed', two, 'ProcessingNext', ['begin', 'commit', 'begin']],
    [
      'goes on with the next one when the first is committed, also while it begins',
      ['wanted', 'begun', 'commit', 'wanted', 'committed', 'begun'],
      'Processing',
      ['begin', 'commit', 'begin'],
    ],
    ['has one again when the first is committed', [...two, 'committed'], 'Processing', ['begin', 'commit', 'begin']],
    [
      'commits both, one behind the other',
      [...two, 'commit', 'committed', 'committed'],
      'Idle',
      ['begin', 'commit', 'begin', 'commit'],
    ],
    [
      'undoes the second when only that is refused',
      [...two, 'commit', 'committed', 'failed', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'commit', 'begin', 'commit', 'abort', 'rewind'],
    ],
    [
      'undoes both when the first is refused',
      [...two, 'failed', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'commit', 'begin', 'abort', 'rewind'],
    ],
    [
      'undoes both when the first is refused, the second being on its way',
      [...two, 'commit', 'failed', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'commit', 'begin', 'commit', 'abort', 'rewind'],
    ],
    [
      'undoes the first when it is refused while the second begins',
      ['wanted', 'begun', 'commit', 'wanted', 'failed', 'aborted', 'rewound'],
      'Idle',
      ['begin', 'commit', 'begin', 'abort', 'rewind'],
    ],
    [
      'learns the fate of two whose sender died',
      [...two, 'commit', 'lost', 'rewound'],
      'Idle',
      ['begin', 'commit', 'begin', 'commit', 'recover'],
    ],
  ] as const)('%s', (_, names, state, effects) => {
    const { effects: all, ...found } = after(...names)
    expect({ ...found, effects: all.filter(effect => effect !== 'wake') }).toMatchObject({ state, effects, refused: 0 })
  })

  test.each([
    ['Idle', []],
    ['Processing', ['wanted', 'begun']],
    ['Committing', ['wanted', 'begun', 'commit']],
    ['ProcessingNext', two],
    ['Failed', ['fatal']],
    ['Stopped', ['stopped']],
  ] as const)('wakes who waits when it comes to %s', (state, names) => {
    const found = after(...names)
    expect(found.state).toBe(state)
    expect(found.effects.at(-1) ?? 'wake').toBe('wake')
  })

  test.each([
    [['started', 'wanted'], 'Initializing'],
    [['wanted', 'stopped'], 'Beginning'],
    [['wanted', 'begun', 'stopped'], 'Processing'],
    [['wanted', 'begun', 'commit', 'abort'], 'Committing'],
    [['committed'], 'Idle'],
    [['wanted', 'begun', 'commit', 'wanted', 'commit'], 'BeginningNext'],
    [[...two, 'abort'], 'ProcessingNext'],
    [[...two, 'commit', 'wanted'], 'CommittingNext'],
    [[...two, 'commit', 'committed', 'commit'], 'Committing'],
  ] as const)('refuses what does not fit: %s', (names, state) => {
    expect(after(...names)).toMatchObject({ state, refused: 1 })
  })

  const places: readonly (readonly Name[])[] = [
    [],
    ['started'],
    ['wanted'],
    ['wanted', 'begun'],
    ['wanted', 'begun', 'commit'],
    ['wanted', 'begun', 'abort'],
    two,
    [...two, 'commit'],
    ['lost'],
  ]
  test.each(places.map(names => [names]))(
    'fails for good from everywhere (after %s), whatever answers still come',
    names => {
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
    },
  )

  test('counts commits and aborts', () => {
    const round = ['wanted', 'begun', 'commit', 'committed'] as const
    const names = [...round, ...two, 'commit', 'committed', 'committed', 'wanted', 'lost', 'rewound'] as const
    expect(after(...names).context).toMatchObject({ transactions: 3, aborts: 1 })
  })
})
