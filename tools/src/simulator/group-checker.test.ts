// Histories of one partition of one group, as two members saw it, and what the checker says of them.
import { expect, test } from 'vitest'
import { groupFindings } from './group-checker.rules.ts'
import { History, type Tenure } from './history.ts'

const at = { groupId: 'billing', topic: 'orders', partition: 0 }

interface Story {
  readonly history: History
  later(ms: number): void
  given(member: string): Tenure
  commits(member: string, offset: number): void
}

function story(): Story {
  let now = 1
  const history = new History(() => now)
  return {
    history,
    later: ms => {
      now += ms
    },
    given: member => history.assigned({ ...at, member, isFirm: false }),
    commits: (member, offset) => history.commitAcknowledged(history.committing({ ...at, member, offset })),
  }
}

/** The partition is given to one member, and a while later to another, whose tenure this is. */
function follows(told: Story, first: string, second: string): Tenure {
  told.given(first)
  told.later(10)
  const tenure = told.given(second)
  told.later(1)
  return tenure
}

function rulesOf({ history }: Story): string[] {
  return groupFindings(history).map(({ rule }) => rule)
}

test('a commit that is taken from a member after another one was given its partition is a fenced-commit', () => {
  const told = story()
  told.given('old')
  told.later(10)
  told.given('new')
  told.later(10)
  told.commits('old', 5)
  expect(rulesOf(told)).toEqual(['fenced-commit'])
})

test.each(['lost', 'gone'] as const)(
  'a member that awakes to an assignment of before it was fenced, and soon ends as %s, makes no commit of the owner a fenced one',
  ending => {
    const told = story()
    const awoken = follows(told, 'owner', 'sleeper')
    told.commits('owner', 5)
    told.later(1)
    told.history.tenureEnded(awoken, ending)
    expect(rulesOf(told)).toEqual([])
  },
)

test('a member that lost its partition owned it if the group had taken a commit of it', () => {
  const told = story()
  const owner = follows(told, 'old', 'new')
  told.commits('new', 4)
  told.later(1)
  told.commits('old', 5)
  told.later(1)
  told.history.tenureEnded(owner, 'lost')
  expect(rulesOf(told)).toEqual(['fenced-commit'])
})

test('a partition that is given away while its owner lives and knows nothing of it has two owners', () => {
  const told = story()
  const before = told.history.assigned({ ...at, member: 'old', isFirm: true })
  told.later(10)
  told.given('new')
  told.later(10)
  told.history.tenureEnded(before, 'revoked')
  expect(rulesOf(told)).toEqual(['two-owners'])
})
