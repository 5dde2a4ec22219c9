// AlterReplicaLogDirs (API key 34), versions 1-2. Moves replicas between the log directories of a broker (KIP-113).
//
//    1  the quota is applied after the response is sent
//    2  flexible

import { array, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const alterReplicaLogDirsRequest = request(
  34,
  'AlterReplicaLogDirsRequest',
  { versions: '1-2', flexible: '2+' },
  {
    dirs: array('0+', {
      path: string('0+', { mapKey: true }),
      topics: array('0+', {
        name: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      }),
    }),
  },
)
export type AlterReplicaLogDirsRequest = Infer<typeof alterReplicaLogDirsRequest>
export type AlterReplicaLogDir = AlterReplicaLogDirsRequest['dirs'][number]
export type AlterReplicaLogDirTopic = AlterReplicaLogDirsRequest['dirs'][number]['topics'][number]

export const alterReplicaLogDirsResponse = response(
  34,
  'AlterReplicaLogDirsResponse',
  { versions: '1-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
)
export type AlterReplicaLogDirsResponse = Infer<typeof alterReplicaLogDirsResponse>
export type AlterReplicaLogDirTopicResult = AlterReplicaLogDirsResponse['results'][number]
export type AlterReplicaLogDirPartitionResult = AlterReplicaLogDirsResponse['results'][number]['partitions'][number]
