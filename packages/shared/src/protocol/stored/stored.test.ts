// Stored records through the codec suite, and the numbers that stand before them in the log.

import { describe, expect, test } from 'vitest'
import { codecSuite } from '../codec.suite.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { Message } from '../schema.ts'
import * as clusterMetadata from './cluster-metadata.records.ts'
import * as consumerGroup from './consumer-group.records.ts'
import * as consumerOffsets from './consumer-offsets.records.ts'
import * as consumerProtocol from './consumer-protocol.records.ts'
import * as control from './control.records.ts'
import * as transactionState from './transaction-state.records.ts'
import {
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeMetadataRecord,
  decodeVersioned,
  decodeVersionedLenient,
  encodeCoordinatorKey,
  encodeMetadataRecord,
  encodeVersioned,
} from './versioned.ts'

const files = [clusterMetadata, consumerGroup, consumerOffsets, consumerProtocol, control, transactionState]
codecSuite(
  'stored records',
  files.flatMap(file => Object.values(file) as Message<any>[]),
)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const { offsetCommitKey, offsetCommitValue, groupMetadataKey } = consumerOffsets
const { consumerProtocolAssignment, consumerProtocolSubscription } = consumerProtocol

describe('coordinator records', () => {
  test('a key begins with the type of its record', () => {
    const key = encodeCoordinatorKey(offsetCommitKey, { group: 'g', topic: 't', partition: 3 })
    //                       type  | group      | topic      | partition
    expect(hex(key)).toBe('0001' + '0001' + '67' + '0001' + '74' + '00000003')
    expect(coordinatorRecordType(key)).toBe(1)
    expect(decodeCoordinatorKey(offsetCommitKey, key)).toEqual({ group: 'g', topic: 't', partition: 3 })
  })

  test('a key of another type is malformed', () => {
    const key = encodeCoordinatorKey(groupMetadataKey, { group: 'g' })
    expect(() => decodeCoordinatorKey(offsetCommitKey, key)).toThrow('record type 2, expected 1 (OffsetCommitKey)')
  })

  test('a value begins with its version', () => {
    const value = encodeVersioned(offsetCommitValue, 3, {
      offset: 258,
      leaderEpoch: 5,
      metadata: 'm',
      commitTimestamp: 1,
    })
    //                        version | offset             | epoch      | metadata   | commit timestamp
    expect(hex(value)).toBe('0003' + '0000000000000102' + '00000005' + '0001' + '6d' + '0000000000000001')
    expect(decodeVersioned(offsetCommitValue, value)).toMatchObject({
      offset: 258,
      leaderEpoch: 5,
      expireTimestamp: -1,
    })
  })

  test('a value of a version that is not ours is refused', () => {
    const value = Uint8Array.from([0, 9, 0, 0])
    expect(() => decodeVersioned(offsetCommitValue, value)).toThrow('OffsetCommitValue v9: only versions 0-4 are known')
  })
})

describe('consumer protocol', () => {
  test('a subscription of a newer version is read as the newest of ours', () => {
    const known = encodeVersioned(consumerProtocolSubscription, 3, { topics: ['t'], generationId: 7, rackId: 'r' })
    const newer = Uint8Array.from([0, 42, ...known.subarray(2), 1, 2, 3])
    expect(decodeVersionedLenient(consumerProtocolSubscription, newer)).toMatchObject({ topics: ['t'], rackId: 'r' })
  })

  test('a subscription too short for its version is read as the newest version that it holds', () => {
    const v0 = encodeVersioned(consumerProtocolSubscription, 0, { topics: ['t'] })
    const short = Uint8Array.from([0, 1, ...v0.subarray(2)])
    expect(decodeVersionedLenient(consumerProtocolSubscription, short)).toMatchObject({
      topics: ['t'],
      ownedPartitions: [],
    })
  })

  test('a subscription too short for every version is malformed', () => {
    const attempt = () => decodeVersionedLenient(consumerProtocolSubscription, Uint8Array.from([0, 3, 0, 0, 0]))
    expect(attempt).toThrow('ConsumerProtocolSubscription v0: topics: needs 4 bytes, 3 left')
  })

  test('a negative version is malformed', () => {
    expect(() => decodeVersionedLenient(consumerProtocolAssignment, Uint8Array.from([0xff, 0xff]))).toThrow(
      ProtocolError,
    )
  })
})

describe('metadata records', () => {
  const { topicRecord, partitionRecord, noOpRecord } = clusterMetadata
  const all = [topicRecord, partitionRecord, noOpRecord]

  test('a record begins with frame version, type and version', () => {
    const record = encodeMetadataRecord(topicRecord, 0, { name: 'ab', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    //                     frame | type | version | name         | topic id                     | tags
    expect(hex(record)).toBe('01' + '02' + '00' + '03' + '6162' + '00000000000000000000000000000001' + '00')
    const read = decodeMetadataRecord(all, record)
    expect(read.message).toBe(topicRecord)
    expect(read.value).toEqual({ name: 'ab', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
  })

  test('another frame version is malformed, an unknown type unsupported', () => {
    expect(() => decodeMetadataRecord(all, Uint8Array.from([2, 2, 0]))).toThrow('frame version 2')
    expect(() => decodeMetadataRecord(all, Uint8Array.from([1, 99, 0]))).toThrow('type 99 is not known')
  })
})
