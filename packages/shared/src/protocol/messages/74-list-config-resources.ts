// ListConfigResources (API key 74), versions 0-1. Names of resources that have configs of their own.
//
//    0  client metrics only (named ListClientMetricsResources then)
//    1  by resource type; none given means all (KIP-1142)

import { array, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const listConfigResourcesRequest = request(
  74,
  'ListConfigResourcesRequest',
  { versions: '0-1', flexible: '0+' },
  {
    resourceTypes: array('1+', 'int8'),
  },
)
export type ListConfigResourcesRequest = Infer<typeof listConfigResourcesRequest>

export const listConfigResourcesResponse = response(
  74,
  'ListConfigResourcesResponse',
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: array('0+', {
      resourceName: string('0+'),
      resourceType: int8('1+', { default: 16, ignorable: true }),
    }),
  },
)
export type ListConfigResourcesResponse = Infer<typeof listConfigResourcesResponse>
export type ConfigResource = ListConfigResourcesResponse['configResources'][number]
