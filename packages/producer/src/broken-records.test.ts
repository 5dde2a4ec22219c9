// What the application's own code throws while a record is looked at: it is told as the application's error, and costs no other record anything.
import { expect, test } from 'vitest'
import { PartialSendError } from './acknowledgement.ts'
import { openWorld as open } from './producer-world.suite.ts'

test.each(['key', 'value', 'headers', 'timestamp', 'partition'])(
  "a record whose %s cannot be read is its maker's error, by its place among those sent; the others are sent once",
  async field => {
    const { world, producer, log } = open({}, { partitions: 2 })
    const thrown = new RangeError('out of ink')
    const broken = Object.defineProperty({ value: 'b', partition: 0 }, field, {
      get: () => {
        throw thrown
      },
    })
    const records = [{ value: 'a', partition: 0 }, { value: 'x', partition: 1 }, broken, { value: 'c', partition: 0 }]
    const failure = await world.run(() => producer.send('orders', records).catch((error: unknown) => error))
    expect(failure).toBeInstanceOf(PartialSendError)
    const unreadable = {
      code: 'ODK_RECORD_INVALID',
      message: expect.stringMatching(/^record 2 of 4 .* out of ink$/),
      cause: thrown,
    }
    expect((failure as PartialSendError).results).toMatchObject([
      { offset: 0n },
      { offset: 0n },
      unreadable,
      unreadable,
    ])
    const alone = { code: 'ODK_RECORD_INVALID', cause: thrown }
    await expect(world.run(() => producer.send('orders', broken))).rejects.toMatchObject(alone)
    expect(() => producer.enqueue('orders', broken)).toThrow(expect.objectContaining(alone))
    await world.run(() => producer.send('orders', { value: 'd', partition: 0 }))
    expect([log(0), log(1)]).toEqual([['a', 'd'], ['x']])
  },
)

test('what a partitioner throws is told as such, and of which record', async () => {
  const thrown = new Error('no idea')
  let asked = 0
  const partitioner = () => {
    if (++asked === 2) throw thrown
    return 0
  }
  const { world, producer, log } = open({ partitioner })
  const failure = await world.run(() =>
    producer
      .send(
        'orders',
        ['v0', 'v1', 'v2'].map(value => ({ value })),
      )
      .catch((error: unknown) => error),
  )
  expect((failure as PartialSendError).results).toMatchObject([
    { offset: 0n },
    { code: 'ODK_PARTITION_INVALID', message: expect.stringMatching(/^record 1 of 3 .* no idea$/), cause: thrown },
    { code: 'ODK_PARTITION_INVALID' },
  ])
  expect(log()).toEqual(['v0'])
})
