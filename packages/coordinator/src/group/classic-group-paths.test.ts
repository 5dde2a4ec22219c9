// Breadth first through all that two static members can do to a group, with time passing and restarts: every shortest path to what a group can look like keeps
// the invariants (the world checks them after each decision), and the log alone tells what is durable of it.
import { expect, test } from 'vitest'
import { assertClassicGroupInvariants, type ClassicGroup } from './classic-group.ts'
import { GroupWorld } from './group-world.suite.ts'

const DEPTH = 6
const instances = ['a', 'b'] as const
/** Its version: the member id is given with the answer. */
const V3 = { apiVersion: 3 }

class Walk {
  readonly world = new GroupWorld({ settings: { initialRebalanceDelayMs: 1_000 } })
  readonly states = new Set<string>()

  get group(): ClassicGroup | undefined {
    const group = this.world.state.groups.get('g')
    return group?.type === 'classic' ? group : undefined
  }

  do(verb: string): void {
    const [what, instance] = verb.split(' ') as [string, string | undefined]
    const groupInstanceId = instance ?? null
    const memberId = this.group?.staticMembers.get(instance ?? '') ?? ''
    const generationId = this.group?.generationId ?? 0
    if (what === 'comes') this.world.request('joinGroup', { groupInstanceId }, V3)
    else if (what === 'rejoins') this.world.request('joinGroup', { groupInstanceId, memberId }, V3)
    else if (what === 'syncs') this.world.request('syncGroup', { groupInstanceId, memberId, generationId })
    else if (what === 'leaves')
      this.world.request('leaveGroup', { members: [{ memberId, groupInstanceId, reason: null }] })
    else if (what === 'restart') this.world.reload()
    else if (what === 'deletion') this.world.request('deleteGroups', {})
    else this.world.advance(Number(what))
    if (this.group !== undefined) assertClassicGroupInvariants(this.group)
    this.states.add(this.group?.state ?? 'none')
  }

  /** What can make a difference for what comes next; ids and counts do not. */
  look(): string {
    const { group } = this
    if (group === undefined) return 'none'
    const members = [...group.members.values()].map(({ groupInstanceId, joining, syncing, isNew }) => {
      return [
        groupInstanceId,
        joining > 0,
        syncing > 0,
        isNew,
        group.leaderId === group.staticMembers.get(groupInstanceId!),
      ]
    })
    return JSON.stringify([group.state, group.initialDelay !== null, members, group.pendingSync.size])
  }
}

const verbs = [
  ...instances.flatMap(name => [`comes ${name}`, `rejoins ${name}`, `syncs ${name}`, `leaves ${name}`]),
  'restart',
  'deletion',
  '1000',
  '60000',
]

test('every shortest path keeps the invariants, and what the log tells is what was last stable or empty', () => {
  const seen = new Set<string>()
  const states = new Set<string>()
  let paths: readonly string[][] = [[]]
  for (let depth = 0; depth < DEPTH; depth++) {
    const next: string[][] = []
    for (const path of paths) {
      for (const verb of verbs) {
        const walk = new Walk()
        const longer = [...path, verb]
        for (const each of longer) walk.do(each)
        for (const state of walk.states) states.add(state)
        const look = walk.look()
        if (seen.has(look)) continue
        seen.add(look)
        next.push(longer)
        walk.do('restart')
        expect(['none', 'Empty', 'Stable'], longer.join(', ')).toContain(walk.group?.state ?? 'none')
      }
    }
    paths = next
  }
  expect(states).toEqual(new Set(['none', 'Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable']))
  expect(seen.size).toBeGreaterThan(20)
})
