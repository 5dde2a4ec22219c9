// DeleteGroups (API key 42), versions 0-2. Deletes groups that have no members.
//
//    1  the quota is applied after the response is sent
//    2  flexible

import { array, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const deleteGroupsRequest = request(
  42,
  'DeleteGroupsRequest',
  { versions: '0-2', flexible: '2+' },
  {
    groupsNames: array('0+', 'string', { entityType: 'groupId' }),
  },
)
export type DeleteGroupsRequest = Infer<typeof deleteGroupsRequest>

export const deleteGroupsResponse = response(
  42,
  'DeleteGroupsResponse',
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      groupId: string('0+', { mapKey: true, entityType: 'groupId' }),
      errorCode: int16('0+'),
    }),
  },
)
export type DeleteGroupsResponse = Infer<typeof deleteGroupsResponse>
export type DeletableGroupResult = DeleteGroupsResponse['results'][number]
