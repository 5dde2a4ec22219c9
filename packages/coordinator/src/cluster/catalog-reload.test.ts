// Random admin operations against the rules: the catalog after reading the log again is the catalog before, and the image a watcher builds
// from deltas is the image of the catalog.
import { seededRandom } from '@odradek/shared/base/random'
import type { TopicImage } from '@odradek/shared/contracts/cluster.contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CatalogRecord, decodeCatalogRecord, encodeCatalogRecord } from './catalog.records.ts'
import { type Catalog, emptyCatalog, REMOVED_TOPICS_KEPT, replayCatalog } from './catalog.ts'
import type { ClusterSetup } from './cluster-setup.ts'
import { incrementalAlterConfigs } from './config-changes.rules.ts'
import { createPartitions } from './create-partitions.rules.ts'
import { createTopics } from './create-topics.rules.ts'
import { deleteTopics } from './delete-topics.rules.ts'
import { describeMetadata } from './describe-topics.rules.ts'
import { imageDelta, wholeImage } from './image.rules.ts'
import { bumpLeaderEpochs } from './leadership.rules.ts'
import { firstRecords } from './node.rules.ts'

const setup: ClusterSetup = {
  nodeId: 1,
  clusterId: 'c',
  incarnationId: 'AAAAAAAAAAAAAAAAAAAAAQ',
  given: new Map(),
  partitionsPerRequestMax: 100,
}
const everything = {
  topics: null,
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

const names = fc.constantFrom('a', 'b', 'a.b', 'a_b', 'bad name')
const operations = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('create' as const), name: names, count: fc.integer({ min: -1, max: 5 }) }),
    fc.record({ kind: fc.constant('delete' as const), name: names, count: fc.constant(0) }),
    fc.record({ kind: fc.constant('grow' as const), name: names, count: fc.integer({ min: 0, max: 8 }) }),
    fc.record({ kind: fc.constant('configure' as const), name: names, count: fc.integer({ min: -2, max: 5 }) }),
    fc.record({ kind: fc.constant('default' as const), name: names, count: fc.integer({ min: -2, max: 5 }) }),
    fc.record({ kind: fc.constant('bump' as const), name: names, count: fc.constant(0) }),
  ),
  { maxLength: 40 },
)
type Operation = typeof operations extends fc.Arbitrary<readonly (infer O)[]> ? O : never

const random = seededRandom(3)

function decide(
  catalog: Catalog,
  { kind, name, count }: Operation,
): { records: readonly CatalogRecord[]; deleted?: { topic: string; topicId: string }[] } {
  const timeoutMs = 0
  const validateOnly = false
  switch (kind) {
    case 'create': {
      const topic = { name, numPartitions: count, replicationFactor: -1, assignments: [], configs: [] }
      return createTopics(catalog, setup, { topics: [topic], timeoutMs, validateOnly }, random)
    }
    case 'delete': {
      const topics = [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }]
      const { records, deleted } = deleteTopics(catalog, setup, { topics, topicNames: [], timeoutMs })
      return { records, deleted: [...deleted] }
    }
    case 'grow':
      return createPartitions(catalog, setup, { topics: [{ name, count, assignments: null }], timeoutMs, validateOnly })
    case 'bump':
      return { records: bumpLeaderEpochs(catalog, null) }
    default: {
      const topic = kind === 'configure'
      const configs = [
        {
          name: topic ? 'retention.ms' : 'log.retention.ms',
          configOperation: count === 0 ? 1 : 0,
          value: String(count),
        },
      ]
      const resources = [{ resourceType: topic ? 2 : 4, resourceName: topic ? name : '', configs }]
      return incrementalAlterConfigs(catalog, setup, { resources, validateOnly })
    }
  }
}

test('the catalog after a reload is the catalog before it, and deltas add up to the image', () => {
  fc.assert(
    fc.property(operations, steps => {
      const catalog = emptyCatalog()
      const log: Uint8Array[] = []
      const watcher = new Map<string, TopicImage>()
      const become = (records: readonly CatalogRecord[], deleted: { topic: string; topicId: string }[] = []) => {
        for (const record of records) {
          log.push(encodeCatalogRecord(record).value)
          replayCatalog(catalog, record)
        }
        const delta = imageDelta(catalog, setup, records, deleted)
        for (const { topicId } of delta?.deleted ?? []) watcher.delete(topicId)
        for (const topic of delta?.topics ?? []) watcher.set(topic.topicId, topic)
      }
      become(firstRecords(catalog, setup))
      for (const step of steps) {
        const { records, deleted } = decide(catalog, step)
        become(records, deleted)
        describeMetadata(catalog, setup, everything, [])
      }
      const reloaded = emptyCatalog()
      for (const bytes of log) replayCatalog(reloaded, decodeCatalogRecord(null, bytes)!)
      expect(describeMetadata(reloaded, setup, everything, [])).toEqual(
        describeMetadata(catalog, setup, everything, []),
      )
      expect(wholeImage(reloaded, setup)).toEqual(wholeImage(catalog, setup))
      expect(bare(reloaded)).toEqual(bare(catalog))
      const image = wholeImage(catalog, setup).topics
      expect([...watcher.values()].sort(byId)).toEqual([...image].sort(byId))
      expect(catalog.partitionCount).toBe(image.reduce((sum, { leaderEpochs }) => sum + leaderEpochs.length, 0))
    }),
    { numRuns: 200 },
  )
})

test('topics that were removed are remembered, the latest of them: no more than may be kept', () => {
  const catalog = emptyCatalog()
  for (let n = 0; n <= REMOVED_TOPICS_KEPT; n++) {
    const topicId = `topic-${n}`
    replayCatalog(catalog, { type: 'TopicRecord', value: { name: 'again', topicId } })
    expect(catalog.removedTopics.has(topicId)).toBe(false)
    replayCatalog(catalog, { type: 'RemoveTopicRecord', value: { topicId } })
    expect(catalog.removedTopics.has(topicId)).toBe(true)
  }
  expect(catalog.removedTopics.size).toBe(REMOVED_TOPICS_KEPT)
  expect(catalog.removedTopics.has('topic-0')).toBe(false)
})

const byId = (a: TopicImage, b: TopicImage) => (a.topicId < b.topicId ? -1 : 1)

/** Without what is made at first use. */
function bare(catalog: Catalog) {
  const topics = [...catalog.topics].map(([name, { described: _d, effective: _e, ...topic }]) => [name, topic])
  return { ...catalog, topics, topicsById: [...catalog.topicsById.keys()], topicDefaults: null }
}
