// CreateAcls (API key 30), versions 1-3. Creates access rules. A broker without an authorizer answers
// SECURITY_DISABLED.
//
//    1  pattern types (KIP-290); the quota is applied after the response is sent
//    2  flexible
//    3  users as resources (KIP-373)

import { array, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const createAclsRequest = request(
  30,
  'CreateAclsRequest',
  { versions: '1-3', flexible: '2+' },
  {
    creations: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      resourcePatternType: int8('1+', { default: 3 }),
      principal: string('0+'),
      host: string('0+'),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  },
)
export type CreateAclsRequest = Infer<typeof createAclsRequest>
export type AclCreation = CreateAclsRequest['creations'][number]

export const createAclsResponse = response(
  30,
  'CreateAclsResponse',
  { versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  },
)
export type CreateAclsResponse = Infer<typeof createAclsResponse>
export type AclCreationResult = CreateAclsResponse['results'][number]
