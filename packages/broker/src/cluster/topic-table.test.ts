// The table of topics takes deltas and whole images in.
import type { ImageDelta, TopicImage } from '@odradek/shared/contracts/cluster.contract'
import { expect, test } from 'vitest'
import { TopicTable } from './topic-table.ts'

const image = (topic: string, topicId = `id-of-${topic}`): TopicImage => ({
  topic,
  topicId,
  leaderEpochs: [0],
  configs: {},
})
const delta = (topics: readonly TopicImage[], deleted: readonly TopicImage[] = []): ImageDelta => {
  return { isWhole: false, topics, deleted }
}
const whole = (topics: readonly TopicImage[]): ImageDelta => ({ isWhole: true, topics, deleted: [] })
const names = (table: TopicTable) => [...table.topics()].map(({ topic }) => topic)

test('a delta adds, replaces and removes; the rest stays', () => {
  const table = new TopicTable()
  expect(table.apply(delta([image('a'), image('b')]))).toEqual([])
  const grown = { ...image('b'), leaderEpochs: [0, 0] }
  expect(table.apply(delta([grown], [image('a')]))).toEqual([image('a')])
  expect(names(table)).toEqual(['b'])
  expect(table.find({ topicId: 'id-of-b' })).toBe(grown)
})

test('what a whole image does not have is gone, and is returned', () => {
  const table = new TopicTable()
  table.apply(delta([image('a'), image('b')]))
  expect(table.apply(whole([image('b'), image('c')]))).toEqual([image('a')])
  expect(names(table)).toEqual(['b', 'c'])
  expect(table.apply(whole([]))).toEqual([image('b'), image('c')])
  expect(table.size).toBe(0)
})

test('a topic of the same name under another id: the old one is gone, its name finds the new one', () => {
  const table = new TopicTable()
  table.apply(delta([image('a', 'first')]))
  expect(table.apply(whole([image('a', 'second')]))).toEqual([image('a', 'first')])
  expect(table.find({ topic: 'a' })).toEqual(image('a', 'second'))
  expect(table.find({ topicId: 'first' })).toBeUndefined()
})
