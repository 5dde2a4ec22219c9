// UpdateFeatures (API key 57), versions 0-2. Raises or lowers finalized feature levels of the cluster (KIP-584).
//
//    1  validate only; how to upgrade instead of a flag for downgrades
//    2  no result per feature: all or nothing (KIP-1022)

import { array, bool, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const updateFeaturesRequest = request(
  57,
  'UpdateFeaturesRequest',
  { versions: '0-2', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60000 }),
    featureUpdates: array('0+', {
      feature: string('0+', { mapKey: true }),
      maxVersionLevel: int16('0+'),
      allowDowngrade: bool('0'),
      /** 1 upgrade, 2 safe downgrade, 3 downgrade that may lose metadata. */
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+'),
  },
)
export type UpdateFeaturesRequest = Infer<typeof updateFeaturesRequest>
export type FeatureUpdateKey = UpdateFeaturesRequest['featureUpdates'][number]

export const updateFeaturesResponse = response(
  57,
  'UpdateFeaturesResponse',
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array(
      '0-1',
      {
        feature: string('0+', { mapKey: true }),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      },
      { ignorable: true },
    ),
  },
)
export type UpdateFeaturesResponse = Infer<typeof updateFeaturesResponse>
export type UpdatableFeatureResult = UpdateFeaturesResponse['results'][number]
