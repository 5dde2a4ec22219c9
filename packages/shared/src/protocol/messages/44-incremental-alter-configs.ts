// IncrementalAlterConfigs (API key 44), versions 0-1. Sets (0), deletes (1), appends to (2) or subtracts from (3)
// single configs (KIP-339).
//
//    1  flexible

import { array, bool, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const incrementalAlterConfigsRequest = request(
  44,
  'IncrementalAlterConfigsRequest',
  { versions: '0-1', flexible: '1+' },
  {
    resources: array('0+', {
      resourceType: int8('0+', { mapKey: true }),
      resourceName: string('0+', { mapKey: true }),
      configs: array('0+', {
        name: string('0+', { mapKey: true }),
        /** 0 set, 1 delete, 2 append, 3 subtract. */
        configOperation: int8('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool('0+'),
  },
)
export type IncrementalAlterConfigsRequest = Infer<typeof incrementalAlterConfigsRequest>
export type AlterConfigsResource = IncrementalAlterConfigsRequest['resources'][number]
export type AlterableConfig = IncrementalAlterConfigsRequest['resources'][number]['configs'][number]

export const incrementalAlterConfigsResponse = response(
  44,
  'IncrementalAlterConfigsResponse',
  { versions: '0-1', flexible: '1+' },
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
export type IncrementalAlterConfigsResponse = Infer<typeof incrementalAlterConfigsResponse>
export type AlterConfigsResourceResponse = IncrementalAlterConfigsResponse['responses'][number]
