// DeleteTopics, by name or id (Java: QuorumController.deleteTopics). Internal topics stay: our coordinators live on them.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import type {
  DeletableTopicResult,
  DeleteTopicState,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
} from '@odradek/shared/protocol/messages/20-delete-topics'
import { ApiError, orRefusal } from './api-error.ts'
import type { CatalogRecord } from './catalog.records.ts'
import type { Catalog, Topic } from './catalog.ts'
import { brokerConfig, type ClusterSetup } from './cluster-setup.ts'
import { isInternalTopic } from './internal-topics.rules.ts'
import { repeated } from './request-items.rules.ts'

export interface DeleteTopicsDecision {
  readonly records: readonly CatalogRecord[]
  readonly response: DeleteTopicsResponse
  readonly deleted: readonly { readonly topic: string; readonly topicId: string }[]
}

export function deleteTopics(
  catalog: Catalog,
  setup: ClusterSetup,
  request: DeleteTopicsRequest,
): DeleteTopicsDecision {
  const deleted: { topic: string; topicId: string }[] = []
  const asked: DeleteTopicState[] = [
    ...request.topics,
    ...request.topicNames.map(name => ({ name, topicId: ZERO_TOPIC_ID })),
  ]
  const names = repeated(asked.flatMap(({ name }) => (name === null ? [] : [name])))
  const ids = repeated(asked.flatMap(({ topicId }) => (topicId === ZERO_TOPIC_ID ? [] : [topicId])))
  const gone = new Set<string>()
  const responses = asked.map(({ name, topicId }) =>
    orRefusal<DeletableTopicResult>(
      () => {
        if (brokerConfig(catalog, setup, 'delete.topic.enable') === 'false') {
          throw new ApiError('TOPIC_DELETION_DISABLED', 'Topic deletion is disabled.')
        }
        if (name !== null && names.has(name)) throw new ApiError('INVALID_REQUEST', 'Duplicate topic name.')
        if (ids.has(topicId)) throw new ApiError('INVALID_REQUEST', 'Duplicate topic id.')
        const topic = findTopic(catalog, name, topicId)
        if (gone.has(topic.topicId))
          throw new ApiError('INVALID_REQUEST', 'The provided topic name maps to an ID that was already supplied.')
        if (isInternalTopic(topic.name)) {
          throw new ApiError('INVALID_TOPIC_EXCEPTION', `Topic '${topic.name}' is internal and cannot be deleted.`)
        }
        gone.add(topic.topicId)
        deleted.push({ topic: topic.name, topicId: topic.topicId })
        return { name: topic.name, topicId: topic.topicId, errorCode: 0, errorMessage: null }
      },
      error => ({ name, topicId, ...error }),
    ),
  )
  const records = deleted.map(({ topicId }): CatalogRecord => ({ type: 'RemoveTopicRecord', value: { topicId } }))
  return { records, deleted, response: { throttleTimeMs: 0, responses } }
}

function findTopic(catalog: Catalog, name: string | null, topicId: string): Topic {
  const byId = topicId !== ZERO_TOPIC_ID
  if (name === null && !byId) throw new ApiError('INVALID_REQUEST', 'Neither topic name nor id were specified.')
  if (name !== null && byId) throw new ApiError('INVALID_REQUEST', 'You may not specify both topic name and topic id.')
  const topic = byId ? catalog.topicsById.get(topicId) : catalog.topics.get(name!)
  if (topic !== undefined) return topic
  throw byId
    ? new ApiError('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.')
    : new ApiError('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
}
