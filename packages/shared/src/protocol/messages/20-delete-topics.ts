// DeleteTopics (API key 20), versions 1-6. Deletes topics by name or, from version 6, by id.
//
//    2  the quota is applied after the response is sent
//    3  TOPIC_DELETION_DISABLED
//    4  flexible
//    5  error message; THROTTLING_QUOTA_EXCEEDED (KIP-599)
//    6  topic ids (KIP-516)

import { array, type Infer, int16, int32, request, response, string, uuid } from '../schema.ts'

export const deleteTopicsRequest = request(
  20,
  'DeleteTopicsRequest',
  { versions: '1-6', flexible: '4+' },
  {
    topics: array('6+', {
      name: string('6+', { nullable: '6+', default: null, entityType: 'topicName' }),
      topicId: uuid('6+'),
    }),
    topicNames: array('0-5', 'string', { ignorable: true, entityType: 'topicName' }),
    timeoutMs: int32('0+'),
  },
)
export type DeleteTopicsRequest = Infer<typeof deleteTopicsRequest>
export type DeleteTopicState = DeleteTopicsRequest['topics'][number]

export const deleteTopicsResponse = response(
  20,
  'DeleteTopicsResponse',
  { versions: '1-6', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    responses: array('0+', {
      name: string('0+', { nullable: '6+', mapKey: true, entityType: 'topicName' }),
      topicId: uuid('6+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  },
)
export type DeleteTopicsResponse = Infer<typeof deleteTopicsResponse>
export type DeletableTopicResult = DeleteTopicsResponse['responses'][number]
