// Two transactions of a pipeline under way: what fails while the next one waits for its place.
import { sendersIn } from '@odradek/producer/producer-world.suite'
import { expect, test } from 'vitest'
import { exactlyOnce, pipelineWorld } from './pipeline-world.suite.ts'

test.each([
  ['also when the next transaction waits behind it', 40],
  ['one transaction at a time', 10],
])('an output that waits for its topic in vain is tried again, %s', async (_, count) => {
  const { world, output, lane, feed, verdict } = pipelineWorld({ partitions: 1 })
  feed(count)
  output.topics.delete('out')
  const running = lane('tx', { commitEvery: { records: 10, ms: 50 } })
  await world.advance(90_000)
  expect(running.ended.error).toBe(null)
  output.create('out', 2)
  await world.advance(120_000)
  expect(running.ended).toEqual({ error: null, isDone: false })
  expect(verdict(count)).toEqual(exactlyOnce)
})

test('the sender dies while the next transaction waits behind one that is not handed over', async () => {
  const { world, output, lane, feed, verdict } = pipelineWorld({ partitions: 1 })
  feed(40)
  output.topics.delete('out')
  const running = lane('tx', { commitEvery: { records: 10, ms: 50 } })
  await world.advance(5_000)
  world.kill((await sendersIn(world))[0]!)
  output.create('out', 2)
  await world.advance(120_000)
  expect(running.ended).toEqual({ error: null, isDone: false })
  expect(verdict(40)).toEqual(exactlyOnce)
})
