// A pipeline with two transactions under way, the older one slow: whatever happens then, each record counts once.
import { sendersIn } from '@odradek/producer/producer-world.suite'
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { exactlyOnce, pipelineWorld } from './pipeline-world.suite.ts'

const busy = (times: number) => Array.from({ length: times }, () => errors.COORDINATOR_LOAD_IN_PROGRESS.code)
/** A pipeline whose first commit takes long, at the moment at which its lane is in that state. */
async function reaching(state: string, options: { partitions?: number; version?: number; parts?: object } = {}) {
  const opened = pipelineWorld({ partitions: options.partitions ?? 2 })
  const { world, output, lane, feed } = opened
  output.transactionVersion = options.version ?? 2
  feed(10)
  const running = lane('tx', { commitEvery: { records: 10, ms: 60_000 }, ...options.parts })
  await world.advance(2_000)
  expect(running.lane.metrics().transactions).toBe(2)
  output.coordinatorErrors.EndTxn = busy(100)
  feed(state === 'Committing' ? 5 : state === 'ProcessingNext' ? 7 : 40, 10)
  await world.advance(200)
  expect(running.lane.state).toBe(state)
  const kill = async () => world.kill((await sendersIn(world))[0]!)
  return { ...opened, running, kill, total: state === 'Committing' ? 15 : state === 'ProcessingNext' ? 17 : 50 }
}

describe.each(['Committing', 'ProcessingNext', 'CommittingNext'])('%s', state => {
  test.each([1, 2])('the sender dies (version %i)', async version => {
    const { world, output, running, verdict, kill, total, feed } = await reaching(state, { version })
    await kill()
    output.coordinatorErrors.EndTxn = []
    feed(20, total)
    await world.advance(130_000)
    expect(running.ended).toEqual({ error: null, isDone: false })
    expect(verdict(total + 20)).toEqual(exactlyOnce)
  })
  test('stop() commits what was processed', async () => {
    const { world, output, running, verdict, total, lane } = await reaching(state)
    running.lane.stop()
    await world.advance(500)
    output.coordinatorErrors.EndTxn = []
    await world.run(() => running.done)
    expect(running.ended.error).toBe(null)
    expect(running.lane.metrics().aborts).toBe(0)
    lane('tx', { commitEvery: { records: 10, ms: 60 } })
    await world.advance(20_000)
    expect(verdict(total)).toEqual(exactlyOnce)
  })
  test('partitions go to another member', async () => {
    const { world, output, running, verdict, total, lane } = await reaching(state)
    const other = lane('tx-2', { commitEvery: { records: 10, ms: 60 } })
    await world.advance(300)
    output.coordinatorErrors.EndTxn = []
    await world.advance(130_000)
    running.lane.stop()
    await world.run(() => running.done)
    expect(running.ended.error).toBe(null)
    expect(other.ended.error).toBe(null)
    await world.advance(20_000)
    expect(verdict(total)).toEqual(exactlyOnce)
  })
  test('partitions are lost', async () => {
    const { world, output, group, running, verdict, total, lane } = await reaching(state)
    group.remove([...group.members.keys()][0]!)
    lane('tx-2', { commitEvery: { records: 10, ms: 60 } })
    await world.advance(400)
    output.coordinatorErrors.EndTxn = []
    await world.advance(130_000)
    running.lane.stop()
    await world.run(() => running.done)
    expect(running.ended.error).toBe(null)
    await world.advance(20_000)
    expect(verdict(total)).toEqual(exactlyOnce)
  })
  test('fenced', async () => {
    const { world, output, running, verdict, total, lane } = await reaching(state)
    const other = lane('tx', { commitEvery: { records: 10, ms: 60 } })
    await world.advance(100)
    output.coordinatorErrors.EndTxn = []
    await world.advance(130_000)
    expect(running.ended.error).toMatchObject({ code: 'ODK_PRODUCER_FENCED' })
    expect(other.ended.error).toBe(null)
    expect(verdict(total)).toEqual(exactlyOnce)
  })
})

test('unsendable output of the first, the second under way', async () => {
  const { world, output, lane, feed, committed } = pipelineWorld({ partitions: 1 })
  for (const partition of [0, 1]) output.partition('out', partition).maxBatchBytes = 1_000
  feed(60)
  const running = lane('tx', {
    transform: ({ key, value }) => ({ key, value: value === '0.25' ? 'x'.repeat(2_000) : value }),
  })
  await world.advance(60_000)
  expect(running.ended.error).toMatchObject({ kafkaName: 'MESSAGE_TOO_LARGE' })
  expect(committed().length).toBe(20)
})

test.each([2, 3, 4])('no member for commit %i, the one before slow, records waiting', async nth => {
  const { world, output, lane, feed, verdict } = pipelineWorld({ partitions: 2 })
  output.faults.delayMs = 20
  feed(80)
  const running = lane('tx', { commitEvery: { records: 10, ms: 500 } })
  const { consumer } = running.lane
  const present = consumer.groupMetadata.bind(consumer)
  const nobody = { groupId: 'g', memberId: '', generationId: -1, groupInstanceId: null }
  let asked = 0
  Object.assign(consumer, { groupMetadata: () => (++asked === nth ? Promise.resolve(nobody) : present()) })
  await world.advance(30_000)
  expect(running.ended.error).toBe(null)
  expect(running.lane.metrics().aborts).toBe(1)
  expect(verdict(80)).toEqual(exactlyOnce)
})

test('the function of the second throws and stops while the first is committed', async () => {
  const { world, output, lane, feed, committed } = pipelineWorld({ partitions: 1 })
  output.faults.delayMs = 20
  feed(40)
  const running = lane('tx', {
    transform: ({ key, value }) => {
      if (value === '0.15') throw new Error('bad record')
      return { key, value }
    },
  })
  await world.run(() => running.done)
  expect(running.ended.error).toMatchObject({ message: 'bad record' })
  expect(committed()).toHaveLength(10)
  expect(output.transactions.get('tx')!.committedOffsets).toEqual(['in-0@10'])
})
