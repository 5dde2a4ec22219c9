// DescribeAcls (API key 29), versions 1-3. Lists access rules that match a filter. A broker without an authorizer
// answers SECURITY_DISABLED.
//
//    1  pattern types (KIP-290); the quota is applied after the response is sent
//    2  flexible
//    3  users as resources (KIP-373)

import { array, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const describeAclsRequest = request(
  29,
  'DescribeAclsRequest',
  { versions: '1-3', flexible: '2+' },
  {
    resourceTypeFilter: int8('0+'),
    resourceNameFilter: string('0+', { nullable: '0+' }),
    patternTypeFilter: int8('1+', { default: 3 }),
    principalFilter: string('0+', { nullable: '0+' }),
    hostFilter: string('0+', { nullable: '0+' }),
    operation: int8('0+'),
    permissionType: int8('0+'),
  },
)
export type DescribeAclsRequest = Infer<typeof describeAclsRequest>

export const describeAclsResponse = response(
  29,
  'DescribeAclsResponse',
  { versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      patternType: int8('1+', { default: 3 }),
      acls: array('0+', {
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    }),
  },
)
export type DescribeAclsResponse = Infer<typeof describeAclsResponse>
export type DescribeAclsResource = DescribeAclsResponse['resources'][number]
export type AclDescription = DescribeAclsResponse['resources'][number]['acls'][number]
