// DescribeGroups (API key 15), versions 0-6. State, protocol and members of classic groups. Assignments and metadata
// of members are only there while the group is Stable; a group that is Dead has no members.
//
//    1  throttle time
//    2  the quota is applied after the response is sent
//    3  authorized operations (KIP-430)
//    4  static members (KIP-345)
//    5  flexible
//    6  GROUP_ID_NOT_FOUND and an error message instead of a Dead group (KIP-1043)

import { array, bool, bytes, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const describeGroupsRequest = request(
  15,
  'DescribeGroupsRequest',
  { versions: '0-6', flexible: '5+' },
  {
    groups: array('0+', 'string', { entityType: 'groupId' }),
    includeAuthorizedOperations: bool('3+'),
  },
)
export type DescribeGroupsRequest = Infer<typeof describeGroupsRequest>

export const describeGroupsResponse = response(
  15,
  'DescribeGroupsResponse',
  { versions: '0-6', flexible: '5+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    groups: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('6+', { nullable: '6+', default: null }),
      groupId: string('0+', { entityType: 'groupId' }),
      groupState: string('0+'),
      protocolType: string('0+'),
      protocolData: string('0+'),
      members: array('0+', {
        memberId: string('0+'),
        groupInstanceId: string('4+', { nullable: '4+', default: null, ignorable: true }),
        clientId: string('0+'),
        clientHost: string('0+'),
        memberMetadata: bytes('0+'),
        memberAssignment: bytes('0+'),
      }),
      authorizedOperations: int32('3+', { default: -(2 ** 31) }),
    }),
  },
)
export type DescribeGroupsResponse = Infer<typeof describeGroupsResponse>
export type DescribedGroup = DescribeGroupsResponse['groups'][number]
export type DescribedGroupMember = DescribeGroupsResponse['groups'][number]['members'][number]
