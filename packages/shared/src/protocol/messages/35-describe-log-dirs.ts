// DescribeLogDirs (API key 35), versions 1-5. Log directories of a broker and the size of each partition in them
// (KIP-113). Null topics ask for all.
//
//    1  the quota is applied after the response is sent
//    2  flexible
//    3  top-level error code
//    4  total and usable bytes of the volume (KIP-827)
//    5  whether the directory is cordoned (KIP-1066)

import { array, bool, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const describeLogDirsRequest = request(
  35,
  'DescribeLogDirsRequest',
  { versions: '1-5', flexible: '2+' },
  {
    topics: array(
      '0+',
      {
        topic: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
  },
)
export type DescribeLogDirsRequest = Infer<typeof describeLogDirsRequest>
export type DescribableLogDirTopic = NonNullable<DescribeLogDirsRequest['topics']>[number]

export const describeLogDirsResponse = response(
  35,
  'DescribeLogDirsResponse',
  { versions: '1-5', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('3+', { ignorable: true }),
    results: array('0+', {
      errorCode: int16('0+'),
      logDir: string('0+'),
      topics: array('0+', {
        name: string('0+', { entityType: 'topicName' }),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          partitionSize: int64('0+'),
          offsetLag: int64('0+'),
          isFutureKey: bool('0+'),
        }),
      }),
      totalBytes: int64('4+', { default: -1, ignorable: true }),
      usableBytes: int64('4+', { default: -1, ignorable: true }),
      isCordoned: bool('5+', { ignorable: true }),
    }),
  },
)
export type DescribeLogDirsResponse = Infer<typeof describeLogDirsResponse>
export type DescribeLogDirsResult = DescribeLogDirsResponse['results'][number]
export type DescribeLogDirsTopic = DescribeLogDirsResponse['results'][number]['topics'][number]
export type DescribeLogDirsPartition =
  DescribeLogDirsResponse['results'][number]['topics'][number]['partitions'][number]
