// AlterConfigs (API key 33), versions 0-2. Replaces all configs of a resource. Superseded by IncrementalAlterConfigs,
// still served.
//
//    1  the quota is applied after the response is sent
//    2  flexible

import { array, bool, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const alterConfigsRequest = request(
  33,
  'AlterConfigsRequest',
  { versions: '0-2', flexible: '2+' },
  {
    resources: array('0+', {
      resourceType: int8('0+', { mapKey: true }),
      resourceName: string('0+', { mapKey: true }),
      configs: array('0+', {
        name: string('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool('0+'),
  },
)
export type AlterConfigsRequest = Infer<typeof alterConfigsRequest>
export type AlterConfigsResource = AlterConfigsRequest['resources'][number]
export type AlterableConfig = AlterConfigsRequest['resources'][number]['configs'][number]

export const alterConfigsResponse = response(
  33,
  'AlterConfigsResponse',
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    responses: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
    }),
  },
)
export type AlterConfigsResponse = Infer<typeof alterConfigsResponse>
export type AlterConfigsResourceResponse = AlterConfigsResponse['responses'][number]
