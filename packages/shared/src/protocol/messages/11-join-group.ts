// JoinGroup (API key 11), versions 0-9. A member of a classic group joins or rejoins and waits for the others; the
// answer comes when the rebalance has gathered all, and the leader's answer carries every member's subscription.
// Versions 0 and 1 were put back in Kafka 4.2 (KAFKA-19444).
//
//    1  rebalance timeout apart from the session timeout
//    2  throttle time
//    3  the quota is applied after the response is sent
//    4  a new member is given its id first and joins again with it (KIP-394)
//    5  static members (KIP-345)
//    6  flexible
//    7  the chosen protocol type comes back (KIP-559)
//    8  reason (KIP-800)
//    9  skipAssignment: a returning static leader keeps the plan (KIP-814)

import { array, bool, bytes, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const joinGroupRequest = request(
  11,
  'JoinGroupRequest',
  { versions: '0-9', flexible: '6+' },
  {
    groupId: string('0+', { entityType: 'groupId' }),
    sessionTimeoutMs: int32('0+'),
    /** -1 (and version 0): as long as the session timeout. */
    rebalanceTimeoutMs: int32('1+', { default: -1, ignorable: true }),
    /** Empty for a new member. */
    memberId: string('0+'),
    groupInstanceId: string('5+', { nullable: '5+', default: null }),
    protocolType: string('0+'),
    protocols: array('0+', {
      name: string('0+', { mapKey: true }),
      metadata: bytes('0+'),
    }),
    reason: string('8+', { nullable: '8+', default: null, ignorable: true }),
  },
)
export type JoinGroupRequest = Infer<typeof joinGroupRequest>
export type JoinGroupRequestProtocol = JoinGroupRequest['protocols'][number]

export const joinGroupResponse = response(
  11,
  'JoinGroupResponse',
  { versions: '0-9', flexible: '6+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    errorCode: int16('0+'),
    generationId: int32('0+', { default: -1 }),
    protocolType: string('7+', { nullable: '7+', default: null, ignorable: true }),
    protocolName: string('0+', { nullable: '7+' }),
    leader: string('0+'),
    skipAssignment: bool('9+'),
    memberId: string('0+'),
    /** For the leader only; empty for the others. */
    members: array('0+', {
      memberId: string('0+'),
      groupInstanceId: string('5+', { nullable: '5+', default: null, ignorable: true }),
      metadata: bytes('0+'),
    }),
  },
)
export type JoinGroupResponse = Infer<typeof joinGroupResponse>
export type JoinGroupResponseMember = JoinGroupResponse['members'][number]
