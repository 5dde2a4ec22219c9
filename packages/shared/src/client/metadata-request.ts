// The Metadata request that both links send: by name, without operations.
import type { MetadataRequest } from '../protocol/messages/03-metadata.ts'
import { ZERO_UUID } from '../protocol/schema.ts'

/** Null asks for all topics. */
export function metadataRequest(topics: readonly string[] | null, allowAutoTopicCreation: boolean): MetadataRequest {
  return {
    topics: topics === null ? null : topics.map(name => ({ name, topicId: ZERO_UUID })),
    allowAutoTopicCreation,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
}
