// DeleteAcls (API key 31), versions 1-3. Deletes access rules that match filters. A broker without an authorizer
// answers SECURITY_DISABLED.
//
//    1  pattern types (KIP-290); the quota is applied after the response is sent
//    2  flexible
//    3  users as resources (KIP-373)

import { array, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const deleteAclsRequest = request(
  31,
  'DeleteAclsRequest',
  { versions: '1-3', flexible: '2+' },
  {
    filters: array('0+', {
      resourceTypeFilter: int8('0+'),
      resourceNameFilter: string('0+', { nullable: '0+' }),
      patternTypeFilter: int8('1+', { default: 3 }),
      principalFilter: string('0+', { nullable: '0+' }),
      hostFilter: string('0+', { nullable: '0+' }),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  },
)
export type DeleteAclsRequest = Infer<typeof deleteAclsRequest>
export type DeleteAclsFilter = DeleteAclsRequest['filters'][number]

export const deleteAclsResponse = response(
  31,
  'DeleteAclsResponse',
  { versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    filterResults: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      matchingAcls: array('0+', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        resourceType: int8('0+'),
        resourceName: string('0+'),
        patternType: int8('1+', { default: 3 }),
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    }),
  },
)
export type DeleteAclsResponse = Infer<typeof deleteAclsResponse>
export type DeleteAclsFilterResult = DeleteAclsResponse['filterResults'][number]
export type DeleteAclsMatchingAcl = DeleteAclsResponse['filterResults'][number]['matchingAcls'][number]
