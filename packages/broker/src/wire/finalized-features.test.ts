// What ApiVersions tells of the cluster's features: what UpdateFeatures made of them, at once and after a restart. Clients choose by it how they speak.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Broker, createBroker } from '../create-broker.ts'
import { RawClient } from './raw-client.suite.ts'
import { apiVersions } from './sample-requests.suite.ts'

const [UPGRADE, SAFE_DOWNGRADE] = [1, 2]

async function finalized(broker: Broker) {
  const client = await RawClient.open(broker.bootstrapServers)
  const { finalizedFeatures, finalizedFeaturesEpoch: epoch } = await client.ask('ApiVersions', 4, apiVersions)
  client.close()
  const levels = Object.fromEntries(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
  return { epoch, levels }
}

async function update(broker: Broker, feature: string, maxVersionLevel: number, upgradeType: number): Promise<number> {
  const client = await RawClient.open(broker.bootstrapServers)
  const featureUpdates = [{ feature, maxVersionLevel, upgradeType, allowDowngrade: false }]
  const { errorCode } = await client.ask('UpdateFeatures', 2, { timeoutMs: 1_000, validateOnly: false, featureUpdates })
  client.close()
  return errorCode
}

test('features are told as they were finalized last, with a higher epoch each time, and outlive the process', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-features-'))
  try {
    const broker = await createBroker({ dir })
    const fresh = await finalized(broker)
    expect(fresh.levels).toEqual({ 'metadata.version': 30, 'group.version': 1, 'transaction.version': 2 })
    expect(await update(broker, 'transaction.version', 1, SAFE_DOWNGRADE)).toBe(0)
    const lower = await finalized(broker)
    expect(lower).toEqual({ epoch: fresh.epoch + 1, levels: { ...fresh.levels, 'transaction.version': 1 } })
    await broker.close()
    const again = await createBroker({ dir })
    expect(await finalized(again)).toEqual(lower)
    expect(await update(again, 'transaction.version', 0, SAFE_DOWNGRADE)).toBe(0)
    expect((await finalized(again)).levels).toEqual({ 'metadata.version': 30, 'group.version': 1 })
    expect(await update(again, 'transaction.version', 2, UPGRADE)).toBe(0)
    expect((await finalized(again)).levels).toEqual(fresh.levels)
    await again.close()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
