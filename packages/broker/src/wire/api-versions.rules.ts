// ApiVersions' answer, from the router: what is served is what is told. Features are those that Kafka 4.3 finalizes for a new cluster.
import type { ApiVersionsResponse } from '@odradek/shared/protocol/messages/18-api-versions'
import { newestVersion, routes } from './request-router.ts'

/** metadata.version of Kafka 4.3-IV0; the others as `kafka-features` shows them there. */
const finalized = [
  { name: 'group.version', level: 1 },
  { name: 'metadata.version', level: 30 },
  { name: 'transaction.version', level: 2 },
]
const METADATA_VERSION_MIN = 7

export function apiVersionsAnswer(): ApiVersionsResponse {
  return {
    errorCode: 0,
    apiKeys: [...routes.values()].map(route => ({
      apiKey: route.api.key,
      minVersion: route.advertisedMin,
      maxVersion: newestVersion(route),
    })),
    throttleTimeMs: 0,
    supportedFeatures: finalized.map(({ name, level }) => ({
      name,
      minVersion: name === 'metadata.version' ? METADATA_VERSION_MIN : 0,
      maxVersion: level,
    })),
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: finalized.map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    zkMigrationReady: false,
  }
}
