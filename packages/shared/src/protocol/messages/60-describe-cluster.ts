// DescribeCluster (API key 60), versions 0-2. Cluster id, controller and brokers (KIP-700).
//
//    1  controllers can be asked for as well (KIP-919)
//    2  fenced brokers on request (KIP-1073)

import { array, bool, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const describeClusterRequest = request(
  60,
  'DescribeClusterRequest',
  { versions: '0-2', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: bool('0+'),
    /** 1 brokers, 2 controllers. */
    endpointType: int8('1+', { default: 1 }),
    includeFencedBrokers: bool('2+'),
  },
)
export type DescribeClusterRequest = Infer<typeof describeClusterRequest>

export const describeClusterResponse = response(
  60,
  'DescribeClusterResponse',
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    endpointType: int8('1+', { default: 1 }),
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1, entityType: 'brokerId' }),
    brokers: array('0+', {
      brokerId: int32('0+', { mapKey: true, entityType: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('0+', { nullable: '0+', default: null }),
      isFenced: bool('2+'),
    }),
    clusterAuthorizedOperations: int32('0+', { default: -(2 ** 31) }),
  },
)
export type DescribeClusterResponse = Infer<typeof describeClusterResponse>
export type DescribeClusterBroker = DescribeClusterResponse['brokers'][number]
