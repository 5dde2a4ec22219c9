// ApiVersions (API key 18), versions 0-4. What a broker serves, and in which versions: the first request of nearly
// every client. The response header is version 0 always, so that a client can read it whatever the broker thought of
// the version; a broker that does not know the request's version answers with a version 0 body, UNSUPPORTED_VERSION
// and its keys (KIP-511).
//
//    1  throttle time
//    2  the quota is applied after the response is sent
//    3  flexible; name and version of the client (KIP-511); features of the cluster, tagged (KIP-584)
//    4  a supported feature may begin at version 0 (KAFKA-17011)

import { array, bool, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const apiVersionsRequest = request(
  18,
  'ApiVersionsRequest',
  { versions: '0-4', flexible: '3+' },
  {
    clientSoftwareName: string('3+', { ignorable: true }),
    clientSoftwareVersion: string('3+', { ignorable: true }),
  },
)
export type ApiVersionsRequest = Infer<typeof apiVersionsRequest>

export const apiVersionsResponse = response(
  18,
  'ApiVersionsResponse',
  { versions: '0-4', flexible: '3+' },
  {
    errorCode: int16('0+'),
    apiKeys: array('0+', {
      apiKey: int16('0+', { mapKey: true }),
      minVersion: int16('0+'),
      maxVersion: int16('0+'),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    supportedFeatures: array(
      '3+',
      {
        name: string('3+', { mapKey: true }),
        minVersion: int16('3+'),
        maxVersion: int16('3+'),
      },
      { tag: 0, ignorable: true },
    ),
    finalizedFeaturesEpoch: int64('3+', { default: -1, tag: 1, ignorable: true }),
    finalizedFeatures: array(
      '3+',
      {
        name: string('3+', { mapKey: true }),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+'),
      },
      { tag: 2, ignorable: true },
    ),
    /** Always false since Kafka 4.0. */
    zkMigrationReady: bool('3+', { tag: 3, ignorable: true }),
  },
)
export type ApiVersionsResponse = Infer<typeof apiVersionsResponse>
export type ApiVersion = ApiVersionsResponse['apiKeys'][number]
export type SupportedFeatureKey = ApiVersionsResponse['supportedFeatures'][number]
export type FinalizedFeatureKey = ApiVersionsResponse['finalizedFeatures'][number]
