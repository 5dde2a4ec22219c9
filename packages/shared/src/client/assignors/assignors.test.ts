// The fixtures were made with the assignors of kafka-clients 4.3.1 on random groups over several rounds (members come and go, some report an old
// generation), and for the sticky ones also on groups and replicas in racks; one case per line.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Assignment, AssignorMember, AssignorPartition, AssignorTopic } from './assignor.ts'
import { assignors, protocolOf } from './assignors.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './subscription-bytes.ts'

interface Case {
  readonly assignor: string
  readonly topics: { readonly [name: string]: { readonly partitions: number; readonly racks?: string[][] } }
  readonly members: readonly (Omit<AssignorMember, 'ownedPartitions' | 'userData'> & {
    readonly owned: readonly [string, number][]
    readonly userData: string | null
  })[]
  readonly expected: { readonly [memberId: string]: readonly [string, number][] }
}

function casesOf(file: string): Case[] {
  const lines = readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.map(line => JSON.parse(line))
}

const cases = casesOf('kafka-clients-4.3.1-assignments.jsonl')
const rackCases = casesOf('kafka-clients-4.3.1-sticky-racks.jsonl')

function inputOf({ topics, members }: Case) {
  return {
    topics: new Map(Object.entries(topics)),
    members: members.map(member => ({
      ...member,
      ownedPartitions: member.owned.map(([topic, partition]) => ({ topic, partition })),
      userData: member.userData === null ? null : new Uint8Array(Buffer.from(member.userData, 'base64')),
    })),
  }
}

function sorted(partitions: readonly AssignorPartition[]): [string, number][] {
  return partitions
    .map(({ topic, partition }): [string, number] => [topic, partition])
    .sort(([a, p], [b, q]) => (a < b ? -1 : a > b ? 1 : p - q))
}

const byMember = (assignment: Assignment) => Object.fromEntries([...assignment].map(([id, list]) => [id, sorted(list)]))

describe.each([...assignors.keys()])('the %s assignor', name => {
  const assignor = assignors.get(name)!

  it('assigns as the Java client does', () => {
    const mine = cases.filter(({ assignor: other }) => other === name)
    expect(mine.length).toBeGreaterThanOrEqual(20)
    for (const one of mine) expect(byMember(assignor.assign(inputOf(one)))).toEqual(one.expected)
  })

  it('gives every partition that somebody subscribes to exactly one subscriber', () => {
    fc.assert(
      fc.property(groups(), ({ members, topics }) => {
        const assignment = assignor.assign({ members, topics })
        const subscribed = new Set(members.flatMap(member => member.topics))
        const expected = [...topics].flatMap(([topic, { partitions }]) =>
          subscribed.has(topic) ? Array.from({ length: partitions }, (_, partition) => `${topic}-${partition}`) : [],
        )
        const given = [...assignment.values()].flat().map(({ topic, partition }) => `${topic}-${partition}`)
        expect(given.sort()).toEqual(expected.sort())
        for (const { memberId, topics: mine } of members) {
          for (const { topic } of assignment.get(memberId)!) expect(mine).toContain(topic)
        }
      }),
    )
  })

  it('has an answer for an empty group', () => {
    expect(assignor.assign({ members: [], topics: new Map([['t', { partitions: 3 }]]) }).size).toBe(0)
  })
})

