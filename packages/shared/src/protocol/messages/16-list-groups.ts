// ListGroups (API key 16), versions 0-5. The groups that a broker coordinates, optionally of some states or types.
//
//    1  throttle time
//    2  the quota is applied after the response is sent
//    3  flexible
//    4  filter by state (KIP-518)
//    5  filter by type (KIP-848)

import { array, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const listGroupsRequest = request(
  16,
  'ListGroupsRequest',
  { versions: '0-5', flexible: '3+' },
  {
    statesFilter: array('4+', 'string'),
    typesFilter: array('5+', 'string'),
  },
)
export type ListGroupsRequest = Infer<typeof listGroupsRequest>

export const listGroupsResponse = response(
  16,
  'ListGroupsResponse',
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: array('0+', {
      groupId: string('0+', { entityType: 'groupId' }),
      protocolType: string('0+'),
      groupState: string('4+', { ignorable: true }),
      groupType: string('5+', { ignorable: true }),
    }),
  },
)
export type ListGroupsResponse = Infer<typeof listGroupsResponse>
export type ListedGroup = ListGroupsResponse['groups'][number]
