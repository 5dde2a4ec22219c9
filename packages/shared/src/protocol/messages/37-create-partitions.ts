// CreatePartitions (API key 37), versions 0-3. Raises the number of partitions of topics; the count is the new total.
//
//    1  the quota is applied after the response is sent
//    2  flexible
//    3  THROTTLING_QUOTA_EXCEEDED (KIP-599)

import { array, bool, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const createPartitionsRequest = request(
  37,
  'CreatePartitionsRequest',
  { versions: '0-3', flexible: '2+' },
  {
    topics: array('0+', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      count: int32('0+'),
      assignments: array(
        '0+',
        {
          brokerIds: array('0+', 'int32', { entityType: 'brokerId' }),
        },
        { nullable: '0+' },
      ),
    }),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  },
)
export type CreatePartitionsRequest = Infer<typeof createPartitionsRequest>
export type CreatePartitionsTopic = CreatePartitionsRequest['topics'][number]
export type CreatePartitionsAssignment = NonNullable<CreatePartitionsRequest['topics'][number]['assignments']>[number]

export const createPartitionsResponse = response(
  37,
  'CreatePartitionsResponse',
  { versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
)
export type CreatePartitionsResponse = Infer<typeof createPartitionsResponse>
export type CreatePartitionsTopicResult = CreatePartitionsResponse['results'][number]
