// The error table against the facts taken from Kafka.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type ErrorName, errorOf, errors, type KafkaErrorCode } from './error-codes.ts'

const facts = readFileSync(new URL('./fixtures/kafka-errors.tsv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(2)
  .map(line => line.split('\t'))

test('codes and names are those of Kafka, none missing and none invented', () => {
  expect(facts.length).toBe(138)
  expect(Object.values(errors).map(({ code, name }) => [String(code), name])).toEqual(
    facts.map(([code, name]) => [code, name]),
  )
})

test('every error says in a sentence what it means', () => {
  for (const { message } of Object.values(errors)) expect(message).toMatch(/^[A-Z].+\.$/)
})

// Taken from the exception classes of org.apache.kafka:kafka-clients 4.3.1.
const invalidMetadata: ErrorName[] = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'KAFKA_STORAGE_ERROR',
  'LISTENER_NOT_FOUND',
  'FENCED_LEADER_EPOCH',
  'PREFERRED_LEADER_NOT_AVAILABLE',
  'ELIGIBLE_LEADERS_NOT_AVAILABLE',
  'ELECTION_NOT_NEEDED',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
]
const otherRetriable: ErrorName[] = [
  'CORRUPT_MESSAGE',
  'REQUEST_TIMED_OUT',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'CONCURRENT_TRANSACTIONS',
  'FETCH_SESSION_ID_NOT_FOUND',
  'INVALID_FETCH_SESSION_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'THROTTLING_QUOTA_EXCEEDED',
  'FETCH_SESSION_TOPIC_ID_ERROR',
  'SHARE_SESSION_NOT_FOUND',
  'INVALID_SHARE_SESSION_EPOCH',
  'SHARE_SESSION_LIMIT_REACHED',
]

const namesWhere = (wanted: (error: KafkaErrorCode) => boolean): ErrorName[] =>
  Object.values(errors)
    .filter(wanted)
    .map(error => error.name)

test('metadata is stale after the errors whose class is an InvalidMetadataException in Kafka', () => {
  expect(namesWhere(error => error.invalidMetadata)).toEqual(invalidMetadata)
})

test('retriable are the errors whose class is a RetriableException in Kafka', () => {
  expect(namesWhere(error => error.retriable).sort()).toEqual([...invalidMetadata, ...otherRetriable].sort())
})

test('an unknown code is an unknown server error', () => {
  expect(errorOf(16).name).toBe('NOT_COORDINATOR')
  expect(errorOf(9999)).toBe(errors.UNKNOWN_SERVER_ERROR)
})
