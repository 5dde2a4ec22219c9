// SyncGroup (API key 14), versions 0-5. The leader of a classic group brings everyone's assignment; every member waits
// for its own.
//
//    1  throttle time
//    2  the quota is applied after the response is sent
//    3  static members (KIP-345)
//    4  flexible
//    5  protocol type and name are checked (KIP-559)

import { array, bytes, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const syncGroupRequest = request(
  14,
  'SyncGroupRequest',
  { versions: '0-5', flexible: '4+' },
  {
    groupId: string('0+', { entityType: 'groupId' }),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignments: array('0+', {
      memberId: string('0+'),
      assignment: bytes('0+'),
    }),
  },
)
export type SyncGroupRequest = Infer<typeof syncGroupRequest>
export type SyncGroupRequestAssignment = SyncGroupRequest['assignments'][number]

export const syncGroupResponse = response(
  14,
  'SyncGroupResponse',
  { versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignment: bytes('0+'),
  },
)
export type SyncGroupResponse = Infer<typeof syncGroupResponse>
