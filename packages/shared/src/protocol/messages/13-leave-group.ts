// LeaveGroup (API key 13), versions 0-5. Members leave a classic group, or an administrator removes static ones.
//
//    1  throttle time
//    2  the quota is applied after the response is sent
//    3  several members at once, static ones included (KIP-345)
//    4  flexible
//    5  reason (KIP-800)

import { array, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const leaveGroupRequest = request(
  13,
  'LeaveGroupRequest',
  { versions: '0-5', flexible: '4+' },
  {
    groupId: string('0+', { entityType: 'groupId' }),
    memberId: string('0-2'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { nullable: '3+', default: null }),
      reason: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  },
)
export type LeaveGroupRequest = Infer<typeof leaveGroupRequest>
export type MemberIdentity = LeaveGroupRequest['members'][number]

export const leaveGroupResponse = response(
  13,
  'LeaveGroupResponse',
  { versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { nullable: '3+' }),
      errorCode: int16('3+'),
    }),
  },
)
export type LeaveGroupResponse = Infer<typeof leaveGroupResponse>
export type MemberResponse = LeaveGroupResponse['members'][number]
