// Heartbeat (API key 12), versions 0-4. A classic member says that it is alive and learns of a rebalance
// (REBALANCE_IN_PROGRESS).
//
//    1  throttle time
//    2  the quota is applied after the response is sent
//    3  static members (KIP-345)
//    4  flexible

import { type Infer, int16, int32, request, response, string } from '../schema.ts'

export const heartbeatRequest = request(
  12,
  'HeartbeatRequest',
  { versions: '0-4', flexible: '4+' },
  {
    groupId: string('0+', { entityType: 'groupId' }),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
  },
)
export type HeartbeatRequest = Infer<typeof heartbeatRequest>

export const heartbeatResponse = response(
  12,
  'HeartbeatResponse',
  { versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
  },
)
export type HeartbeatResponse = Infer<typeof heartbeatResponse>
