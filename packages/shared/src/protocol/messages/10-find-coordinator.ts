// FindCoordinator (API key 10), versions 0-6. Which broker coordinates a group (key type 0), a transactional id (1) or
// a share partition (2, key `groupId:topicId:partition`).
//
//    1  key type; throttle time and error message
//    2  the quota is applied after the response is sent
//    3  flexible
//    4  several keys at once (KIP-699)
//    5  TRANSACTION_ABORTABLE is understood (KIP-890)
//    6  share groups (KIP-932)

import { array, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const findCoordinatorRequest = request(
  10,
  'FindCoordinatorRequest',
  { versions: '0-6', flexible: '3+' },
  {
    key: string('0-3'),
    /** 0 group, 1 transactional id, 2 share partition. */
    keyType: int8('1+'),
    coordinatorKeys: array('4+', 'string'),
  },
)
export type FindCoordinatorRequest = Infer<typeof findCoordinatorRequest>

export const findCoordinatorResponse = response(
  10,
  'FindCoordinatorResponse',
  { versions: '0-6', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0-3'),
    errorMessage: string('1-3', { nullable: '1-3', ignorable: true }),
    nodeId: int32('0-3', { entityType: 'brokerId' }),
    host: string('0-3'),
    port: int32('0-3'),
    coordinators: array('4+', {
      key: string('4+'),
      nodeId: int32('4+', { entityType: 'brokerId' }),
      host: string('4+'),
      port: int32('4+'),
      errorCode: int16('4+'),
      errorMessage: string('4+', { nullable: '4+', ignorable: true }),
    }),
  },
)
export type FindCoordinatorResponse = Infer<typeof findCoordinatorResponse>
export type Coordinator = FindCoordinatorResponse['coordinators'][number]
