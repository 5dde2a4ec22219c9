// What the group coordinator writes to `__consumer_offsets`: Kafka's records, by Kafka's names, so that its tools can read them (Java:
// CoordinatorRecordType, GroupCoordinatorRecordHelpers). A null value is a tombstone. Kinds that this version does not know are left alone.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import type { Infer, Message } from '@odradek/shared/protocol/schema'
import * as consumer from '@odradek/shared/protocol/stored/consumer-group.records'
import * as classic from '@odradek/shared/protocol/stored/consumer-offsets.records'
import {
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeVersioned,
  encodeCoordinatorKey,
  encodeVersioned,
} from '@odradek/shared/protocol/stored/versioned'
import type { EncodedRecord } from '../runtime/shard.ts'
import { readOffsetCommit } from './offset-commit.records.ts'

interface Kind {
  readonly key: Message<any>
  readonly value: Message<any>
}

const kinds = {
  OffsetCommit: { key: classic.offsetCommitKey, value: classic.offsetCommitValue },
  GroupMetadata: { key: classic.groupMetadataKey, value: classic.groupMetadataValue },
  ConsumerGroupMetadata: { key: consumer.consumerGroupMetadataKey, value: consumer.consumerGroupMetadataValue },
  ConsumerGroupMemberMetadata: {
    key: consumer.consumerGroupMemberMetadataKey,
    value: consumer.consumerGroupMemberMetadataValue,
  },
  ConsumerGroupTargetAssignmentMetadata: {
    key: consumer.consumerGroupTargetAssignmentMetadataKey,
    value: consumer.consumerGroupTargetAssignmentMetadataValue,
  },
  ConsumerGroupTargetAssignmentMember: {
    key: consumer.consumerGroupTargetAssignmentMemberKey,
    value: consumer.consumerGroupTargetAssignmentMemberValue,
  },
  ConsumerGroupCurrentMemberAssignment: {
    key: consumer.consumerGroupCurrentMemberAssignmentKey,
    value: consumer.consumerGroupCurrentMemberAssignmentValue,
  },
  ConsumerGroupRegularExpression: {
    key: consumer.consumerGroupRegularExpressionKey,
    value: consumer.consumerGroupRegularExpressionValue,
  },
} as const satisfies { readonly [kind: string]: Kind }

type Kinds = typeof kinds
export type GroupRecordKind = keyof Kinds
type KeyOf<K extends GroupRecordKind> = Kinds[K]['key'] extends Message<any> ? Infer<Kinds[K]['key']> : never
type ValueOf<K extends GroupRecordKind> = Kinds[K]['value'] extends Message<any> ? Infer<Kinds[K]['value']> : never

/** One record; `value` null removes what the key names. */
export type GroupRecord = {
  [K in GroupRecordKind]: { readonly kind: K; readonly key: KeyOf<K>; readonly value: ValueOf<K> | null }
}[GroupRecordKind]
export type RecordOf<K extends GroupRecordKind> = Extract<GroupRecord, { kind: K }>

/** Key type 0 is an offset written before Kafka 0.9. */
const OLD_OFFSET_COMMIT_TYPE = 0
const OFFSET_COMMIT_TYPE = 1

const byType = new Map<number, GroupRecordKind>(
  (Object.keys(kinds) as GroupRecordKind[]).map(kind => [kinds[kind].key.apiKey!, kind]),
)

export function encodeGroupRecord(record: GroupRecord): EncodedRecord {
  const { key, value } = kinds[record.kind] as Kind
  return {
    key: encodeCoordinatorKey(key, record.key),
    value: record.value === null ? null : encodeVersioned(value, valueVersion(record), record.value),
  }
}

/** The oldest version that holds all of the value, so that older brokers and tools can read it. */
function valueVersion({ kind, value }: GroupRecord): number {
  if (kind === 'GroupMetadata') return 3
  if (kind !== 'OffsetCommit') return 0
  if (value!.expireTimestamp !== -1) return 1
  return value!.topicId === ZERO_TOPIC_ID ? 3 : 4
}

/** Null for kinds that are not known here. Throws ProtocolError for bytes that are no such record. */
export function decodeGroupRecord(key: Uint8Array | null, value: Uint8Array | null): GroupRecord | null {
  if (key === null) return null
  return readOffsetCommit(key, value) ?? decodeAny(key, value)
}

function decodeAny(key: Uint8Array, value: Uint8Array | null): GroupRecord | null {
  const type = coordinatorRecordType(key)
  const kind = byType.get(type === OLD_OFFSET_COMMIT_TYPE ? OFFSET_COMMIT_TYPE : type)
  if (kind === undefined) return null
  const schemas = kinds[kind] as Kind
  return {
    kind,
    key: decodeCoordinatorKey(schemas.key, type === OLD_OFFSET_COMMIT_TYPE ? asOffsetCommit(key) : key),
    value: value === null ? null : decodeVersioned(schemas.value, value),
  } as GroupRecord
}

function asOffsetCommit(key: Uint8Array): Uint8Array {
  const copy = key.slice()
  copy[1] = OFFSET_COMMIT_TYPE
  return copy
}
