import { json, string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import { describe, expect, it } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import { consumerWorld } from './consumer-world.suite.ts'

const words = topic('words', { key: string(), value: string() })

async function take(consumer: Consumer, count: number, topics?: Parameters<Consumer['stream']>[0]): Promise<string[]> {
  const values: string[] = []
  if (count === 0) return values
  for await (const record of consumer.stream(topics ?? words)) {
    values.push(record.value as string)
    if (values.length === count) break
  }
  return values
}

describe('a consumer without a group', () => {
  it('reads all partitions of a topic, each in order', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 2)
    cluster.append('words', 0, ['a0', 'a1'])
    cluster.append('words', 1, ['b0', 'b1'])
    cluster.append('words', 0, ['a2'])
    const values = await w.run(() => take(create(), 5))
    expect(values.filter(value => value.startsWith('a'))).toEqual(['a0', 'a1', 'a2'])
    expect(values.filter(value => value.startsWith('b'))).toEqual(['b0', 'b1'])
  })

  it('hands out offset, timestamp, key, value and headers as the topic is typed', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('numbers', 1)
    cluster.append('numbers', 0, ['{"n":1}'])
    const numbers = topic('numbers', { key: string(), value: json<{ n: number }>() })
    await w.run(async () => {
      for await (const { offset, timestamp, key, value, headers, partition } of create().stream(numbers)) {
        expect({ offset, timestamp, key, value, headers, partition }).toEqual({
          offset: 0n,
          timestamp: 1_000,
          key: 'k',
          value: { n: 1 },
          headers: [],
          partition: 0,
        })
        break
      }
    })
    expect.assertions(1)
  })

  it('waits for records that come later', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    const reading = w.run(async () => {
      const taken = take(create(), 1)
      w.clock.after(2_345, () => cluster.append('words', 0, ['late']))
      return taken
    })
    expect(await reading).toEqual(['late'])
    expect(w.elapsedMs).toBeGreaterThanOrEqual(2_345)
    expect(w.elapsedMs).toBeLessThan(2_400)
  })

  it('begins at the end by default', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['old'])
    const values = await w.run(async () => {
      const taken = take(create({ autoOffsetReset: 'latest' }), 1)
      w.clock.after(1_000, () => cluster.append('words', 0, ['new']))
      return taken
    })
    expect(values).toEqual(['new'])
  })

  it('continues behind a seek to an offset, an end or a time, also in mid-stream', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2'], {}, 100)
    cluster.append('words', 0, ['3', '4'], {}, 200)
    const at = { topic: 'words', partition: 0 }
    const values: string[] = []
    await w.run(async () => {
      const consumer = create()
      for await (const { value } of consumer.stream(words)) {
        values.push(value!)
        if (values.length === 2) consumer.seek(at, 4n)
        if (values.length === 3) consumer.seek(at, { timestamp: 150 })
        if (values.length === 4) consumer.seek(at, 'earliest')
        if (values.length === 6) break
      }
    })
    expect(values).toEqual(['0', '1', '4', '3', '0', '1'])
  })

  it('reads nothing of a paused partition, and goes on where it stopped', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 2)
    cluster.append('words', 0, ['a0', 'a1', 'a2'])
    const at = [{ topic: 'words', partition: 0 }]
    const values: string[] = []
    await w.run(async () => {
      const consumer = create()
      for await (const { value } of consumer.stream(words)) {
        values.push(value!)
        if (value === 'a0') {
          consumer.pause(at)
          cluster.append('words', 1, ['b0'])
        }
        if (value === 'b0') consumer.resume(at)
        if (value === 'a2') break
      }
    })
    expect(values).toEqual(['a0', 'b0', 'a1', 'a2'])
  })

  it('goes on behind the record at which a stream was left', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2', '3'])
    await w.run(async () => {
      const consumer = create()
      expect(await take(consumer, 2)).toEqual(['0', '1'])
      const values: string[] = []
      for await (const { value } of consumer.stream()) {
        values.push(value as unknown as string)
        if (values.length === 2) break
      }
      expect(values).toEqual(['2', '3'])
    })
    expect.assertions(2)
  })

  it('polls at most maxPollRecords, and gives an empty list after the wait', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2'])
    await w.run(async () => {
      const consumer = create({ maxPollRecords: 2 })
      await consumer.subscribe(words)
      expect((await consumer.poll(1_000)).map(({ value }) => value)).toEqual(['0', '1'])
      expect((await consumer.poll(1_000)).map(({ value }) => value)).toEqual(['2'])
      const before = w.elapsedMs
      expect(await consumer.poll(700)).toEqual([])
      expect(w.elapsedMs - before).toBeGreaterThanOrEqual(700)
    })
    expect.assertions(4)
  })

  it('tells position and lag', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2', '3'])
    const at = { topic: 'words', partition: 0 }
    await w.run(async () => {
      const consumer = create({ maxPollRecords: 3 })
      await consumer.subscribe(words)
      expect(await consumer.position(at)).toBe(0n)
      await consumer.poll(1_000)
      expect(await consumer.position(at)).toBe(3n)
      expect(await consumer.lag(at)).toBe(1n)
      expect(await consumer.endOffsets([at])).toEqual([4n])
      expect(await consumer.offsetsForTime([at], 5_000)).toEqual([null])
    })
    expect.assertions(5)
  })

  it('reads compressed batches', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1'], { compression: 'gzip' })
    cluster.append('words', 0, ['2'])
    cluster.append('words', 0, ['3'], { compression: 'gzip' })
    expect(await w.run(() => take(create(), 4))).toEqual(['0', '1', '2', '3'])
  })

  it('reads neither aborted records nor markers with readCommitted, and both kinds of data without', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    const transactional = { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true }
    const marker = { producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5 }
    cluster.append('words', 0, ['aborted'], transactional)
    cluster.append('words', 0, ['plain'])
    cluster.appendBatch('words', 0, buildEndTxnMarker({ ...marker, type: 'ABORT' }))
    cluster.append('words', 0, ['committed'], { ...transactional, baseSequence: 1 })
    cluster.appendBatch('words', 0, buildEndTxnMarker({ ...marker, type: 'COMMIT' }))
    cluster.append('words', 0, ['end'])
    cluster.get('words', 0).aborted.push({ producerId: 7, firstOffset: 0 })
    expect(await w.run(() => take(create({ isolationLevel: 'readCommitted' }), 3))).toEqual([
      'plain',
      'committed',
      'end',
    ])
    expect(await w.run(() => take(create(), 4))).toEqual(['aborted', 'plain', 'committed', 'end'])
  })

  it('moves its position over markers at the end of a partition', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0'])
    cluster.appendBatch(
      'words',
      0,
      buildEndTxnMarker({ type: 'COMMIT', producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5 }),
    )
    await w.run(async () => {
      const consumer = create()
      await consumer.subscribe(words)
      await consumer.poll(1_000)
      await consumer.poll(1_000)
      expect(await consumer.position({ topic: 'words', partition: 0 })).toBe(2n)
    })
    expect.assertions(1)
  })

  it('refuses a batch whose CRC is wrong, after the records before it', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['good'])
    cluster.append('words', 0, ['bad'])
    const bytes = cluster.get('words', 0).batches[1]!
    bytes[bytes.length - 2]! ^= 1
    await w.run(async () => {
      const consumer = create()
      const stream = consumer.stream(words)
      expect((await stream.next()).value?.value).toBe('good')
      await expect(stream.next()).rejects.toMatchObject({ code: 'ODK_CORRUPT_RECORD' })
      consumer.seek({ topic: 'words', partition: 0 }, 2)
      cluster.append('words', 0, ['after'])
      expect((await consumer.poll(1_000)).map(({ value }) => value)).toEqual(['after'])
    })
    expect.assertions(3)
  })

  it('applies the reset policy when its position is out of range, and says so when there is none', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0'])
    cluster.append('words', 0, ['1'])
    cluster.get('words', 0).startOffset = 1
    const assignment = [{ topic: words, partition: 0, offset: 0 }]
    await w.run(async () => {
      const earliest = create()
      await earliest.assign(assignment)
      expect((await earliest.poll(1_000)).map(({ offset }) => offset)).toEqual([1n])
      const none = create({ autoOffsetReset: 'none' })
      await none.assign(assignment)
      await expect(none.poll(1_000)).rejects.toMatchObject({
        code: 'ODK_OFFSET_OUT_OF_RANGE',
        kafkaName: 'OFFSET_OUT_OF_RANGE',
      })
    })
    expect.assertions(2)
  })

  it('follows the leader after NOT_LEADER_OR_FOLLOWER and lost endpoints', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0'])
    const log = cluster.get('words', 0)
    log.errors.push(6, 6)
    expect(await w.run(() => take(create(), 1))).toEqual(['0'])
    log.endpoint = null
    cluster.coming.push(() => {
      log.endpoint = { id: 'elsewhere', nodeId: 1 }
    })
    expect(await w.run(() => take(create(), 1))).toEqual(['0'])
    expect(cluster.requests.at(-1)!.endpoint).toBe('elsewhere')
  })

  it('keeps what a stopped reader costs within the prefetch bound and the window', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 2)
    for (let n = 0; n < 400; n++) cluster.append('words', n % 2, ['x'.repeat(10_000)])
    await w.run(async () => {
      const consumer = create({ prefetchBytesMax: 200_000, maxPartitionFetchBytes: 50_000 })
      await consumer.subscribe(words)
      await consumer.poll(1_000)
    })
    await w.advance(60_000)
    const queues = (await w.run(() => w.actors())).find(({ address }) => address.kind === 'consumer')!.queues!
    const prefetched = queues.find(({ name }) => name === 'prefetched bytes')!
    expect(prefetched.high).toBeGreaterThan(100_000)
    expect(prefetched.high).toBeLessThan(400_000)
    const fetched = cluster.requests.filter(({ api }) => api === 'Fetch').length
    await w.advance(60_000)
    expect(cluster.requests.filter(({ api }) => api === 'Fetch').length).toBe(fetched)
  })

  it('skips records that do not decode when told so', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('numbers', 1)
    cluster.append('numbers', 0, ['1', 'nonsense', '3'])
    const numbers = topic('numbers', { value: json<number>() })
    const seen: string[] = []
    const values = await w.run(() => take(create({ onDecodeError: 'skip' }), 2, numbers))
    const asked = await w.run(() =>
      take(
        create({
          onDecodeError: (error, { offset }) => {
            seen.push(`${error.code}@${offset}`)
            return 'skip'
          },
        }),
        2,
        numbers,
      ),
    )
    expect(values).toEqual([1, 3])
    expect(asked).toEqual([1, 3])
    expect(seen).toEqual(['ODK_DECODE_FAILED@1'])
    await expect(w.run(() => take(create(), 2, numbers))).rejects.toMatchObject({ code: 'ODK_DECODE_FAILED' })
  })

  it('ends its streams when it is closed in mid-stream', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2'])
    const values: string[] = []
    await w.run(async () => {
      const consumer = create()
      for await (const { value } of consumer.stream(words)) {
        values.push(value!)
        if (value === '1') await consumer.close()
      }
      await expect(consumer.poll(10)).rejects.toMatchObject({ code: 'ODK_CONSUMER_CLOSED' })
    })
    expect(values).toEqual(['0', '1'])
    expect((await w.run(() => w.actors())).filter(({ address }) => address.kind === 'consumer')).toEqual([])
  })

  it('goes on from its positions when its thread died', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2'])
    const values: string[] = []
    await w.run(async () => {
      for await (const { value } of create().stream(words)) {
        values.push(value!)
        if (value === '1') w.kill((await w.actors()).find(({ address }) => address.kind === 'consumer')!.address)
        if (value === '2') break
      }
    })
    expect(values).toEqual(['0', '1', '2'])
  })
})

