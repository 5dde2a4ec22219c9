// The features of a cluster are one thing, however many of its brokers are asked, and whoever of them has just started.
import { describe, expect, test } from 'vitest'
import { ClusterFeatures } from './cluster-features.ts'
import { outcome, scene } from './connection-scene.suite.ts'

const told = (epoch: number, level: number | null) => ({
  finalizedFeaturesEpoch: epoch,
  finalizedFeatures:
    level === null ? [] : [{ name: 'transaction.version', maxVersionLevel: level, minVersionLevel: level }],
})

describe('what a cluster has finalized', () => {
  test.each([
    ['is what the first broker says', [told(3, 2)], 2],
    ['is what a newer answer says, also of a downgrade', [told(3, 2), told(4, 1)], 1],
    ['stays when a broker answers that does not know yet', [told(3, 2), told(-1, null)], 2],
    ['stays when a broker answers that is behind', [told(4, 2), told(3, 1)], 2],
    ['is learned after a first answer that did not know', [told(-1, null), told(3, 2)], 2],
    ['is nothing while nobody knows', [told(-1, null)], undefined],
  ])('%s', (_, answers, level) => {
    const features = new ClusterFeatures()
    for (const answer of answers) features.learn(answer as never)
    expect(features.levels.get('transaction.version')).toBe(level)
  })
})

test('a connection to a broker that has just started speaks as the rest of the cluster does (KIP-890)', async () => {
  const features = new ClusterFeatures()
  features.learn(told(5, 2) as never)
  const { broker, connection } = scene({ features })
  const versions: number[] = []
  broker.on('EndTxn', (_, { apiVersion }) => {
    versions.push(apiVersion)
    return { throttleTimeMs: 0, errorCode: 0, producerId: 1, producerEpoch: 1 }
  })
  const request = { transactionalId: 't', producerId: 1, producerEpoch: 0, committed: true }
  const ended = outcome(connection.request('EndTxn', () => request, { deadlineMs: 1_000 }))
  await expect.poll(() => ended.value).toBeDefined()
  expect(broker.features).toEqual([])
  expect(versions).toEqual([5])
})
