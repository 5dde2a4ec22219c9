// Every client administers topics, configs and offsets with its own admin API; what it did is then seen by another client. What a client has no API for is not asked.
import { beforeAll, describe, expect, test } from 'vitest'
import { errorText } from './client-errors.ts'
import { realClients } from './clients.ts'
import { clientsScene } from './clients-scene.suite.ts'
import type { RealAdmin } from './real-client.ts'

const TOPIC_PARTITIONS = 3
const present = realClients.filter(({ missing }) => missing === null)
const WITNESS = 'odradek'

describe('administration', () => {
  const scene = clientsScene(present, { standing: TOPIC_PARTITIONS })
  const { clients } = scene
  const admin = (name: string) => clients.get(name)!.admin as RealAdmin
  const witness = () => admin(WITNESS)
  beforeAll(() => clients.get(WITNESS)!.write('standing', 'none', tenLetters))

  const names = present.map(({ name }) => name)

  test.each(names)('%s sees the node by its advertised address', async name => {
    const { clusterId, nodes } = await admin(name).cluster()
    const [host, port] = scene.broker.bootstrapServers.split(':')
    expect(nodes).toEqual([{ id: 1, host, port: Number(port) }])
    if (clusterId !== null) expect(clusterId).toBe(scene.broker.clusterId)
  })

  test.each(names)('%s lists topics, and finds a leader for every partition', async name => {
    expect(await admin(name).listTopics()).toContain('standing')
    expect(await admin(name).partitionsOf('standing')).toBe(TOPIC_PARTITIONS)
  })

  test.each(names)('%s finds where a partition begins and ends', async name => {
    expect(await admin(name).endOffset('standing', 1)).toBe(tenLetters.length)
    expect(await admin(name).beginningOffset('standing', 1)).toBe(0)
    expect(await admin(name).endOffset('standing', 0)).toBe(0)
  })

  describe.each(names.filter(name => name !== 'kcat'))('%s', name => {
    const topic = `of-${name.replaceAll(/[^a-z-]/g, '')}`

    test('creates a topic with configs', async () => {
      await admin(name).createTopic(topic, 2, { 'retention.ms': '3600000', 'cleanup.policy': 'compact,delete' })
      expect(await witness().partitionsOf(topic)).toBe(2)
      expect(await witness().configOf(topic, 'retention.ms')).toBe('3600000')
      expect(await admin(name).configOf(topic, 'cleanup.policy')).toBe('compact,delete')
    })

    test('is told by name when the topic exists', async () => {
      // kafkajs answers false instead of throwing.
      if (name === 'kafkajs') await expect(admin(name).createTopic(topic, 2, {})).resolves.toBeUndefined()
      else await expect(errorText(admin(name).createTopic(topic, 2, {}))).resolves.toMatch(/already.?exists/i)
    })

    test('is told by name what is wrong with a config', async () => {
      const refused = admin(name).createTopic(`${topic}-bad`, 1, { 'retention.ms': 'soon' })
      await expect(errorText(refused)).resolves.toMatch(/config|retention\.ms|Invalid value/i)
      expect(await witness().listTopics()).not.toContain(`${topic}-bad`)
    })

    test('alters a config', async () => {
      await admin(name).setConfig(topic, 'max.message.bytes', '123456')
      expect(await witness().configOf(topic, 'max.message.bytes')).toBe('123456')
    })

    test('adds partitions, which take records at once', async () => {
      await admin(name).addPartitions(topic, 4)
      expect(await witness().partitionsOf(topic)).toBe(4)
      await clients.get(name)!.write(
        topic,
        'none',
        tenLetters.map(letter => ({ ...letter, partition: 3 })),
      )
      expect(await witness().endOffset(topic, 3)).toBe(tenLetters.length)
    })

    test('deletes records before an offset', async () => {
      await admin(name).deleteRecords(topic, 3, 4)
      expect(await witness().beginningOffset(topic, 3)).toBe(4)
      expect(await admin(name).beginningOffset(topic, 3)).toBe(4)
    })

    test('deletes the topic', async () => {
      await admin(name).deleteTopic(topic)
      expect(await witness().listTopics()).not.toContain(topic)
    })
  })
})

const tenLetters = Array.from({ length: 10 }, (_, id) => ({
  partition: 1,
  key: Buffer.from('k'),
  value: Buffer.from(String(id)),
  headers: [],
}))
