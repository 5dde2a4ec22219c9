// How UpdateFeatures may change the feature levels of the cluster (KIP-584).

import { type FinalizedFeatures, features } from '@odradek/shared/contracts/features'
import type {
  FeatureUpdateKey,
  UpdateFeaturesRequest,
  UpdateFeaturesResponse,
} from '@odradek/shared/protocol/messages/57-update-features'
import { ApiError, orRefusal } from './api-error.ts'
import type { CatalogRecord } from './catalog.records.ts'
import type { Catalog } from './catalog.ts'
import { repeated } from './request-items.rules.ts'

/** What doors tell of them. */
export function finalizedFeatures({ features, featuresEpoch }: Catalog): FinalizedFeatures {
  return { epoch: featuresEpoch, levels: Object.fromEntries(features) }
}

export function featureRecord(name: string, featureLevel: number): CatalogRecord {
  return { type: 'FeatureLevelRecord', value: { name, featureLevel } }
}

const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

/** All updates or none (KIP-1022); the first that cannot be is the answer. */
export function updateFeatures(
  catalog: Catalog,
  request: UpdateFeaturesRequest,
): { readonly records: readonly CatalogRecord[]; readonly response: UpdateFeaturesResponse } {
  const respond = (errorCode: number, errorMessage: string | null) => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    results: [],
  })
  return orRefusal<{ readonly records: readonly CatalogRecord[]; readonly response: UpdateFeaturesResponse }>(
    () => {
      for (const name of repeated(request.featureUpdates.map(({ feature }) => feature))) {
        throw new ApiError('INVALID_REQUEST', `Feature ${name} is updated more than once.`)
      }
      for (const update of request.featureUpdates) checkUpdate(catalog, update)
      const changed = request.featureUpdates.filter(
        ({ feature, maxVersionLevel }) => levelOf(catalog, feature) !== maxVersionLevel,
      )
      const records = changed.map(({ feature, maxVersionLevel }) => featureRecord(feature, maxVersionLevel))
      return { records: request.validateOnly ? [] : records, response: respond(0, null) }
    },
    ({ errorCode, errorMessage }) => ({ records: [], response: respond(errorCode, errorMessage) }),
  )
}

function levelOf(catalog: Catalog, feature: string): number {
  return catalog.features.get(feature) ?? 0
}

function checkUpdate(catalog: Catalog, { feature, maxVersionLevel, upgradeType }: FeatureUpdateKey): void {
  const invalid = (reason: string) =>
    new ApiError(
      'INVALID_UPDATE_VERSION',
      `Invalid update version ${maxVersionLevel} for feature ${feature}. ${reason}`,
    )
  const supported = features.find(({ name }) => name === feature)
  if (supported === undefined) throw invalid('This cluster does not support this feature.')
  if (maxVersionLevel < supported.minSupported || maxVersionLevel > supported.maxSupported) {
    throw invalid(`This cluster only supports versions ${supported.minSupported}-${supported.maxSupported}`)
  }
  const now = levelOf(catalog, feature)
  if (upgradeType === UpgradeType.UPGRADE && maxVersionLevel < now) {
    throw invalid(
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
    )
  }
  if (upgradeType !== UpgradeType.UPGRADE && maxVersionLevel > now) {
    throw invalid("Can't upgrade the version of this feature with the upgrade type set to downgrade.")
  }
  if (upgradeType < UpgradeType.UPGRADE || upgradeType > UpgradeType.UNSAFE_DOWNGRADE) {
    throw new ApiError('INVALID_REQUEST', `Unknown upgrade type ${upgradeType}.`)
  }
}
