// A batch of exactly max.message.bytes is taken from every client and read by every other; one byte more is refused, by name, and leaves nothing behind.
import { createAdmin } from '@odradek/shared/client/admin'
import { describe, expect, test } from 'vitest'
import { errorText } from './client-errors.ts'
import { realClients } from './clients.ts'
import { clientsScene } from './clients-scene.suite.ts'
import type { Letter } from './real-client.ts'

const present = realClients.filter(({ missing }) => missing === null)
const names = present.map(({ name }) => name)

const LIMIT_BYTES = 20_000
/**
 * What a batch of one record without key and headers has besides its value: the header of the batch (61), the record's length and the value's length (3 each
 * for values of this size), attributes, timestamp and offset deltas, key length and number of headers (1 each).
 */
const AROUND_VALUE_BYTES = 61 + 3 + 3 + 5
const topicOf = (name: string) => `limit-${name.replaceAll(/[^a-z-]/g, '')}`

describe('records at the size limit', () => {
  const configs = { 'max.message.bytes': String(LIMIT_BYTES) }
  const topics = names.map(name => [topicOf(name), { partitions: 1, configs }])
  const scene = clientsScene(present, Object.fromEntries(topics))
  const { clients } = scene

  const letterOf = (name: string, batchBytes: number): Letter => ({
    partition: 0,
    key: null,
    value: new Uint8Array(batchBytes - AROUND_VALUE_BYTES).fill(97 + names.indexOf(name)),
    headers: [],
  })

  test.each(names)(
    '%s writes a batch of exactly the limit, and is told by name that one byte more is too large',
    async name => {
      const client = clients.get(name)!
      await client.write(topicOf(name), 'none', [letterOf(name, LIMIT_BYTES)])
      const refused = client.write(topicOf(name), 'none', [letterOf(name, LIMIT_BYTES + 1)])
      await expect(errorText(refused)).resolves.toMatch(/too.?large|larger than the max/i)
      await using admin = createAdmin({ bootstrapServers: scene.broker })
      const [end] = await admin.records.offsets([{ topic: topicOf(name), partition: 0 }], 'latest')
      expect(Number(end!.offset)).toBe(1)
    },
    60_000,
  )

  test.each(names)(
    '%s reads what every client wrote at the limit',
    async name => {
      const letters = await clients.get(name)!.read(new Map(names.map(writer => [topicOf(writer), 1])))
      const found = new Map(letters.map(({ topic, value }) => [topic, Buffer.from(value!)]))
      for (const writer of names) {
        const expected = letterOf(writer, LIMIT_BYTES).value!
        expect(found.get(topicOf(writer))?.equals(expected), `${name} reads what ${writer} wrote`).toBe(true)
      }
    },
    60_000,
  )
})
