// Two transactions of a pipeline under way: what fails while the next one waits for its place.
import { expect, test } from 'vitest'
import { exactlyOnce, pipelineWorld } from './pipeline-world.suite.ts'

test('an output that waits for its topic in vain is tried again, also when the next transaction waits behind it', async () => {
  const { world, output, lane, feed, verdict } = pipelineWorld({ partitions: 1 })
  feed(40)
  output.topics.delete('out')
  const running = lane('tx', { commitEvery: { records: 10, ms: 50 } })
  await world.advance(90_000)
  expect(running.ended.error).toBe(null)
  output.create('out', 2)
  await world.advance(120_000)
  expect(running.ended).toEqual({ error: null, isDone: false })
  expect(verdict(40)).toEqual(exactlyOnce)
})

test('an output that waits for its topic in vain is tried again, one transaction at a time', async () => {
  const { world, output, lane, feed, verdict } = pipelineWorld({ partitions: 1 })
  feed(10)
  output.topics.delete('out')
  const running = lane('tx', { commitEvery: { records: 10, ms: 50 } })
  await world.advance(90_000)
  expect(running.ended.error).toBe(null)
  output.create('out', 2)
  await world.advance(120_000)
  expect(running.ended).toEqual({ error: null, isDone: false })
  expect(verdict(10)).toEqual(exactlyOnce)
})

test('the sender dies while the next transaction waits behind one that is not handed over', async () => {
  const { world, output, lane, feed, verdict } = pipelineWorld({ partitions: 1 })
  feed(40)
  output.topics.delete('out')
  const running = lane('tx', { commitEvery: { records: 10, ms: 50 } })
  await world.advance(5_000)
  const [actor] = (await world.run(() => world.actors())).filter(({ address }) => address.kind === 'sender')
  world.kill(actor!.address)
  output.create('out', 2)
  await world.advance(120_000)
  expect(running.ended).toEqual({ error: null, isDone: false })
  expect(verdict(40)).toEqual(exactlyOnce)
})
