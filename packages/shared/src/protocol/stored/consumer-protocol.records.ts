// What members of a classic group say to each other through the coordinator, which does not look inside: the metadata of
// JoinGroup and the assignment of SyncGroup for protocol type `consumer`. Both are "int16 version + body"
// (Java: `ConsumerProtocol`); a reader takes a version newer than ours for our newest, since versions only append fields.

import { array, bytes, data, type Infer, int32, string } from '../schema.ts'

export const consumerProtocolSubscription = data(
  'ConsumerProtocolSubscription',
  { versions: '0-3', flexible: 'none' },
  {
    topics: array('0+', 'string'),
    userData: bytes('0+', { nullable: '0+', default: null }),
    /** What the member owns before the rebalance; cooperative assignors need it (KIP-429). */
    ownedPartitions: array(
      '1+',
      {
        topic: string('1+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('1+', 'int32'),
      },
      { ignorable: true },
    ),
    /** Generation in which `ownedPartitions` were owned (KIP-792). */
    generationId: int32('2+', { default: -1, ignorable: true }),
    rackId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  },
)
export type ConsumerProtocolSubscription = Infer<typeof consumerProtocolSubscription>

export const consumerProtocolAssignment = data(
  'ConsumerProtocolAssignment',
  { versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: array('0+', {
      topic: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: array('0+', 'int32'),
    }),
    userData: bytes('0+', { nullable: '0+', default: null }),
  },
)
export type ConsumerProtocolAssignment = Infer<typeof consumerProtocolAssignment>
