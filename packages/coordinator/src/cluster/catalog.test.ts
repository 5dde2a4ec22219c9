import { expect, test } from 'vitest'
import { type CatalogRecord, decodeCatalogRecord, encodeCatalogRecord, ResourceType } from './catalog.records.ts'
import { Cluster, code, named } from './cluster-verbs.suite.ts'
import { updateFeatures } from './features.rules.ts'
import { imageDelta, wholeImage } from './image.rules.ts'
import { alterPartitionReassignments, bumpLeaderEpochs, electLeaders } from './leadership.rules.ts'
import { allocateProducerIds, firstRecords } from './node.rules.ts'

test('a fresh cluster knows its id, its features and its node; metadata.version is written first', () => {
  const { catalog, log, setup } = new Cluster()
  expect(catalog.clusterId).toBe('cluster-a')
  expect(Object.fromEntries(catalog.features)).toEqual({
    'metadata.version': 30,
    'group.version': 1,
    'transaction.version': 2,
  })
  expect(log[0]).toEqual({ type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 30 } })
  expect(catalog.brokers.get(1)).toMatchObject({ brokerEpoch: 1, fenced: false })
  expect(firstRecords(catalog, setup)).toEqual([])
})

test('a node that starts again registers with the next broker epoch and keeps the cluster id', () => {
  const { catalog, setup } = new Cluster()
  const again = firstRecords(catalog, { ...setup, clusterId: 'other', incarnationId: 'AAAAAAAAAAAAAAAAAAAAAg' })
  expect(again).toMatchObject([{ type: 'RegisterBrokerRecord', value: { brokerEpoch: 2 } }])
})

test('every bump begins a new leader epoch of the partitions it names, or of all', () => {
  const cluster = new Cluster()
  const { topicId } = cluster.create('a', { numPartitions: 2 })
  cluster.become({
    records: bumpLeaderEpochs(cluster.catalog, [
      { topicId, partition: 1 },
      { topicId, partition: 7 },
    ]),
  })
  cluster.become({ records: bumpLeaderEpochs(cluster.catalog, null) })
  expect(cluster.catalog.topics.get('a')!.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 2])
  expect(cluster.metadata([named('a')]).topics[0]?.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 2])
})

test('elections find nothing to do and say so per partition', () => {
  const cluster = new Cluster()
  cluster.create('a')
  const elect = (topicPartitions: { topic: string; partitions: number[] }[] | null, electionType = 0) =>
    electLeaders(cluster.catalog, { electionType, topicPartitions, timeoutMs: 0 })
  expect(
    elect([
      { topic: 'a', partitions: [0, 4] },
      { topic: 'b', partitions: [0] },
    ]).replicaElectionResults.flatMap(({ partitionResult }) => partitionResult.map(({ errorCode }) => errorCode)),
  ).toEqual([84, 3, 3])
  expect(elect(null)).toMatchObject({ errorCode: 0, replicaElectionResults: [] })
  expect(elect([], 5).errorCode).toBe(code('INVALID_REQUEST'))
})

test('a reassignment to where the partition is succeeds; cancelling finds none; strangers are refused', () => {
  const cluster = new Cluster()
  cluster.create('a')
  const move = (partitionIndex: number, replicas: number[] | null) =>
    alterPartitionReassignments(cluster.catalog, cluster.setup, {
      timeoutMs: 0,
      allowReplicationFactorChange: true,
      topics: [{ name: 'a', partitions: [{ partitionIndex, replicas }] }],
    }).responses[0]!.partitions[0]!.errorCode
  expect([move(0, [1]), move(0, null), move(0, [2]), move(3, [1])]).toEqual([0, 85, 39, 3])
})

test('producer ids are handed out in blocks that never overlap', () => {
  const cluster = new Cluster()
  const blocks = [1, 2, 3].map(() => cluster.become(allocateProducerIds(cluster.catalog, cluster.setup)).response)
  expect(blocks.map(({ firstProducerId }) => firstProducerId)).toEqual([0, 1_000, 2_000])
})

