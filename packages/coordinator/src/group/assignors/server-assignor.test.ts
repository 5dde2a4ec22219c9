import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AssignedMember, type AssignmentSpec, serverAssignors, type TargetAssignment } from './server-assignor.ts'

const none: AssignedMember['target'] = new Map()
const spec = (topics: Record<string, number>, members: Record<string, string[]>): AssignmentSpec => ({
  topics: new Map(Object.entries(topics)),
  members: Object.entries(members).map(([memberId, subscribed]) => ({
    memberId,
    instanceId: null,
    topics: new Set(subscribed),
    target: none,
  })),
})
const shown = (assignment: TargetAssignment) =>
  Object.fromEntries(
    [...assignment].map(([memberId, topics]) => [
      memberId,
      [...topics]
        .flatMap(([topic, partitions]) => [...partitions].sort((a, b) => a - b).map(p => `${topic}${p}`))
        .sort(),
    ]),
  )
const size = (topics: ReadonlyMap<string, ReadonlySet<number>>) =>
  [...topics.values()].reduce((sum, set) => sum + set.size, 0)

describe('range', () => {
  test('topics are divided into ranges, and alike when members and counts are equal', () => {
    const assignment = serverAssignors.range!(spec({ x: 3, y: 3 }, { b: ['x', 'y'], a: ['x', 'y'] }))
    expect(shown(assignment)).toEqual({ a: ['x0', 'x1', 'y0', 'y1'], b: ['x2', 'y2'] })
  })
})

describe('uniform', () => {
  test('the same for everyone, one more where it does not divide', () => {
    const assignment = serverAssignors.uniform!(spec({ x: 3, y: 2 }, { a: ['x', 'y'], b: ['x', 'y'] }))
    expect([...assignment.values()].map(size).sort()).toEqual([2, 3])
  })

  test('a member that comes takes only what it must', () => {
    const before = spec({ x: 6 }, { a: ['x'], b: ['x'] })
    const first = serverAssignors.uniform!(before)
    const members = [
      ...before.members.map(m => ({ ...m, target: first.get(m.memberId)! })),
      { ...before.members[0]!, memberId: 'c' },
    ]
    const second = serverAssignors.uniform!({ topics: before.topics, members })
    expect([...second.values()].map(size)).toEqual([2, 2, 2])
    for (const id of ['a', 'b']) {
      for (const partition of second.get(id)!.get('x')!) expect(first.get(id)!.get('x')!.has(partition)).toBe(true)
    }
  })
})

const specs = fc
  .record({
    counts: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
    members: fc.array(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 7 }),
    same: fc.boolean(),
  })
  .map(({ counts, members, same }) => {
    const subscriptions = members.map(wanted =>
      counts.flatMap((_, topic) => (same || wanted[topic] ? [`t${topic}`] : [])),
    )
    const used = new Set(subscriptions.flat())
    return spec(
      Object.fromEntries(counts.flatMap((count, topic) => (used.has(`t${topic}`) ? [[`t${topic}`, count]] : []))),
      Object.fromEntries(subscriptions.map((topics, index) => [`m${index}`, topics])),
    )
  })

function assertValid({ topics, members }: AssignmentSpec, assignment: TargetAssignment): void {
  const owners = new Map<string, string>()
  for (const { memberId, topics: wanted } of members) {
    for (const [topic, partitions] of assignment.get(memberId)!) {
      expect(wanted.has(topic)).toBe(true)
      for (const partition of partitions) {
        expect(owners.has(`${topic}:${partition}`)).toBe(false)
        owners.set(`${topic}:${partition}`, memberId)
      }
    }
  }
  expect(owners.size).toBe([...topics.values()].reduce((sum, count) => sum + count, 0))
}

test.each(['range', 'uniform'])('%s gives every partition to one subscriber', name => {
  fc.assert(fc.property(specs, input => assertValid(input, serverAssignors[name]!(input))))
})

test('uniform: nobody could take a partition from someone who has two more', () => {
  fc.assert(
    fc.property(specs, input => {
      const assignment = serverAssignors.uniform!(input)
      for (const taker of input.members) {
        for (const topics of assignment.values()) {
          const couldTake = [...topics.keys()].some(topic => taker.topics.has(topic))
          if (couldTake) expect(size(topics) - size(assignment.get(taker.memberId)!)).toBeLessThan(2)
        }
      }
    }),
  )
})

test.each(['range', 'uniform'])('%s: the same again moves nothing', name => {
  fc.assert(
    fc.property(specs, input => {
      const first = serverAssignors[name]!(input)
      const again = { ...input, members: input.members.map(m => ({ ...m, target: first.get(m.memberId)! })) }
      expect(shown(serverAssignors[name]!(again))).toEqual(shown(first))
    }),
  )
})

test('uniform: when a member goes the others keep all that they had', () => {
  fc.assert(
    fc.property(specs, input => {
      const same = input.members.every(member => member.topics.size === input.topics.size)
      if (!same || input.members.length < 2) return
      const first = serverAssignors.uniform!(input)
      const members = input.members.slice(1).map(m => ({ ...m, target: first.get(m.memberId)! }))
      const second = serverAssignors.uniform!({ topics: input.topics, members })
      for (const { memberId, target } of members) {
        for (const [topic, partitions] of target) {
          for (const partition of partitions) expect(second.get(memberId)!.get(topic)!.has(partition)).toBe(true)
        }
      }
    }),
  )
})