describe('a consumer whose thread dies again and again', () => {
  it('loses nothing, also when it dies while it takes up its assignment', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { world: w, cluster, create } = consumerWorld(seed)
      cluster.addTopic('words', 3)
      for (let n = 0; n < 60; n++) cluster.append('words', n % 3, [`${n}`])
      const seen = new Set<string>()
      const kill = async () => {
        const actors = await w.actors()
        for (const { address } of actors) if (address.kind === 'consumer') w.kill(address)
      }
      await w.run(async () => {
        for await (const { value } of create({ maxPartitionFetchBytes: 100 }).stream(words)) {
          seen.add(value!)
          if (w.random.int(5) === 0) await kill()
          if (w.random.int(5) === 0) w.clock.after(w.random.int(4), () => void kill())
          if (seen.size === 60) break
        }
      })
      expect(seen.size, `seed ${seed}`).toBe(60)
    }
  })

  it('repeats nothing and keeps the order of each partition, whatever is read between death and successor', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { world: w, cluster, create } = consumerWorld(seed)
      cluster.addTopic('words', 2)
      for (let n = 0; n < 60; n++) cluster.append('words', n % 2, [`${n}`])
      const seen: number[][] = [[], []]
      await w.run(async () => {
        const consumer = create({ maxPollRecords: 1 })
        await consumer.assign([0, 1].map(partition => ({ topic: words, partition, offset: 3 })))
        while (seen[0]!.length + seen[1]!.length < 54) {
          for (const { partition, value } of await consumer.poll(20)) seen[partition]!.push(Number(value))
          await new Promise<void>(resolve => w.clock.after(w.random.float() * 5, resolve))
          if (w.random.int(4) === 0)
            for (const { address } of await w.actors()) if (address.kind === 'consumer') w.kill(address)
        }
      })
      for (const partition of [0, 1]) {
        const expected = Array.from({ length: 27 }, (_, n) => 2 * (n + 3) + partition)
        expect(seen[partition], `seed ${seed}`).toEqual(expected)
      }
    }
  })

  it('goes where it was told to, also when the thread dies before anything came from there', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2', '3'])
    const values = await w.run(async () => {
      const consumer = create()
      const at = { topic: 'words', partition: 0 }
      const kill = async () => {
        for (const { address } of await w.actors()) if (address.kind === 'consumer') w.kill(address)
      }
      await consumer.assign([{ ...at, topic: words, offset: 2 }])
      await kill()
      const [first] = await consumer.poll(1_000)
      await kill()
      consumer.seek(at, 1)
      const [second] = await consumer.poll(1_000)
      return [first!.value, second!.value]
    })
    expect(values).toEqual(['2', '1'])
  })
})
