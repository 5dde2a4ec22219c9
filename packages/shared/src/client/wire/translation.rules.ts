// Between the newest shape of a request, which the house speaks, and what an older version can carry: single keys for lists, names for topic ids.

import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'

/** Names and ids of topics as the link knows them, to fill in what a version leaves out. */
export interface TopicNames {
  name(topicId: string): string
  id(name: string): string
}

type Translate<A extends ApiName> = {
  /** Newest shape to the shape of `version`. */
  readonly request?: (request: ApiRequest<A>, version: number) => ApiRequest<A>
  /** Shape of `version` to newest shape. */
  readonly response?: (response: ApiResponse<A>, version: number, request: ApiRequest<A>) => ApiResponse<A>
}
type Translations = { readonly [A in ApiName]?: Translate<A> }

const translations: Translations = {
  FindCoordinator: {
    request: (request, version) =>
      version < 4 ? { ...request, key: request.coordinatorKeys[0] ?? request.key, coordinatorKeys: [] } : request,
    response: (response, version, request) => {
      if (version >= 4) return response
      const { errorCode, errorMessage, nodeId, host, port } = response
      return {
        ...response,
        coordinators: [{ key: request.coordinatorKeys[0] ?? request.key, nodeId, host, port, errorCode, errorMessage }],
      }
    },
  },
  DeleteTopics: {
    request: (request, version) =>
      version < 6 ? { ...request, topics: [], topicNames: request.topics.map(({ name }) => name ?? '') } : request,
  },
  OffsetFetch: {
    request: (request, version) => {
      const group = request.groups[0]
      if (version >= 8 || !group) return request
      return { ...request, groupId: group.groupId, topics: group.topics, groups: [] }
    },
    response: (response, version, request) => {
      const group = request.groups[0]
      if (version >= 8 || !group) return response
      const topics = response.topics.map(topic => ({ ...topic, topicId: ZERO_UUID }))
      return { ...response, groups: [{ groupId: group.groupId, topics, errorCode: response.errorCode }] }
    },
  },
  LeaveGroup: {
    request: (request, version) =>
      version < 3 ? { ...request, memberId: request.members[0]?.memberId ?? '', members: [] } : request,
    response: (response, version, request) => {
      const member = request.members[0]
      if (version >= 3 || !member) return response
      return {
        ...response,
        members: [{ memberId: member.memberId, groupInstanceId: null, errorCode: response.errorCode }],
      }
    },
  },
  AddPartitionsToTxn: {
    request: (request, version) => {
      const transaction = request.transactions[0]
      if (version >= 4 || !transaction) return request
      return {
        transactions: [],
        v3AndBelowTransactionalId: transaction.transactionalId,
        v3AndBelowProducerId: transaction.producerId,
        v3AndBelowProducerEpoch: transaction.producerEpoch,
        v3AndBelowTopics: transaction.topics,
      }
    },
    response: (response, version, request) => {
      const transaction = request.transactions[0]
      if (version >= 4 || !transaction) return response
      const { transactionalId } = transaction
      return {
        ...response,
        resultsByTransaction: [{ transactionalId, topicResults: response.resultsByTopicV3AndBelow }],
      }
    },
  },
}

/** Newest version in which topics have names beside, or instead of, ids. */
const namedMax: { readonly [api: string]: number } = { Produce: 12, Fetch: 12, OffsetCommit: 9, OffsetFetch: 9 }

/** The newest version that can carry the request: topics whose id is not known (an old cluster, a topic never looked up) need one with names. */
export function versionCap<A extends ApiName>(api: A, request: ApiRequest<A>): number {
  const cap = namedMax[api]
  if (cap === undefined) return Number.POSITIVE_INFINITY
  // A reply about all topics of a group may speak of ones that were never looked up.
  if (api === 'OffsetFetch' && (request as ApiRequest<'OffsetFetch'>).groups.some(({ topics }) => topics === null))
    return cap
  for (const topics of requestedTopics(api, request))
    for (const { topicId } of topics) if (topicId === ZERO_UUID) return cap
  return Number.POSITIVE_INFINITY
}

function requestedTopics<A extends ApiName>(api: A, request: ApiRequest<A>): readonly (readonly NamedTopic[])[] {
  if (api === 'Produce') return [(request as ApiRequest<'Produce'>).topicData]
  if (api === 'OffsetFetch') return (request as ApiRequest<'OffsetFetch'>).groups.map(group => group.topics ?? [])
  return [(request as ApiRequest<'Fetch'>).topics]
}

/** The request as `version` carries it. */
export function translateRequest<A extends ApiName>(api: A, request: ApiRequest<A>, version: number): ApiRequest<A> {
  const translate = translations[api]?.request as Translate<A>['request']
  return translate ? translate(request, version) : request
}

/** The reply in the newest shape, its topics named both ways. */
export function translateResponse<A extends ApiName>(
  api: A,
  response: ApiResponse<A>,
  version: number,
  request: ApiRequest<A>,
  names: TopicNames,
): ApiResponse<A> {
  const translate = translations[api]?.response as Translate<A>['response']
  const newest = translate ? translate(response, version, request) : response
  for (const topics of topicLists(api, newest)) for (const topic of topics) nameBothWays(topic, names)
  return newest
}

interface NamedTopic {
  name?: string
  topic?: string
  topicId?: string
}

function topicLists<A extends ApiName>(api: A, response: ApiResponse<A>): readonly (readonly NamedTopic[])[] {
  switch (api) {
    case 'Produce':
    case 'Fetch':
      return [(response as ApiResponse<'Fetch'>).responses]
    case 'OffsetCommit':
    case 'TxnOffsetCommit':
      return [(response as ApiResponse<'OffsetCommit'>).topics]
    case 'OffsetFetch':
      return (response as ApiResponse<'OffsetFetch'>).groups.map(group => group.topics)
    default:
      return []
  }
}

function nameBothWays(topic: NamedTopic, names: TopicNames): void {
  const field = 'topic' in topic ? 'topic' : 'name'
  if (topic[field] === '' && topic.topicId) topic[field] = names.name(topic.topicId)
  else if (topic.topicId === ZERO_UUID) topic.topicId = names.id(topic[field] ?? '')
}
