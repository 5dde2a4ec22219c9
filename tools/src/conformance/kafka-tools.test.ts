// Kafka's own command line tools, 4.3.1, unmodified, against our broker: what they print is what an administrator of Kafka expects.
import { describe, expect, test } from 'vitest'
import { javaMissing } from './drivers.ts'
import { kafkaToolsScene } from './kafka-tools-scene.suite.ts'

const missing = javaMissing()

describe.skipIf(missing !== null)(missing ?? "Kafka's tools", () => {
  const scene = kafkaToolsScene()
  const topics = (...args: string[]) => scene.tools.run('kafka-topics', args)
  const configs = (...args: string[]) => scene.tools.run('kafka-configs', args)

  test('kafka-topics creates, lists, describes, alters and deletes', async () => {
    expect(
      await topics('--create', '--topic', 'orders', '--partitions', '2', '--config', 'retention.ms=1000'),
    ).toContain('Created topic orders.')
    expect((await topics('--list')).split('\n')).toContain('orders')
    const described = await topics('--describe', '--topic', 'orders')
    expect(described).toMatch(
      /Topic: orders\tTopicId: \S{22}\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: .*retention\.ms=1000/,
    )
    expect(described).toMatch(/Topic: orders\tPartition: 1\tLeader: 1\tReplicas: 1\tIsr: 1/)
    await topics('--alter', '--topic', 'orders', '--partitions', '3')
    expect(await topics('--describe', '--topic', 'orders')).toContain('PartitionCount: 3')
    await topics('--create', '--topic', 'short-lived')
    await topics('--delete', '--topic', 'short-lived')
    expect(await topics('--list')).not.toContain('short-lived')
  })

  test('kafka-configs describes and alters topics and brokers', async () => {
    await configs(
      '--alter',
      '--entity-type',
      'topics',
      '--entity-name',
      'orders',
      '--add-config',
      'max.message.bytes=5000',
    )
    const topic = await configs('--describe', '--entity-type', 'topics', '--entity-name', 'orders')
    expect(topic).toMatch(
      /max\.message\.bytes=5000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:max\.message\.bytes=5000/,
    )
    const all = await configs('--describe', '--all', '--entity-type', 'brokers', '--entity-name', '1')
    expect(all).toMatch(/num\.partitions=1 sensitive=false/)
    await configs(
      '--alter',
      '--entity-type',
      'topics',
      '--entity-name',
      'orders',
      '--delete-config',
      'max.message.bytes',
    )
    expect(await configs('--describe', '--entity-type', 'topics', '--entity-name', 'orders')).not.toContain('5000')
  })

  test('kafka-console-producer, kafka-console-consumer and kafka-get-offsets agree', async () => {
    const input = 'a:1\nb:2\nc:3\n'
    await scene.tools.run(
      'kafka-console-producer',
      ['--topic', 'orders', '--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:'],
      { input },
    )
    const offsets = await scene.tools.run('kafka-get-offsets', ['--topic', 'orders'])
    const sum = offsets
      .trim()
      .split('\n')
      .reduce((total, line) => total + Number(line.split(':')[2]), 0)
    expect(sum).toBe(3)
    const read = await scene.tools.run('kafka-console-consumer', [
      '--topic',
      'orders',
      '--from-beginning',
      '--max-messages',
      '3',
      '--formatter-property',
      'print.key=true',
    ])
    expect(read.trim().split('\n').toSorted()).toEqual(['a\t1', 'b\t2', 'c\t3'])
  })

  test('kafka-features, kafka-metadata-quorum and kafka-log-dirs describe this node', async () => {
    const features = await scene.tools.run('kafka-features', ['describe'])
    expect(features).toMatch(
      /Feature: transaction\.version\s+SupportedMinVersion: 0\s+SupportedMaxVersion: 2\s+FinalizedVersionLevel: 2/,
    )
    const level = (to: number) => new RegExp(`transaction\\.version\\s.*FinalizedVersionLevel: ${to}`)
    await scene.tools.run('kafka-features', ['downgrade', '--feature', 'transaction.version=1'])
    expect(await scene.tools.run('kafka-features', ['describe'])).toMatch(level(1))
    await scene.tools.run('kafka-features', ['upgrade', '--feature', 'transaction.version=2'])
    expect(await scene.tools.run('kafka-features', ['describe'])).toMatch(level(2))
    expect(await scene.tools.run('kafka-metadata-quorum', ['describe', '--status'])).toMatch(
      /ClusterId: +\S+\nLeaderId: +1/,
    )
    const dirs = await scene.tools.run('kafka-log-dirs', ['--describe', '--topic-list', 'orders'])
    expect(dirs).toContain('"partition":"orders-0"')
  })

  test('kafka-broker-api-versions reads every API that is served', async () => {
    const versions = await scene.tools.run('kafka-broker-api-versions', [])
    expect(versions).toMatch(/\(id: 1 rack: null isFenced: false\) -> \(/)
    expect(versions).toMatch(/Produce\(0\): 0 to 13 \[usable: 13\]/)
    expect(versions).toMatch(/Fetch\(1\): 4 to 18 \[usable: 18\]/)
  })
})