test('features move within what is supported, down only when that is said, and all or none', () => {
  const cluster = new Cluster()
  const update = (...featureUpdates: [string, number, number][]) =>
    cluster.become(
      updateFeatures(cluster.catalog, {
        timeoutMs: 0,
        validateOnly: false,
        featureUpdates: featureUpdates.map(([feature, maxVersionLevel, upgradeType]) => ({
          feature,
          maxVersionLevel,
          upgradeType,
          allowDowngrade: false,
        })),
      }),
    ).response.errorCode
  expect(update(['transaction.version', 3, 1])).toBe(code('INVALID_UPDATE_VERSION'))
  expect(update(['transaction.version', 1, 1])).toBe(code('INVALID_UPDATE_VERSION'))
  expect(update(['transaction.version', 1, 2], ['nope', 1, 1])).toBe(code('INVALID_UPDATE_VERSION'))
  expect(cluster.catalog.features.get('transaction.version')).toBe(2)
  expect(update(['transaction.version', 1, 2])).toBe(0)
  expect(cluster.catalog.features.get('transaction.version')).toBe(1)
  expect(update(['transaction.version', 2, 1], ['metadata.version', 30, 1])).toBe(0)
  expect(update(['transaction.version', 0, 3])).toBe(0)
  expect(cluster.catalog.features.has('transaction.version')).toBe(false)
  expect(update(['group.version', 0, 3])).toBe(code('INVALID_UPDATE_VERSION'))
})

test('an image delta holds what changed, whole, and a broker default changes all topics', () => {
  const cluster = new Cluster()
  cluster.create('a', { numPartitions: 2 })
  cluster.create('b')
  const delta = (records: readonly CatalogRecord[]) =>
    imageDelta(cluster.catalog, cluster.setup, cluster.become({ records }).records)
  const config = (resourceType: number, resourceName: string, name: string, value: string): CatalogRecord => ({
    type: 'ConfigRecord',
    value: { resourceType, resourceName, name, value },
  })
  expect(delta([config(ResourceType.TOPIC, 'a', 'retention.ms', '9')])?.topics).toMatchObject([
    { topic: 'a', leaderEpochs: [0, 0], configs: { 'retention.ms': '9' } },
  ])
  const all = delta([config(ResourceType.BROKER, '', 'log.segment.bytes', '2000000')])
  expect(all?.topics.map(({ configs }) => configs['segment.bytes'])).toEqual(['2000000', '2000000'])
  expect(all?.brokerConfigs?.['log.segment.bytes']).toBe('2000000')
  expect(delta([config(ResourceType.BROKER, '1', 'max.connections', '5')])).toMatchObject({
    topics: [],
    brokerConfigs: { 'max.connections': '5' },
  })
  expect(delta([config(ResourceType.CLIENT_METRICS, 'm', 'interval.ms', '5000')])).toBe(null)
  expect(wholeImage(cluster.catalog, cluster.setup).topics.length).toBe(2)
})

test('an image delta holds the configs of all groups that have any when one changed', () => {
  const cluster = new Cluster()
  const become = (resourceName: string, value: string | null) => {
    const name = 'consumer.session.timeout.ms'
    const record = {
      type: 'ConfigRecord',
      value: { resourceType: ResourceType.GROUP, resourceName, name, value },
    } as const
    return imageDelta(cluster.catalog, cluster.setup, cluster.become({ records: [record] }).records)
  }
  const a = { groupId: 'a', configs: { 'consumer.session.timeout.ms': '50000' } }
  expect(become('a', '50000')).toEqual({ isWhole: false, topics: [], deleted: [], groupConfigs: [a] })
  expect(become('__proto__', '51000')?.groupConfigs).toMatchObject([a, { groupId: '__proto__' }])
  expect(become('__proto__', null)?.groupConfigs).toEqual([a])
  expect(wholeImage(cluster.catalog, cluster.setup).groupConfigs).toEqual([a])
})

test('stored records come back as they were written, and kinds that are not known are passed over', () => {
  const cluster = new Cluster()
  cluster.create('a', { numPartitions: 2, configs: [{ name: 'flush.ms', value: '1' }] })
  cluster.become({ records: bumpLeaderEpochs(cluster.catalog, null) })
  cluster.become(allocateProducerIds(cluster.catalog, cluster.setup))
  cluster.delete('a')
  expect(new Set(cluster.log.map(({ type }) => type)).size).toBe(9)
  for (const record of cluster.log) expect(decodeCatalogRecord(null, encodeCatalogRecord(record).value)).toEqual(record)
  expect(decodeCatalogRecord(null, Uint8Array.of(1, 99, 0, 0))).toBe(null)
  expect(() => decodeCatalogRecord(null, Uint8Array.of(1, 2, 0))).toThrow()
})
