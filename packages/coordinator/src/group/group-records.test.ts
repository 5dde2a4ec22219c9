import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { offsetCommitKey, offsetCommitValue } from '@odradek/shared/protocol/stored/consumer-offsets.records'
import {
  decodeCoordinatorKey,
  decodeVersioned,
  encodeCoordinatorKey,
  encodeVersioned,
} from '@odradek/shared/protocol/stored/versioned'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeGroupRecord, encodeGroupRecord } from './group.records.ts'
import { readOffsetCommit } from './offset-commit.records.ts'

const commits = fc.record({
  group: fc.string({ maxLength: 20 }),
  topic: fc.string({ unit: 'grapheme', maxLength: 20 }),
  partition: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  offset: fc.maxSafeInteger(),
  leaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  metadata: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ minLength: 120, maxLength: 140 })),
  commitTimestamp: fc.maxSafeInteger(),
  topicId: fc.constantFrom(ZERO_TOPIC_ID as string, 'b3JkZXJzLi4uLi4uLi4uLg'),
})

test('offsets that are read by hand read as through the schema, in both versions', () => {
  fc.assert(
    fc.property(commits, fc.constantFrom(3, 4), ({ group, topic, partition, ...value }, version) => {
      const key = encodeCoordinatorKey(offsetCommitKey, { group, topic, partition })
      const bytes = encodeVersioned(offsetCommitValue, version, value)
      const read = readOffsetCommit(key, bytes)
      if (version === 4 && Buffer.byteLength(value.metadata) > 126) expect(read).toBeUndefined()
      else
        expect(read).toEqual({
          kind: 'OffsetCommit',
          key: decodeCoordinatorKey(offsetCommitKey, key),
          value: decodeVersioned(offsetCommitValue, bytes),
        })
    }),
  )
})

test('damaged offsets are never read as something else: by hand as through the schema, or not at all', () => {
  const damage = fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 }), fc.nat({ max: 60 }))
  fc.assert(
    fc.property(commits, damage, ({ group, topic, partition, ...value }, [at, byte, cut]) => {
      const key = encodeCoordinatorKey(offsetCommitKey, { group, topic, partition })
      const bytes = encodeVersioned(offsetCommitValue, 4, value)
      bytes[at % bytes.length] = byte
      const cutBytes = bytes.subarray(0, bytes.length - (cut % 3))
      const read = readOffsetCommit(key, cutBytes)
      if (read !== undefined) expect(read.value).toEqual(decodeVersioned(offsetCommitValue, cutBytes))
    }),
  )
})

test('keys of Kafka before 0.9 (type 0) are read, unknown kinds are left alone, garbage is refused', () => {
  const key = encodeCoordinatorKey(offsetCommitKey, { group: 'g', topic: 't', partition: 1 })
  const value = encodeVersioned(offsetCommitValue, 1, {
    offset: 5,
    metadata: '',
    commitTimestamp: 1,
    expireTimestamp: 9,
  })
  key[1] = 0
  expect(decodeGroupRecord(key, value)).toMatchObject({
    kind: 'OffsetCommit',
    value: { offset: 5, expireTimestamp: 9 },
  })
  expect(decodeGroupRecord(Uint8Array.of(0, 99, 1), null)).toBeNull()
  expect(decodeGroupRecord(null, null)).toBeNull()
  expect(() => decodeGroupRecord(Uint8Array.of(0, 1, 0, 9), null)).toThrow()
})

test('the version of a value is the oldest that holds it', () => {
  const write = (more: object) => {
    const value = {
      offset: 1,
      leaderEpoch: 0,
      metadata: '',
      commitTimestamp: 1,
      expireTimestamp: -1,
      topicId: ZERO_TOPIC_ID,
      ...more,
    }
    return encodeGroupRecord({ kind: 'OffsetCommit', key: { group: 'g', topic: 't', partition: 0 }, value }).value![1]
  }
  expect([write({}), write({ expireTimestamp: 5 }), write({ topicId: 'b3JkZXJzLi4uLi4uLi4uLg' })]).toEqual([3, 1, 4])
})
