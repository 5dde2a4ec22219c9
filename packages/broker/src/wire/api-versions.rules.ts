// ApiVersions' answer: what is served, from the router, and the features as they are finalized.
import { type FinalizedFeatures, features } from '@odradek/shared/contracts/features'
import type { ApiVersionsResponse } from '@odradek/shared/protocol/messages/18-api-versions'
import { newestVersion, routes } from './request-router.ts'

export function apiVersionsAnswer({ epoch, levels }: FinalizedFeatures): ApiVersionsResponse {
  return {
    errorCode: 0,
    apiKeys: [...routes.values()].map(route => ({
      apiKey: route.api.key,
      minVersion: route.advertisedMin,
      maxVersion: newestVersion(route),
    })),
    throttleTimeMs: 0,
    supportedFeatures: features.map(({ name, minSupported, maxSupported }) => ({
      name,
      minVersion: minSupported,
      maxVersion: maxSupported,
    })),
    finalizedFeaturesEpoch: epoch,
    finalizedFeatures: Object.entries(levels).map(([name, level]) => ({
      name,
      maxVersionLevel: level,
      minVersionLevel: level,
    })),
    zkMigrationReady: false,
  }
}