describe.each(['sticky', 'cooperative-sticky'])('the %s assignor', name => {
  const assignor = assignors.get(name)!

  it('assigns as the Java client does when members and replicas have racks (KIP-881)', () => {
    const mine = rackCases.filter(({ assignor: other }) => other === name)
    expect(mine).toHaveLength(64)
    for (const one of mine) expect(byMember(assignor.assign(inputOf(one)))).toEqual(one.expected)
  })

  it('is even to one partition when all subscribe to the same', () => {
    fc.assert(
      fc.property(groups(), ({ members, topics }) => {
        const alike = members.map(member => ({ ...member, topics: [...topics.keys()] }))
        const counts = [...assignor.assign({ members: alike, topics }).values()].map(list => list.length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('moves nothing when nothing changed', () => {
    fc.assert(
      fc.property(groups(), ({ members, topics }) => {
        const first = assignor.assign({ members, topics })
        const again = members.map(member => remembering(name, member, first.get(member.memberId)!))
        expect(byMember(assignor.assign({ members: again, topics }))).toEqual(byMember(first))
      }),
    )
  })

  it('takes from nobody more than his share when a member joins', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 40 }), (count, partitions) => {
        const topics = new Map([['t', { partitions }]])
        const members = Array.from({ length: count }, (_, at) => memberOf(`m${at}`, ['t']))
        const first = assignor.assign({ members, topics })
        const before = members.map(member => remembering(name, member, first.get(member.memberId)!))
        const after = assignor.assign({ members: [...before, memberOf('new', ['t'])], topics })
        for (const { memberId } of members) {
          const had = new Set(sorted(first.get(memberId)!).map(String))
          const kept = sorted(after.get(memberId)!)
          expect(kept.every(partition => had.has(String(partition)))).toBe(true)
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(had.size, Math.floor(partitions / (count + 1))))
        }
      }),
    )
  })
})

describe('the cooperative-sticky assignor', () => {
  it('gives nobody what another still owns', () => {
    const assignor = assignors.get('cooperative-sticky')!
    fc.assert(
      fc.property(groups(), fc.string({ minLength: 1, maxLength: 5 }), ({ members, topics }, id) => {
        const first = assignor.assign({ members, topics })
        const before = members.map(member => remembering('cooperative-sticky', member, first.get(member.memberId)!))
        const group = [...before, memberOf(`new-${id}`, [...topics.keys()])]
        const after = assignor.assign({ members: group, topics })
        for (const { memberId, ownedPartitions } of before) {
          const owned = new Set(sorted(ownedPartitions).map(String))
          for (const [other, list] of after) {
            if (other === memberId) continue
            expect(sorted(list).filter(partition => owned.has(String(partition)))).toEqual([])
          }
        }
      }),
    )
  })
})

describe('the consumer protocol', () => {
  it('is COOPERATIVE only when all assignors can', () => {
    const of = (...names: string[]) => protocolOf(names.map(name => assignors.get(name)!))
    expect(of('range', 'cooperative-sticky')).toBe('EAGER')
    expect(of('cooperative-sticky')).toBe('COOPERATIVE')
  })

  it('carries subscriptions and assignments through bytes', () => {
    const facts = {
      topics: ['a', 'b'],
      ownedPartitions: [{ topic: 'a', partition: 1 }],
      generationId: 7,
      rackId: 'r',
      userData: Uint8Array.of(1, 2),
    }
    expect(decodeSubscription(encodeSubscription(facts))).toEqual(facts)
    expect(decodeAssignment(encodeAssignment(facts.ownedPartitions))).toEqual(facts.ownedPartitions)
    expect(decodeAssignment(new Uint8Array(0))).toEqual([])
  })
})

function memberOf(memberId: string, topics: readonly string[]): AssignorMember {
  return {
    memberId,
    groupInstanceId: null,
    topics,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
    userData: null,
  }
}

/** The member as it joins the next time. */
function remembering(name: string, member: AssignorMember, owned: readonly AssignorPartition[]): AssignorMember {
  const userData = assignors.get(name)!.userData!({ ownedPartitions: owned, generationId: 1 })
  return { ...member, ownedPartitions: owned, generationId: 1, userData }
}

function groups(): fc.Arbitrary<{ members: AssignorMember[]; topics: Map<string, AssignorTopic> }> {
  const names = ['a', 'b', 'c', 'd']
  const subscription = fc.subarray(names, { minLength: 1 })
  return fc
    .tuple(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: names.length, maxLength: names.length }),
      fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 6 }), subscription), {
        minLength: 1,
        maxLength: 8,
        selector: ([id]) => id,
      }),
    )
    .map(([partitions, members]) => ({
      topics: new Map(names.map((name, at) => [name, { partitions: partitions[at]! }])),
      members: members.map(([id, topics]) => memberOf(id, topics)),
    }))
}
