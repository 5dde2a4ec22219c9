import { limits } from '@odradek/shared/base/limits'
import type { CommittedOffset } from '@odradek/shared/contracts/consumer.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codesIn, gatheredCount, gatheredTopics } from './commit-gathering.rules.ts'

const at = (topic: string, partition: number, offset: number, metadata = ''): CommittedOffset => ({
  topic,
  partition,
  offset,
  leaderEpoch: -1,
  metadata,
})
const waiting = (...commits: CommittedOffset[][]) => commits.map(offsets => ({ offsets }))
const idOf = (topic: string) => `id-${topic}`

test('the first goes, however large it is, and alone when it is', () => {
  const large = at('a', 0, 1, 'x'.repeat(limits.gatheredCommitCharsMax))
  expect(gatheredCount(waiting([large], [at('b', 0, 1)]), 'g')).toBe(1)
  expect(gatheredCount(waiting([at('b', 0, 1)], [large]), 'g')).toBe(1)
  expect(gatheredCount([], 'g')).toBe(0)
})

test('what is committed often counts once in the size of a request', () => {
  const often = Array.from({ length: 10_000 }, (_, offset) => [at('a', 0, offset)])
  expect(gatheredCount(waiting(...often), 'g')).toBe(10_000)
  const wide = Array.from({ length: 10_000 }, (_, partition) => [at('a', partition, 1)])
  expect(gatheredCount(waiting(...wide), 'g')).toBeLessThan(limits.gatheredCommitCharsMax / 64)
})

test('the names of group and topic count too: they are in every record', () => {
  const commits = waiting(...Array.from({ length: 100 }, (_, partition) => [at('a', partition, 1)]))
  expect(gatheredCount(commits, 'g')).toBe(100)
  expect(gatheredCount(commits, 'g'.repeat(limits.gatheredCommitCharsMax / 10))).toBe(9)
})

test('metadata of equal length go together, others do not', () => {
  expect(gatheredCount(waiting([at('a', 0, 1, 'one')], [at('a', 0, 2, 'two')], [at('a', 0, 3, 'three')]), 'g')).toBe(2)
  expect(gatheredCount(waiting([at('a', 0, 1, 'x')], [at('b', 0, 2)], [at('a', 1, 2)]), 'g')).toBe(3)
})

test('a commit that says a partition twice with different metadata goes alone', () => {
  const twice = [at('a', 0, 1, 'x'), at('a', 0, 2)]
  expect(gatheredCount(waiting(twice, [at('b', 0, 1)]), 'g')).toBe(1)
  expect(gatheredCount(waiting([at('b', 0, 1)], twice), 'g')).toBe(1)
  const { partitions } = gatheredTopics([twice], idOf)[0]!
  expect(partitions.map(({ committedMetadata }) => committedMetadata)).toEqual(['x', ''])
})

test('answers are found by name, and by id where the name is left out', () => {
  const asked = gatheredTopics([[at('a', 0, 1), at('b', 0, 1), at('c', 0, 1)]], idOf)
  const answered = (name: string, topicId: string, errorCode: number) => ({
    name,
    topicId,
    partitions: [{ partitionIndex: 0, errorCode }],
  })
  const topics = [answered('', 'id-b', 5), answered('a', 'id-a', 4)]
  const codeOf = codesIn(asked, { throttleTimeMs: 0, topics })
  expect(['a', 'b', 'c'].map(topic => codeOf({ topic, partition: 0 }))).toEqual([
    4,
    5,
    errors.UNKNOWN_SERVER_ERROR.code,
  ])
})

const anOffset = fc
  .tuple(
    fc.constantFrom('a', 'a-1', 'b'),
    fc.integer({ min: 0, max: 3 }),
    fc.nat(99),
    fc.constantFrom('', 'x', 'y', 'xy'),
  )
  .map(([topic, partition, offset, metadata]) => at(topic, partition, offset, metadata))
const someCommits = fc.array(fc.array(anOffset, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 })

test('property: a request says of each partition what the last of its commits says, and its metadata are as long as everybody wanted', () => {
  fc.assert(
    fc.property(someCommits, commits => {
      const count = gatheredCount(waiting(...commits), 'g')
      expect(count).toBeGreaterThan(0)
      const together = commits.slice(0, count)
      const topics = gatheredTopics(together, idOf)
      const said = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, committedOffset, committedMetadata }) =>
          at(name, partitionIndex, committedOffset, committedMetadata!),
        ),
      )
      const isSame = (one: CommittedOffset) => (other: CommittedOffset) =>
        one.topic === other.topic && one.partition === other.partition
      for (const wanted of together.flat()) {
        const sent = said.filter(isSame(wanted))
        const last = together.flat().findLast(isSame(wanted))!
        expect(sent.at(-1)).toEqual(last)
        expect(sent.map(({ metadata }) => metadata.length)).toContain(wanted.metadata.length)
        if (count > 1) expect(sent).toHaveLength(1)
      }
      for (const sent of said) expect(together.flat()).toContainEqual(sent)
    }),
    { numRuns: 1_000 },
  )
})

test('property: every partition has the code that was answered for it', () => {
  fc.assert(
    fc.property(fc.array(anOffset, { minLength: 1, maxLength: 8 }), fc.nat(200), (offsets, salt) => {
      const codeFor = ({ topic, partition }: { topic: string; partition: number }) =>
        (topic.length * 7 + partition + salt) % 9
      const asked = gatheredTopics([offsets], idOf)
      const topics = asked.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: codeFor({ topic: name, partition: partitionIndex }),
        })),
      }))
      const codeOf = codesIn(asked, { throttleTimeMs: 0, topics: topics.reverse() })
      for (const offset of offsets) expect(codeOf(offset)).toBe(codeFor(offset))
    }),
  )
})
