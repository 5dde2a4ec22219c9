// Consume, transform, produce: each record counts exactly once, whatever happens in between.
import { KafkaError } from '@odradek/shared/base/errors'
import { errors } from '@odradek/shared/protocol/error-codes'
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import { describe, expect, test } from 'vitest'
import { exactlyOnce, pipelineWorld } from './pipeline-world.suite.ts'

describe('a pipeline', () => {
  test('counts every record once, in the order of its partition, and commits offsets with the outputs', async () => {
    const { world, output, lane, feed, committed, verdict } = pipelineWorld()
    feed(50)
    const running = lane('tx')
    await world.advance(3_000)
    expect(verdict(50)).toEqual(exactlyOnce)
    for (const partition of ['0', '1']) {
      const numbers = committed()
        .filter(value => value.startsWith(`${partition}.`))
        .map(value => Number(value.split('.')[1]))
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    }
    expect(output.transactions.get('tx')!.committedOffsets).toEqual(expect.arrayContaining(['in-0@50', 'in-1@50']))
    running.lane.stop()
    await world.run(() => running.done)
    expect(running.ended.error).toBe(null)
    expect(running.lane.metrics()).toMatchObject({ records: 100, outputs: 100, aborts: 0 })
  })

  test('commits after its number of records, or after its time when records are few', async () => {
    const { world, output, lane, feed } = pipelineWorld({ partitions: 1 })
    feed(20)
    lane('tx', { commitEvery: { records: 10, ms: 500 } })
    await world.advance(400)
    expect(output.transactions.get('tx')!.committedOffsets).toEqual(['in-0@10', 'in-0@20'])
    feed(3, 20)
    await world.advance(400)
    expect(output.transactions.get('tx')!.committedOffsets).toHaveLength(2)
    await world.advance(400)
    expect(output.transactions.get('tx')!.committedOffsets.at(-1)).toBe('in-0@23')
  })

  test('commits past what its isolation level hides at the end of its input: an aborted transaction, a marker', async () => {
    const { world, input, output, lane, feed, verdict } = pipelineWorld({ partitions: 1 })
    feed(10)
    const running = lane('tx')
    await world.advance(1_000)
    const aborted = { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true }
    input.get('in', 0).aborted.push({ producerId: 7, firstOffset: 10 })
    input.append('in', 0, ['never', 'nor this'], aborted)
    const marker = { type: 'ABORT', producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1_000 } as const
    input.appendBatch('in', 0, buildEndTxnMarker(marker))
    await world.advance(1_000)
    expect(output.transactions.get('tx')!.committedOffsets.at(-1)).toBe('in-0@13')
    expect(verdict(10)).toEqual(exactlyOnce)
    expect(running.lane.metrics()).toMatchObject({ records: 10, transactions: 2 })
    await world.advance(10_000)
    expect(running.lane.metrics()).toMatchObject({ transactions: 2, aborts: 0 })
  })

  test('what is hidden counts in the transaction that is open, and needs none of its own', async () => {
    const { world, input, output, lane, feed } = pipelineWorld({ partitions: 1 })
    const running = lane('tx', { commitEvery: { records: 1_000, ms: 500 } })
    await world.advance(300)
    feed(3)
    await world.advance(100)
    const marker = { type: 'COMMIT', producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1_000 } as const
    input.appendBatch('in', 0, buildEndTxnMarker(marker))
    await world.advance(2_000)
    expect(output.transactions.get('tx')!.committedOffsets).toEqual(['in-0@4'])
    expect(running.lane.metrics()).toMatchObject({ records: 3, transactions: 1 })
  })

  test('a record may become none or several, also later', async () => {
    const { world, lane, feed, committed } = pipelineWorld({ partitions: 1 })
    feed(4)
    lane('tx', {
      transform: async ({ value }) => {
        const n = Number(value.split('.')[1])
        return n === 1 ? null : Array.from({ length: n }, (_, i) => ({ key: 'k', value: `${n}/${i}` }))
      },
    })
    await world.advance(2_000)
    expect(committed()).toEqual(['2/0', '2/1', '3/0', '3/1', '3/2'])
  })

  test.each([
    ['is no record', 5, 'ODK_RECORD_INVALID'],
    ['has a value that its codec does not take', { value: 5 }, 'ODK_ENCODE_FAILED'],
    ['is for a partition that there is not', { value: 'x', partition: 99 }, 'ODK_PARTITION_INVALID'],
  ])(
    'ends when what its function makes %s: nothing of the transaction counts, its offsets neither',
    async (_, made, code) => {
      const { world, output, lane, feed, committed } = pipelineWorld({ partitions: 1 })
      feed(5)
      const running = lane('tx', { transform: () => made as never })
      await world.advance(5_000)
      expect(running.ended.error).toMatchObject({ code })
      expect(committed()).toEqual([])
      expect(output.transactions.get('tx')!.committedOffsets).toEqual([])
    },
  )

  test('ends when the brokers refuse an output for what it is: nothing of the transaction counts, its offsets neither', async () => {
    const { world, output, lane, feed, committed } = pipelineWorld({ partitions: 1 })
    for (const partition of [0, 1]) output.partition('out', partition).maxBatchBytes = 1_000
    feed(5)
    const running = lane('tx', { transform: ({ key, value }) => ({ key, value: `${value}`.padEnd(2_000) }) })
    await world.advance(60_000)
    expect(running.ended.error).toMatchObject({ kafkaName: 'MESSAGE_TOO_LARGE' })
    expect(committed()).toEqual([])
    expect(output.transactions.get('tx')!.committedOffsets).toEqual([])
  })

  test('stops by default when its function throws: nothing of the transaction counts, and the next run goes on there', async () => {
    const { world, lane, feed, verdict, committed } = pipelineWorld({ partitions: 1 })
    feed(30)
    const first = lane('tx', {
      transform: ({ key, value }) => {
        if (value === '0.15') throw new Error('bad record')
        return { key, value }
      },
    })
    await world.run(() => first.done)
    expect(first.ended.error).toMatchObject({ message: 'bad record' })
    expect(committed()).toHaveLength(10)
    lane('tx')
    await world.advance(3_000)
    expect(verdict(30)).toEqual(exactlyOnce)
  })

  test('skips a record, or tries it again, as it is told', async () => {
    const { world, lane, feed, committed } = pipelineWorld({ partitions: 1 })
    feed(20)
    let tries = 0
    const running = lane('tx', {
      transform: ({ key, value }) => {
        if (value === '0.3') throw new Error('never')
        if (value === '0.7' && ++tries < 3) throw new Error('not yet')
        return { key, value }
      },
      onError: (_, { value }) => (value === '0.3' ? 'skip' : 'retry'),
    })
    await world.advance(5_000)
    const expected = Array.from({ length: 20 }, (_, n) => `0.${n}`).filter(value => value !== '0.3')
    expect(committed()).toEqual(expected)
    expect(running.lane.metrics()).toMatchObject({ aborts: 2 })
  })

  test('undoes a transaction whose offsets are refused, reads it again, and counts it once', async () => {
    const { world, output, lane, feed, verdict } = pipelineWorld()
    feed(40)
    output.coordinatorErrors.TxnOffsetCommit = [0, errors.ILLEGAL_GENERATION.code, 0, errors.REBALANCE_IN_PROGRESS.code]
    const running = lane('tx')
    await world.advance(5_000)
    expect(verdict(40)).toEqual(exactlyOnce)
    expect(running.lane.metrics().aborts).toBe(2)
  })

  // Found with Apache Kafka killed under running pipelines: no coordinator fences a transaction's offsets that name no member (KIP-447).
  test('commits nothing while it is no member of its group: its partitions may have another owner already', async () => {
    const { world, output, lane, feed, verdict } = pipelineWorld()
    feed(40)
    const members: string[] = []
    const fence = output.offsetsRefused
    output.offsetsRefused = (memberId, generationId) => {
      members.push(memberId)
      return memberId === '' ? 0 : fence(memberId, generationId)
    }
    const running = lane('tx')
    const { consumer } = running.lane
    const present = consumer.groupMetadata.bind(consumer)
    const nobody = { groupId: 'g', memberId: '', generationId: -1, groupInstanceId: null }
    let asked = 0
    Object.assign(consumer, { groupMetadata: () => (++asked === 2 ? Promise.resolve(nobody) : present()) })
    await world.advance(5_000)
    expect(members).not.toEqual([])
    expect(members).not.toContain('')
    expect(running.lane.metrics().aborts).toBe(1)
    expect(verdict(40)).toEqual(exactlyOnce)
  })

  // Found by `odradek simulate --seed 1 --scenario pipeline --weather deaths`.
  test('begins again when the sender dies while a transaction begins', async () => {
    const { world, lane, feed, verdict, producer: sound } = pipelineWorld()
    feed(40)
    let begun = 0
    const producer = sound('tx')
    const begin = producer.begin.bind(producer)
    const died = new KafkaError('ODK_SENDER_DIED', 'its thread ended')
    Object.assign(producer, { begin: () => (++begun % 3 === 1 ? Promise.reject(died) : begin()) })
    const running = lane('tx', { producer })
    await world.advance(10_000)
    expect(running.ended.error).toBe(null)
    expect(verdict(40)).toEqual(exactlyOnce)
    expect(begun).toBeGreaterThan(3)
  })

  test('tries again with pauses when its sender cannot be started, instead of taking its thread for itself', async () => {
    const { world, lane, feed, verdict, producer: sound } = pipelineWorld()
    feed(40)
    let begun = 0
    let isGone = false
    const producer = sound('tx')
    const begin = producer.begin.bind(producer)
    const died = new KafkaError('ODK_SENDER_DIED', 'its thread cannot be started')
    Object.assign(producer, { begin: () => (++begun && isGone ? Promise.reject(died) : begin()) })
    const running = lane('tx', { producer, commitEvery: { records: 5, ms: 100 } })
    await world.advance(50)
    isGone = true
    begun = 0
    feed(40, 40)
    await world.advance(10_000)
    expect(begun).toBeGreaterThan(5)
    expect(begun).toBeLessThan(40)
    isGone = false
    await world.advance(10_000)
    expect(running.ended.error).toBe(null)
    expect(verdict(80)).toEqual(exactlyOnce)
  })

  test('commits before partitions go to another member', async () => {
    const { world, lane, feed, verdict } = pipelineWorld({ partitions: 4 })
    feed(40)
    const slow = { commitEvery: { records: 1_000, ms: 10_000 } }
    const a = lane('tx-a', slow)
    await world.advance(1_000)
    const b = lane('tx-b', slow)
    await world.advance(2_000)
    expect(a.lane.metrics().transactions).toBe(1)
    feed(20, 40)
    await world.advance(15_000)
    expect(verdict(60)).toEqual(exactlyOnce)
    expect(b.lane.metrics().records).toBeGreaterThan(0)
    expect(a.lane.metrics().aborts + b.lane.metrics().aborts).toBe(0)
  })

  test('loses its partition in the middle of a batch: it leaves the batch, and each record counts once, whoever made it', async () => {
    const { world, lane, feed, verdict } = pipelineWorld({ partitions: 1 })
    feed(40)
    let calls = 0
    const pause = () => new Promise<void>(resolve => world.clock.after(++calls === 3 ? 1_500 : 1, resolve))
    const slow = lane('tx-slow', {
      commitEvery: { records: 1_000, ms: 60_000 },
      transform: async ({ key, value }) => {
        await pause()
        return { key, value }
      },
    })
    await world.advance(300)
    expect(calls).toBe(3)
    const next = lane('tx-next')
    await world.advance(500)
    slow.lane.stop()
    await world.run(() => slow.done)
    expect(slow.ended.error).toBe(null)
    expect(calls).toBeLessThan(40)
    await world.advance(10_000)
    expect(next.lane.metrics().records).toBeGreaterThanOrEqual(40 - calls)
    expect(verdict(40)).toEqual(exactlyOnce)
  })

  test('closed in the middle of a transaction it commits what was processed, and begins nothing else', async () => {
    const { world, output, lane, feed, committed } = pipelineWorld({ partitions: 1 })
    feed(7)
    const running = lane('tx', { commitEvery: { records: 1_000, ms: 60_000 } })
    await world.advance(1_000)
    expect(running.lane.metrics()).toMatchObject({ records: 7, transactions: 0 })
    expect(committed()).toEqual([])
    running.lane.stop()
    await world.run(() => running.done)
    expect(running.ended.error).toBe(null)
    expect(output.transactions.get('tx')!.committedOffsets).toEqual(['in-0@7'])
    expect(committed()).toHaveLength(7)
    expect(running.lane.metrics()).toMatchObject({ records: 7, transactions: 1, aborts: 0 })
  })

  test('ends the transaction of a predecessor that died before it reads: the group tells no offsets that are in one', async () => {
    const { world, output, lane, producer, feed, verdict } = pipelineWorld()
    feed(20)
    // The group has forgotten the member by then; what it staged is still there.
    const fence = output.offsetsRefused
    output.offsetsRefused = () => 0
    const died = await world.run(() => producer('tx').begin())
    await world.run(async () => {
      await died.send('out', { key: 'k', value: '0.0' } as never)
      await died.sendOffsets({
        groupId: 'g',
        offsets: [0, 1].map(partition => ({ topic: 'in', partition, offset: 1 })),
      })
    })
    expect(output.transactions.get('tx')!.offsets).toHaveLength(2)
    output.offsetsRefused = fence
    lane('tx')
    await world.advance(3_000)
    expect(verdict(20)).toEqual(exactlyOnce)
  })

  test('ends when a second one with its id takes over, with an error that says so', async () => {
    const { world, lane, feed, verdict } = pipelineWorld()
    feed(40)
    const first = lane('tx')
    await world.advance(1_000)
    const second = lane('tx')
    await world.advance(5_000)
    feed(20, 40)
    await world.advance(10_000)
    expect(first.ended.error).toMatchObject({ code: 'ODK_PRODUCER_FENCED', fatal: true })
    expect(second.ended.isDone).toBe(false)
    expect(verdict(60)).toEqual(exactlyOnce)
  })

  test('through lost messages, failing functions, members that come and go and fenced offsets: exactly once (20 seeds)', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { world, output, group, lane, feed, verdict } = pipelineWorld({ seed, partitions: 3 })
      Object.assign(output.faults, { loseRequest: 0.05, loseReply: 0.05, notLeader: 0.05, delayMs: 3 })
      const moody = {
        onError: 'retry' as const,
        transform: ({ key, value }: { key: string; value: string }) => {
          if (world.random.int(60) === 0) throw new Error('moody')
          return { key, value }
        },
      }
      const stable = lane('tx-0', moody)
      for (let round = 0; round < 6; round++) {
        feed(20, round * 20)
        const guest = lane(`tx-guest-${round}`, moody)
        await world.advance(world.random.int(2_000))
        // A member that the coordinator gives up: its offsets are fenced.
        if (world.random.int(2) === 0) group.remove([...group.members.keys()][0] ?? '')
        await world.advance(world.random.int(1_000))
        guest.lane.stop()
        await world.run(() => guest.done)
        expect(guest.ended.error).toBe(null)
      }
      await world.advance(30_000)
      expect({ seed, ...verdict(120) }).toEqual({ seed, ...exactlyOnce })
      expect(stable.ended).toEqual({ error: null, isDone: false })
    }
  })
})
