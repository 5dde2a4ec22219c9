// Records of `__consumer_offsets` for committed offsets and classic groups. Key and value are framed by
// `coordinator-record.ts`: the number before a key is the type of the record, the number before a value its version.
//
//   type 0, 1   an offset (0 was written by brokers before 0.9; both have the same shape)
//   type 2      a classic group
// A key with a null value is a tombstone. Newer value versions only add tagged fields, so that older brokers can read them (KIP-915).

import { array, bytes, data, type Infer, int32, int64, string, uuid } from '../schema.ts'

export const offsetCommitKey = data(
  'OffsetCommitKey',
  { type: 'coordinator-key', apiKey: 1, versions: '0', flexible: 'none' },
  { group: string('0'), topic: string('0'), partition: int32('0') },
)
export type OffsetCommitKey = Infer<typeof offsetCommitKey>

/** Version 1 has an expiry time of its own; from 2 on the broker's retention decides. */
export const offsetCommitValue = data(
  'OffsetCommitValue',
  { type: 'coordinator-value', apiKey: 1, versions: '0-4', flexible: '4+' },
  {
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
    /** Tells offsets of a deleted topic from those of a new one of the same name. */
    topicId: uuid('4+', { tag: 0, ignorable: true }),
  },
)
export type OffsetCommitValue = Infer<typeof offsetCommitValue>

export const groupMetadataKey = data(
  'GroupMetadataKey',
  { type: 'coordinator-key', apiKey: 2, versions: '0', flexible: 'none' },
  { group: string('0') },
)
export type GroupMetadataKey = Infer<typeof groupMetadataKey>

export const groupMetadataValue = data(
  'GroupMetadataValue',
  { type: 'coordinator-value', apiKey: 2, versions: '0-4', flexible: '4+' },
  {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    /** When the group entered its present state, in ms; offset expiry counts from it. */
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array('0+', {
      memberId: string('0+'),
      groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
      clientId: string('0+'),
      clientHost: string('0+'),
      /** In ms. */
      rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
      /** In ms. */
      sessionTimeout: int32('0+'),
      /** A framed `ConsumerProtocolSubscription` for consumers; opaque to the broker. */
      subscription: bytes('0+'),
      /** A framed `ConsumerProtocolAssignment` for consumers; opaque to the broker. */
      assignment: bytes('0+'),
    }),
  },
)
export type GroupMetadataValue = Infer<typeof groupMetadataValue>
export type GroupMetadataMember = GroupMetadataValue['members'][number]
